import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/authorizer/authorize.ts';
import { uncheckedSender } from '../../../src/authorizer/sender.ts';
import { createUnsignedVerifier } from '../../../src/authorizer/token-verifier.ts';
import { Allow, type Decision } from '../../../src/decision/decision.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';
import { writeCheckResponse } from '../../../src/envoy/check-response.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { placeholderTokens } from '../../../src/token/oauth-client.ts';
import { decodeCheckResponse } from '../../support/proto-types.ts';

const nowMs = 1_800_000_000_000;

interface RuleFields {
  name: string;
  paths: string[];
  mode?: string;
  access?: string;
  require?: object | undefined;
  headers?: object | undefined;
}

function snapshotOf(rules: readonly RuleFields[]): PolicySnapshot | undefined {
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'corp', issuer: 'https://idp.test', audiences: ['api'] }],
    rules,
  };
  return compile(parseDocuments({ name: 'p', text: JSON.stringify(document) }).documents).snapshot;
}

function authorizerOf(snapshot: PolicySnapshot | undefined) {
  if (snapshot === undefined) throw new Error('the policy of this test is bad');
  const now = (): number => nowMs;
  const verify = createUnsignedVerifier(now, { maxTokenBytes: 16_384 });
  const checkSender = uncheckedSender;
  return createAuthorizer({ policy: () => snapshot, verify, checkSender, clientToken: placeholderTokens, now });
}

function tokenOf(scope: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = nowMs / 1000 + 60;
  return `${part({ alg: 'ES256' })}.${part({ iss: 'https://idp.test', aud: 'api', sub: 'ada', exp, scope })}.AA`;
}

function requestOf(path: string, authorization?: string): RequestAttributes {
  const values = (name: string): string[] =>
    name === 'authorization' && authorization !== undefined ? [authorization] : [];
  return { id: '', method: 'GET', host: 'h', path, certificate: '', headers: { values, underscoreNames: [] } };
}

const bearer = (scope: string): string => `Bearer ${tokenOf(scope)}`;
const shadowOf = ({ told }: Decision) => told.shadow;

describe('shadow rules', () => {
  const rules = [
    { name: 'now', paths: ['/a'], require: { scopes: ['read'] } },
    { name: 'next', paths: ['/a'], mode: 'shadow', require: { scopes: ['write'] } },
    { name: 'open', paths: ['/open'], access: 'public' },
    { name: 'shut', paths: ['/open'], mode: 'shadow', access: 'deny' },
    { name: 'opened', paths: ['/new'], mode: 'shadow', access: 'public' },
  ];

  const would = (rule: string, decision: string, reason: string): object[] => [{ rule, decision, reason }];
  const cases = {
    'allowed, and would be denied': {
      asked: requestOf('/a', bearer('read')),
      reason: 'allowed',
      shadow: would('next', 'deny', 'insufficient_scope'),
    },
    'denied, and would be allowed': {
      asked: requestOf('/a', bearer('write')),
      reason: 'insufficient_scope',
      shadow: would('next', 'allow', 'allowed'),
    },
    'public with credentials, and would be shut': {
      asked: requestOf('/open', bearer('read')),
      reason: 'allowed_public',
      shadow: would('shut', 'deny', 'rule_deny'),
    },
    'no rule, and would be public': {
      asked: requestOf('/new', bearer('read')),
      reason: 'no_rule',
      shadow: would('opened', 'allow', 'allowed_public'),
    },
    'no credentials: not asked': { asked: requestOf('/a'), reason: 'token_missing', shadow: [] },
    'a refused path: not asked': { asked: requestOf('/a//', bearer('read')), reason: 'request_malformed', shadow: [] },
  };

  it.each(Object.entries(cases))('%s', async (_name, { asked, reason, shadow }) => {
    const decision = await authorizerOf(snapshotOf(rules)).authorize(asked, 0);
    expect(decision.reason).toBe(reason);
    expect(shadowOf(decision)).toEqual(shadow);
  });

  it('a fault in a shadow rule: a verdict, and the decision stands', async () => {
    const snapshot = snapshotOf([
      { name: 'open', paths: ['/a'], access: 'public' },
      { name: 'next', paths: ['/a'], mode: 'shadow' },
    ]);
    const verify = (): never => {
      throw new Error('a bug');
    };
    const authorizer = createAuthorizer({
      policy: () => snapshot,
      verify,
      checkSender: uncheckedSender,
      clientToken: placeholderTokens,
      now: () => nowMs,
    });
    const decision = await authorizer.authorize(requestOf('/a', bearer('read')), 0);
    expect(decision.reason).toBe('allowed_public');
    expect(shadowOf(decision)).toEqual([{ rule: 'next', decision: 'deny', reason: 'internal_error' }]);
  });

  it('any policy, with and without its shadow rules: the same answer but for the metadata', async () => {
    const path = fc.constantFrom('/a', '/a/**', '/a/{x}', '/**', '/a/b');
    const require = fc.record({ scopes: fc.subarray(['read', 'write']) });
    const fields = fc.record(
      {
        paths: fc.tuple(path),
        mode: fc.constantFrom('enforce', 'shadow'),
        access: fc.constantFrom('public', 'deny'),
        require,
        headers: fc.constant({ 'x-user': 'sub' }),
      },
      { requiredKeys: ['paths', 'mode'] },
    );
    const policy = fc.array(fields, { minLength: 1, maxLength: 6 });
    const request = fc.tuple(
      fc.constantFrom('/a', '/a/b', '/a/c', '/c', '/a//'),
      fc.constantFrom(undefined, bearer('read'), bearer('read write'), 'Bearer x', 'Basic y'),
    );
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(policy, request, async (drafts, [target, authorization]) => {
        const rulesOf = drafts.map((draft, at) => {
          const isToken = draft.access === undefined;
          return { ...draft, name: `r${at}`, ...(isToken ? {} : { require: undefined, headers: undefined }) };
        });
        const [all, enforced] = [snapshotOf(rulesOf), snapshotOf(rulesOf.filter(({ mode }) => mode === 'enforce'))];
        fc.pre(all !== undefined && enforced !== undefined);
        compared += 1;
        const asked = requestOf(target, authorization);
        const withShadow = await authorizerOf(all).authorize(asked, 0);
        const without = await authorizerOf(enforced).authorize(asked, 0);
        const answers = [withShadow, without].map((decision) => {
          const { dynamic_metadata: _, ...answer } = decodeCheckResponse(writeCheckResponse(decision, asked));
          return { answer, rule: decision.told.rule, isAllow: Allow.isAllow(decision) };
        });
        expect(answers[0]).toEqual(answers[1]);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
