/** The first door: cases through authorize(), without a socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Allow, type Decision, type Deny } from '../src/decision/decision.ts';
import { loadCaseFiles, parseCaseFile } from './support/case-file.ts';
import { type Answer, differences, isGrpc } from './support/doors.ts';
import { createSubject, type Subject } from './support/doors-subject.ts';
import { type ClientRequest, headersAtEnvoy, requestAttributes } from './support/request-maker.ts';

const files = loadCaseFiles();

describe.each(files)('$name: $about', (file) => {
  let subject: Subject;
  beforeAll(() => {
    subject = createSubject(file);
  });
  afterAll(() => {
    subject.stop();
  });

  it.each(file.checks.filter(({ doors }) => doors.includes('function')))('$name', async (check) => {
    const request = await subject.request(check);
    const decision = await subject.authorizer.authorize(requestAttributes(request), 5000);
    expect(differences(check, request, functionAnswer(request, decision))).toEqual([]);
  });
});

describe('the case files', () => {
  it('are many, and some of them allow', () => {
    const checks = files.flatMap((file) => file.checks);
    expect(checks.length).toBeGreaterThan(600);
    expect(checks.filter((check) => check.expect.decision === 'allow').length).toBeGreaterThan(200);
  });

  it('name every reason of the contract that this version can give', () => {
    const named = new Set(files.flatMap((file) => file.checks.flatMap((check) => check.expect.reason)));
    expect(reasons.filter((reason) => !named.has(reason))).toEqual([]);
  });

  const check = 'name: EA-01 x, request: GET /, expect: allow';
  const mistakes: Record<string, [text: string, complaint: string]> = {
    'a field of no meaning: refused': [`about: a\npolicy: none\nchecks: [{ ${check}, tokn: none }]`, 'tokn'],
    'a field of no meaning in a token: refused': [
      `about: a\npolicy: none\nchecks: [{ ${check}, token: { claim: {} } }]`,
      'claim',
    ],
    'a name without requirement: refused': [
      'about: a\npolicy: none\nchecks: [{ name: x, request: GET /, expect: allow }]',
      'requirement ids',
    ],
    'an expectation of no meaning: refused': [
      `about: a\npolicy: none\nchecks: [{ ${check.replace('allow', 'alow')} }]`,
      'expect',
    ],
    'two checks of one name: refused': [`about: a\npolicy: none\nchecks: [{ ${check} }, { ${check} }]`, 'two checks'],
    'no checks: refused': ['about: a\npolicy: none\nchecks: []', 'checks'],
  };
  it.each(Object.entries(mistakes))('%s', (_name, [text, complaint]) => {
    expect(() => parseCaseFile('x.yaml', text)).toThrow(complaint);
  });
});

const reasons = `
  allowed allowed_public request_malformed no_rule rule_deny token_missing credentials_malformed token_malformed
  token_too_large issuer_untrusted algorithm_not_allowed key_unknown signature_invalid token_expired
  token_not_yet_valid token_lifetime_exceeded audience_mismatch token_type_refused claim_invalid client_not_allowed
  sender_constraint_failed dpop_proof_invalid dpop_nonce_required insufficient_scope insufficient_user_authentication claim_header_refused keys_unavailable
  policy_unavailable resource_metadata
`
  .trim()
  .split(/\s+/);

function functionAnswer(request: ClientRequest, decision: Decision): Answer {
  const { reason, told } = decision;
  const common = { reason, rule: told.rule ?? null };
  if (Allow.isAllow(decision)) return { ...common, decision: 'allow', upstream: mutated(request, decision) };
  if (isDeny(decision)) {
    // What a gRPC caller is told instead of 400 is the wire's business (EA-32).
    const status = isGrpc(request) && decision.status === 400 ? undefined : decision.status;
    return { ...common, decision: 'deny', status, challenges: decision.challenges };
  }
  return { ...common, decision: 'answer', status: 200, body: decision.body };
}

function isDeny(decision: Exclude<Decision, Allow>): decision is Deny {
  return decision.reason !== 'resource_metadata';
}

function mutated(request: ClientRequest, allow: Allow): Map<string, string[]> {
  const headers = new Map([...headersAtEnvoy(request)].map(([name, values]) => [name, values.map(String)]));
  for (const [name, value] of allow.setHeaders) headers.set(name, [value]);
  for (const name of allow.removeHeaders) headers.delete(name.toLowerCase());
  return headers;
}
