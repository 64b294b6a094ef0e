import { describe, expect, it } from 'vitest';
import { denyReasons } from '../../../src/decision/deny-reason.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { evidence } from '../../../src/replay/evidence.ts';
import { outlookOf } from '../../../src/replay/outlook.ts';
import type { RecordedDecision } from '../../../src/replay/record.ts';
import { createRevocationOutlook } from '../../../src/replay/revocation-outlook.ts';
import { type Compared, compare } from '../../../src/replay/verdict.ts';
import { corp, snapshotOf } from '../policy/policy-text.ts';

const allowed: RecordedDecision = {
  decision: 'allow',
  reason: 'allowed',
  status: 200,
  rule: 'a',
  detail: undefined,
  policy: 'ffffffffffffffff',
  issuer: 'corp',
  subject: 'x4fGh2',
  clientId: 'web',
  scopes: ['r'],
  jti: 'j1',
  kid: 'k1',
  method: 'GET',
  host: 'shop.test',
  path: '/a',
  requestId: undefined,
  time: 1_800_000_000,
  shadow: [],
};

/** Of a token that was not verified the log tells nothing. */
const nobody = {
  issuer: undefined,
  subject: undefined,
  clientId: undefined,
  scopes: undefined,
  jti: undefined,
  kid: undefined,
};

function denied(reason: string, more: Partial<RecordedDecision> = {}): RecordedDecision {
  return { ...allowed, decision: 'deny', reason, status: 401, ...more };
}

function policy(rule: object = {}, rest: object = {}): PolicySnapshot {
  return snapshotOf({ issuers: [corp], rules: [{ name: 'a', paths: ['/a'], ...rule }], ...rest });
}

function verdictOf(record: RecordedDecision, snapshot: PolicySnapshot): Compared {
  const revocations = createRevocationOutlook(snapshot.revocations.entries);
  return compare(record, outlookOf(record, { snapshot, revocations, baseline: undefined }));
}

function said({ verdict, now, unknown }: Compared): string {
  const reasons = now.reasons.length > 0 ? now.reasons.join(' or ') : 'anything';
  return [verdict, now.decision ?? '?', reasons, ...unknown.map((what) => `(${what})`)].join(' ');
}

it('every reason of the contract has a row', () => {
  const reasons = [...Object.keys(denyReasons), 'allowed', 'allowed_public', 'resource_metadata'];
  expect(Object.keys(evidence).toSorted()).toEqual(reasons.toSorted());
});

/** What a rule that wants a token, and no more, makes of each reason, without the policy that decided. */
const byReason: Record<keyof typeof evidence, [record: RecordedDecision, said: string]> = {
  policy_unavailable: [
    denied('policy_unavailable', { ...nobody, path: undefined, host: undefined }),
    'undecidable ? anything (no policy was asked)',
  ],
  overloaded: [denied('overloaded', nobody), 'undecidable ? anything (no policy was asked)'],
  internal_error: [denied('internal_error', nobody), 'undecidable ? anything (no policy was asked)'],
  request_malformed: [
    denied('request_malformed', { ...nobody, rule: undefined, path: undefined, host: undefined }),
    'same deny request_malformed',
  ],
  no_rule: [
    denied('no_rule', { ...nobody, rule: undefined, status: 403 }),
    'undecidable ? anything (the credentials, which were not looked at)',
  ],
  rule_deny: [denied('rule_deny', nobody), 'undecidable ? anything (the credentials, which were not looked at)'],
  allowed_public: [
    { ...allowed, ...nobody, reason: 'allowed_public' },
    'undecidable ? anything (the credentials, which were not looked at)',
  ],
  resource_metadata: [
    denied('resource_metadata', { ...nobody, rule: undefined }),
    'undecidable ? anything (the credentials, which were not looked at)',
  ],
  token_missing: [denied('token_missing', nobody), 'same deny token_missing'],
  credentials_malformed: [denied('credentials_malformed', nobody), 'same deny credentials_malformed'],
  token_too_large: [denied('token_too_large', nobody), 'same deny token_too_large'],
  token_malformed: [denied('token_malformed', { ...nobody, detail: 'not three parts' }), 'same deny token_malformed'],
  issuer_untrusted: [
    denied('issuer_untrusted', nobody),
    'undecidable ? anything (a token that was refused before it was verified)',
  ],
  token_type_refused: [
    denied('token_type_refused', nobody),
    'undecidable ? anything (a token that was refused before it was verified)',
  ],
  algorithm_not_allowed: [
    denied('algorithm_not_allowed', nobody),
    'undecidable ? anything (a token that was refused before it was verified)',
  ],
  key_unknown: [
    denied('key_unknown', nobody),
    'undecidable deny issuer_untrusted or key_unknown (the issuer of the token)',
  ],
  keys_unavailable: [
    denied('keys_unavailable', nobody),
    'undecidable deny issuer_untrusted or keys_unavailable (the issuer of the token)',
  ],
  signature_invalid: [
    denied('signature_invalid', nobody),
    'undecidable deny issuer_untrusted or signature_invalid (the issuer of the token)',
  ],
  claim_invalid: [
    denied('claim_invalid', nobody),
    'undecidable ? anything (a token that was refused before it was verified)',
  ],
  token_expired: [denied('token_expired'), 'same deny token_expired'],
  token_not_yet_valid: [denied('token_not_yet_valid'), 'same deny token_not_yet_valid'],
  token_lifetime_exceeded: [
    denied('token_lifetime_exceeded'),
    'undecidable ? anything (the token itself, for the settings of issuer corp)',
  ],
  audience_mismatch: [
    denied('audience_mismatch'),
    'undecidable ? anything (the token itself, for the settings of issuer corp)',
  ],
  client_not_allowed: [denied('client_not_allowed'), 'changed allow allowed'],
  token_revoked: [denied('token_revoked'), 'changed allow allowed'],
  sender_constraint_failed: [denied('sender_constraint_failed'), 'same deny sender_constraint_failed'],
  dpop_proof_invalid: [denied('dpop_proof_invalid'), 'same deny dpop_proof_invalid'],
  dpop_nonce_required: [denied('dpop_nonce_required'), 'same deny dpop_nonce_required'],
  token_inactive: [denied('token_inactive'), 'changed deny token_malformed'],
  upstream_token_unavailable: [denied('upstream_token_unavailable'), 'changed allow allowed'],
  proof_memory_unavailable: [denied('proof_memory_unavailable'), 'same deny proof_memory_unavailable'],
  insufficient_user_authentication: [denied('insufficient_user_authentication'), 'changed allow allowed'],
  insufficient_scope: [denied('insufficient_scope'), 'changed allow allowed'],
  condition_false: [denied('condition_false'), 'changed allow allowed'],
  condition_error: [denied('condition_error'), 'changed allow allowed'],
  claim_header_refused: [denied('claim_header_refused'), 'changed allow allowed'],
  allowed: [allowed, 'same allow allowed'],
};

it.each(Object.entries(byReason))('%s, and a rule that wants a token of any issuer', (_reason, [record, expected]) => {
  expect(said(verdictOf(record, policy()))).toBe(expected);
});

const cases: Record<string, [record: RecordedDecision, snapshot: PolicySnapshot, said: string]> = {
  'the rule is gone': [allowed, policy({ paths: ['/b'] }), 'changed deny no_rule'],
  'another rule of the same outcome: changed': [allowed, policy({ name: 'b' }), 'changed allow allowed'],
  'a scope more that the token has': [allowed, policy({ require: { scopes: ['r'] } }), 'same allow allowed'],
  'a scope that it lacks': [allowed, policy({ require: { scopes: ['w'] } }), 'changed deny insufficient_scope'],
  'no scopes in the line and some required': [
    { ...allowed, scopes: undefined },
    policy({ require: { scopes: ['r'] } }),
    "undecidable ? allowed or insufficient_scope (the token's scopes)",
  ],
  'step-up': [
    allowed,
    policy({ require: { acr: ['gold'], maxAuthAge: '5m' } }),
    "undecidable ? allowed or insufficient_user_authentication (the token's acr and auth_time)",
  ],
  'SU-03 step-up and a scope that it lacks: refused either way': [
    allowed,
    policy({ require: { acr: ['gold'], scopes: ['w'] } }),
    'changed deny insufficient_scope or insufficient_user_authentication',
  ],
  'refused either way, and the old reason among the ways: undecidable': [
    denied('insufficient_scope'),
    policy({ require: { acr: ['gold'], scopes: ['w'] } }),
    "undecidable deny insufficient_scope or insufficient_user_authentication (the token's acr)",
  ],
  'a condition on a claim': [
    allowed,
    policy({ require: { when: 'claims.t == 1 && request.method == "GET"' } }),
    'undecidable ? allowed or claim_invalid or condition_error or condition_false (claims, which the condition of a reads)',
  ],
  'a condition on what the log holds, true': [
    allowed,
    policy({ require: { when: 'token.clientId == "web" && "r" in token.scopes && request.host == "shop.test"' } }),
    'same allow allowed',
  ],
  'a condition on what the log holds, false': [
    allowed,
    policy({ require: { when: 'token.issuer != "corp"' } }),
    'changed deny condition_false',
  ],
  'a condition on a value of the path': [
    { ...allowed, path: '/x/%41b' },
    policy({ paths: ['/x/{id}'], require: { when: 'request.path.id == "Ab"' } }),
    'same allow allowed',
  ],
  'a condition on scopes that the line lacks': [
    { ...allowed, scopes: undefined },
    policy({ require: { when: '"r" in token.scopes' } }),
    'undecidable ? allowed or claim_invalid or condition_error or condition_false (token.scopes, which the condition of a reads)',
  ],
  'a condition on the subject, which is hashed': [
    allowed,
    policy({ require: { when: 'token.subject == "ada"' } }),
    'undecidable ? allowed or claim_invalid or condition_error or condition_false (token.subject, which the condition of a reads)',
  ],
  'a required header of a claim': [
    allowed,
    policy({ headers: { 'x-t': { claim: 'realm.tenant', required: true } } }),
    'undecidable ? allowed or claim_header_refused or claim_invalid (the claims realm.tenant, for headers)',
  ],
  'a header that is not required': [allowed, policy({ headers: { 'x-t': 'tenant' } }), 'same allow allowed'],
  'required headers of iss and exp, which every accepted token has': [
    allowed,
    policy({ headers: { 'x-i': { claim: 'iss', required: true }, 'x-e': { claim: 'exp', required: true } } }),
    'same allow allowed',
  ],
  'a required header of sub, which is hashed and may be all spaces': [
    allowed,
    policy({ headers: { 'x-s': { claim: 'sub', required: true } } }),
    'undecidable ? allowed or claim_header_refused or claim_invalid (the claims sub, for headers)',
  ],
  'a required header of sub in JSON, whose quotes are text': [
    allowed,
    policy({
      headers: {
        'x-s': { claim: 'sub', format: 'json', required: true },
        'x-b': { claim: 'sub', format: 'base64json', required: true },
      },
    }),
    'same allow allowed',
  ],
  'a required header of a sub that the token has not': [
    { ...allowed, subject: undefined },
    policy({ headers: { 'x-s': { claim: 'sub', required: true } } }),
    'changed deny claim_header_refused',
  ],
  'a required header of aud, which may be a list that is too long': [
    allowed,
    policy({ headers: { 'x-a': { claim: 'aud', required: true } } }),
    'undecidable ? allowed or claim_header_refused or claim_invalid (the claims aud, for headers)',
  ],
  'a required header of jti': [
    allowed,
    policy({ headers: { 'x-j': { claim: 'jti', required: true } } }),
    'same allow allowed',
  ],
  'a required header of a jti that the token has not': [
    { ...allowed, jti: undefined },
    policy({ headers: { 'x-j': { claim: 'jti', required: true } } }),
    'changed deny claim_header_refused',
  ],
  'an empty jti': [
    { ...allowed, jti: '' },
    policy({ headers: { 'x-j': { claim: 'jti', required: true } } }),
    'changed deny claim_header_refused',
  ],
  'a jti of spaces, which is no value of a header': [
    { ...allowed, jti: ' ' },
    policy({ headers: { 'x-j': { claim: 'jti', required: true } } }),
    'changed deny claim_header_refused',
  ],
  'a jti that is too long once it is escaped': [
    { ...allowed, jti: '\u0001'.repeat(1000) },
    policy({ headers: { 'x-j': { claim: 'jti', format: 'json', required: true } } }),
    'changed deny claim_header_refused',
  ],
  'a jti that the token has not, after a claim that may be invalid: refused either way': [
    { ...allowed, jti: undefined },
    policy({ headers: { 'x-t': { claim: 'tenant', required: true }, 'x-j': { claim: 'jti', required: true } } }),
    'changed deny claim_header_refused or claim_invalid',
  ],
  'a header that was refused, and any header': [
    denied('claim_header_refused'),
    policy({ headers: { 'x-t': 'tenant' } }),
    'undecidable ? allowed or claim_header_refused or claim_invalid (the claims tenant, for headers)',
  ],
  'a claim that was invalid for a header, and a required one that is absent: which comes first is not known': [
    denied('claim_invalid', { detail: 'claim of header x-t', jti: undefined }),
    policy({ headers: { 'x-t': 'tenant', 'x-j': { claim: 'jti', required: true } } }),
    'undecidable ? allowed or claim_header_refused or claim_invalid (the claims tenant, jti, for headers)',
  ],
  'a claim that was invalid for a header, and none': [
    denied('claim_invalid', { detail: 'claim of header x-t' }),
    policy(),
    'changed allow allowed',
  ],
  'iat absent under a lifetime': [
    denied('claim_invalid', { detail: 'iat is absent and maxLifetime is set' }),
    policy(),
    'undecidable ? anything (the token itself, for the settings of issuer corp)',
  ],
  'the form of the signature: the rest of the token was good so far': [
    denied('token_malformed', { ...nobody, detail: 'signature: not base64url' }),
    policy({ issuers: ['corp'] }),
    'undecidable deny issuer_untrusted or token_malformed (the issuer of the token)',
  ],
  'no keys for a token that was verified before, of an issuer of this name': [
    denied('keys_unavailable'),
    policy(),
    'same deny keys_unavailable',
  ],
  'no keys for a token that was verified before, of an issuer that the rule does not list': [
    denied('keys_unavailable'),
    snapshotOf({
      issuers: [corp, { ...corp, name: 'other', issuer: 'https://other.test' }],
      rules: [{ name: 'a', paths: ['/a'], issuers: ['other'] }],
    }),
    'changed deny issuer_untrusted',
  ],
  'no keys for a token that was verified before, of a name that the candidate has not': [
    denied('keys_unavailable', { issuer: 'gone' }),
    policy(),
    'undecidable ? anything (whether issuer gone was renamed)',
  ],
  'a signature that was invalid, under a rule of another name: changed whichever it is': [
    denied('signature_invalid', nobody),
    policy({ name: 'b' }),
    'changed deny issuer_untrusted or signature_invalid',
  ],
  'a signature that was invalid, where nothing needs a token': [
    denied('signature_invalid', nobody),
    policy({ access: 'deny' }),
    'changed deny rule_deny',
  ],
  'a rule that does not list every issuer: whose token it was is not known': [
    denied('signature_invalid', nobody),
    snapshotOf({
      issuers: [corp, { ...corp, name: 'other', issuer: 'https://other.test' }],
      rules: [{ name: 'a', paths: ['/a'], issuers: ['corp'] }],
    }),
    'undecidable deny issuer_untrusted or signature_invalid (the issuer of the token)',
  ],
  'an issuer that the rule did not list, and still does not': [
    denied('issuer_untrusted', { ...nobody, detail: 'the rule does not list issuer other' }),
    snapshotOf({
      issuers: [corp, { ...corp, name: 'other', issuer: 'https://other.test' }],
      rules: [{ name: 'a', paths: ['/a'], issuers: ['corp'] }],
    }),
    'same deny issuer_untrusted',
  ],
  'an issuer that the rule did not list, and lists now': [
    denied('issuer_untrusted', { ...nobody, detail: 'the rule does not list issuer corp' }),
    policy(),
    'undecidable ? anything (a token that was refused before it was verified)',
  ],
  'a token of an issuer name that the candidate has not: it may be the earlier name of one that it has': [
    { ...allowed, issuer: 'gone' },
    policy(),
    'undecidable ? anything (whether issuer gone was renamed)',
  ],
  'a client that was not allowed, of such a name': [
    denied('client_not_allowed', { issuer: 'gone' }),
    policy(),
    'undecidable ? anything (whether issuer gone was renamed)',
  ],
  'an expired token of such a name': [
    denied('token_expired', { issuer: 'gone' }),
    policy(),
    'undecidable ? anything (whether issuer gone was renamed)',
  ],
  'an issuer that the rule did not list, of such a name': [
    denied('issuer_untrusted', { ...nobody, detail: 'the rule does not list issuer gone' }),
    snapshotOf({
      issuers: [corp, { ...corp, name: 'other', issuer: 'https://other.test' }],
      rules: [{ name: 'a', paths: ['/a'], issuers: ['corp'] }],
    }),
    'undecidable ? anything (whether issuer gone was renamed)',
  ],
  'a client that is not on the list': [
    allowed,
    snapshotOf({ issuers: [{ ...corp, clientIds: ['app'] }], rules: [{ name: 'a', paths: ['/a'] }] }),
    'changed deny client_not_allowed',
  ],
  'no credentials where no rule was, and a rule': [
    denied('no_rule', { ...nobody, rule: undefined, status: 401 }),
    policy(),
    'changed deny credentials_malformed or token_missing',
  ],
  'public, where it was denied': [
    denied('rule_deny', nobody),
    policy({ access: 'public' }),
    'changed allow allowed_public',
  ],
  'denied, where it was public': [
    { ...allowed, ...nobody, reason: 'allowed_public' },
    policy({ access: 'deny' }),
    'changed deny rule_deny',
  ],
  'overloaded, and a public rule: no policy was asked all the same': [
    denied('overloaded', nobody),
    policy({ access: 'public' }),
    'undecidable ? anything (no policy was asked)',
  ],
  'a path with `;`, and a candidate that keeps it': [
    denied('request_malformed', { ...nobody, path: undefined, rule: undefined, detail: 'the path holds `;`' }),
    policy({}, { defaults: { pathParameters: 'keep' } }),
    'undecidable ? anything (the path, which may be one with `;`)',
  ],
  'a path that was refused for something else, and a candidate that keeps `;`': [
    denied('request_malformed', {
      ...nobody,
      path: undefined,
      rule: undefined,
      detail: 'the path holds a dot segment',
    }),
    policy({}, { defaults: { pathParameters: 'keep' } }),
    'same deny request_malformed',
  ],
  'a path with `;` that was kept, and a candidate that refuses it': [
    { ...allowed, path: '/a;x=1' },
    policy(),
    'changed deny request_malformed',
  ],
  'a line without a path': [
    { ...allowed, path: undefined },
    policy(),
    'undecidable ? anything (the line has no full request)',
  ],
  'a line without the issuer of a verified token': [
    { ...allowed, issuer: undefined },
    policy(),
    'undecidable ? anything (the issuer of the token, which the line does not name)',
  ],
  'a reason of a later version': [
    denied('quota_exceeded'),
    policy(),
    'undecidable ? anything (the reason is one of another version)',
  ],
  'the policy that decided: the same, whatever it asks for': [
    { ...allowed, policy: policy({ require: { when: 'claims.t == 1' } }).hash },
    policy({ require: { when: 'claims.t == 1' } }),
    'same allow allowed',
  ],
};

it.each(Object.entries(cases))('%s', (_name, [record, snapshot, expected]) => {
  expect(said(verdictOf(record, snapshot))).toBe(expected);
});

describe('revocations', () => {
  const entries: Record<string, [entry: object, said: string, more?: Partial<RecordedDecision>]> = {
    'of the token': [{ jti: 'j1' }, 'changed deny token_revoked'],
    'of another token': [{ jti: 'j2' }, 'same allow allowed'],
    'of its client': [{ clientId: 'web' }, 'changed deny token_revoked'],
    'of another client': [{ clientId: 'app', sub: 'ada' }, 'same allow allowed'],
    'of its issuer and key': [{ issuer: 'corp', kid: 'k1' }, 'changed deny token_revoked'],
    'of another key': [{ kid: 'k2' }, 'same allow allowed'],
    'of a subject, which is hashed': [
      { sub: 'ada' },
      "undecidable ? allowed or token_revoked (the token's sub, for a revocation)",
    ],
    'of a subject, and the token has none': [{ sub: 'ada' }, 'same allow allowed', { subject: undefined }],
    'of a session': [{ sid: 's' }, "undecidable ? allowed or token_revoked (the token's sid, for a revocation)"],
    'of old tokens': [
      { issuedBefore: '2026-01-01T00:00:00Z' },
      "undecidable ? allowed or token_revoked (the token's iat, for a revocation)",
    ],
    'of a client and a subject': [
      { clientId: 'web', sub: 'ada' },
      "undecidable ? allowed or token_revoked (the token's sub, for a revocation)",
    ],
    'that is over': [{ jti: 'j1', until: '2026-01-01T00:00:00Z' }, 'same allow allowed'],
    'that was not over then': [{ jti: 'j1', until: '2030-01-01T00:00:00Z' }, 'changed deny token_revoked'],
    'that may be over, in a line without time': [
      { jti: 'j1', until: '2030-01-01T00:00:00Z' },
      "undecidable ? allowed or token_revoked (the token's time, for a revocation)",
      { time: undefined },
    ],
    'of a kid that is cut in the log': [
      { kid: `${'k'.repeat(64)}2` },
      "undecidable ? allowed or token_revoked (the token's kid, for a revocation)",
      { kid: 'k'.repeat(64) },
    ],
  };
  it.each(Object.entries(entries))('%s', (_name, [entry, expected, more]) => {
    const candidate = policy({}, { revocations: [entry] });
    expect(said(verdictOf({ ...allowed, ...more }, candidate))).toBe(expected);
  });

  it('one that may hit and one that does: revoked', () => {
    const candidate = policy({}, { revocations: [{ sub: 'ada' }, { sid: 's' }, { kid: 'k1' }, { jti: 'j2' }] });
    expect(said(verdictOf(allowed, candidate))).toBe('changed deny token_revoked');
  });
});
