import { describe, expect, it } from 'vitest';
import { createGrants, type GrantRequest } from '../../../src/authorizer/grant.ts';
import { Allow, type Changes } from '../../../src/decision/decision.ts';
import type { RequestHeaders } from '../../../src/decision/request.ts';
import { writeCheckResponse } from '../../../src/envoy/check-response.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';
import type { VerifiedToken } from '../../../src/token/verify.ts';

function policy(header: string): PolicySnapshot {
  const issuers = [{ name: 'corp', issuer: 'https://idp.test', audiences: ['api'] }];
  const rule = (name: string) => ({
    name,
    paths: [`/${name}`],
    headers: { [header]: 'sub' },
    require: { scopes: ['a'] },
  });
  const content = { apiVersion: 'scopegate.dev/v1', kind: 'Policy', issuers, rules: [rule('one'), rule('two')] };
  const { snapshot } = compile(parseDocuments({ name: 'policy', text: JSON.stringify(content) }).documents);
  if (snapshot === undefined) throw new Error('not a good policy');
  return snapshot;
}

const before = policy('x-user-id');
const after = policy('x-caller');

function ruleOf({ rules }: PolicySnapshot, name: string): Rule {
  const found = rules.find((rule) => rule.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

function tokenOf(subject: string): VerifiedToken {
  const [issuer] = before.issuers.values();
  if (issuer === undefined) throw new Error('no issuer');
  const claims = { subject, clientId: undefined, scopes: ['a'], audiences: ['api'], expiresAt: 1 };
  const rest = { jti: undefined, notBefore: undefined, issuedAt: undefined, acr: undefined };
  return {
    issuer,
    key: undefined,
    kid: undefined,
    raw: { sub: subject },
    claims: { ...claims, ...rest, authenticatedAt: undefined, confirmation: undefined },
  };
}

const noHeaders: RequestHeaders = { values: () => [], underscoreNames: [] };
const ada = tokenOf('ada');
const adaHeaders = [['x-user-id', 'ada']] as const;
const request: GrantRequest = {
  token: ada,
  rule: ruleOf(before, 'one'),
  snapshot: before,
  headers: noHeaders,
  setHeaders: adaHeaders,
  nonce: undefined,
};

function bytesOf(changes: Changes, shadow: Allow['told']['shadow'] = []): Uint8Array {
  const told = { policy: 'p', rule: 'r', path: '/', host: 'h', caller: undefined, tokenCache: undefined, shadow };
  return writeCheckResponse(new Allow('allowed', told, changes), undefined);
}

describe('createGrants', () => {
  it('the same token, rule and policy: the same changes, whose bytes are kept from the second time on', () => {
    const find = createGrants();
    const answers = Array.from({ length: 4 }, () => bytesOf(find(request)));
    const [first, , third, fourth] = answers;
    expect(find(request)).toBe(find(request));
    expect(new Set(answers.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    expect([third === first, fourth === third]).toEqual([false, true]);
  });

  const others: Readonly<Record<string, Partial<GrantRequest>>> = {
    'another token': { token: tokenOf('eve') },
    'another rule': { rule: ruleOf(before, 'two') },
    'another policy': { snapshot: after },
    'other headers to set': { setHeaders: [['x-user-id', 'ada']] },
    'a header with an underscore': { headers: { ...noHeaders, underscoreNames: ['x_user_id'] } },
    'a nonce': { nonce: 'n' },
    'no token': { token: undefined },
  };

  it.each(Object.entries(others))('%s: changes of its own, and no bytes of another answer', (_name, other) => {
    const find = createGrants();
    for (let turn = 0; turn < 3; turn += 1) bytesOf(find(request));
    const changes = find({ ...request, ...other });
    expect(changes).not.toBe(find(request));
    expect(changes.encoding?.bytes).toBeUndefined();
  });

  it('another policy, and the first one again: made again each time', () => {
    const find = createGrants();
    const first = find(request);
    find({ ...request, snapshot: after });
    expect(find(request)).not.toBe(first);
  });

  it('another policy: what it can set is removed', () => {
    const find = createGrants();
    find(request);
    const { removeHeaders } = find({ ...request, snapshot: after });
    expect(removeHeaders).toContain('x-caller');
  });

  it('EA-13 a spelling that came with an underscore: removed, though others with that token had none', () => {
    const find = createGrants();
    find(request);
    const { removeHeaders } = find({ ...request, headers: { ...noHeaders, underscoreNames: ['x_user_id'] } });
    expect(removeHeaders).toContain('x_user_id');
  });

  it('the verdict of a shadow rule: in the answer, and in no later one', () => {
    const find = createGrants();
    for (let turn = 0; turn < 3; turn += 1) bytesOf(find(request));
    const plain = bytesOf(find(request));
    const verdict = { rule: 's', decision: 'deny', reason: 'token_expired' } as const;
    expect(bytesOf(find(request), [verdict]).length).toBeGreaterThan(plain.length);
    expect(bytesOf(find(request))).toBe(plain);
  });
});
