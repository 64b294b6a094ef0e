/**
 * What is remembered never shows: one authorizer that has seen everything and one that has seen nothing give the same bytes, whatever
 * tokens, rules, policies, keys and moments follow each other.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/authorizer/authorize.ts';
import type { SenderCheck } from '../../../src/authorizer/sender.ts';
import { createTokenVerifier } from '../../../src/authorizer/token-verifier.ts';
import { directLane } from '../../../src/authorizer/verification-lane.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';
import { Stop } from '../../../src/decision/step.ts';
import { writeCheckResponse } from '../../../src/envoy/check-response.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import type { ResolveKeys, VerificationKey } from '../../../src/token/key.ts';
import { placeholderTokens } from '../../../src/token/oauth-client.ts';

const startMs = 1_800_000_000_000;
const startSeconds = startMs / 1000;

const keys: Record<'k1' | 'k2' | 'k1 again', VerificationKey>[] = [];
const tokens: string[] = [];

beforeAll(async () => {
  const pairs = [1, 2, 3].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const [one, two, three] = pairs.map(({ privateKey }) => privateKey);
  if (one === undefined || two === undefined || three === undefined) throw new Error('no keys');
  const keyOf = (kid: string, secret: KeyObject): VerificationKey => {
    return { kid, algorithm: 'ES256', key: createPublicKey(secret) };
  };
  keys.push({ k1: keyOf('k1', one), k2: keyOf('k2', two), 'k1 again': keyOf('k1', three) });
  const tokenOf = (secret: KeyObject, kid: string, claims: object): Promise<string> =>
    new SignJWT({ iss: 'https://corp.test', aud: 'api', sub: 'ada', jti: 'one', scope: 'read', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuedAt(startSeconds)
      .setExpirationTime(startSeconds + 300)
      .sign(secret);
  const good = await tokenOf(one, 'k1', {});
  tokens.push(
    good,
    await tokenOf(one, 'k1', { sub: 'bob', jti: 'two', scope: 'read write', client_id: 'web' }),
    await tokenOf(two, 'k2', { scope: 'read write' }),
    await tokenOf(two, 'k2', { iss: 'https://other.test', tenant: 't' }),
    await tokenOf(three, 'k1', { aud: ['api', 'second'], tenant: ['a', 'b'] }),
    `${good.slice(0, -8)}AAAAAAAA`,
  );
});

const headers = [
  undefined,
  { 'x-user-id': 'sub' },
  { 'x-user-id': 'client_id', 'x-tenant': 'tenant' },
  { 'x-user-id': null },
];
const choice = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const ruleFields = {
  forwardToken: choice(undefined, false),
  issuers: choice(undefined, ['corp'], ['other']),
  headers: choice(...headers),
  require: choice(undefined, { scopes: ['write'] }, { scopes: ['read'] }),
};

const policies = fc.record({
  audience: choice('api', 'second'),
  defaultHeaders: choice(undefined, { 'x-user-id': 'sub' }, { 'x-user-id': 'jti', 'x-tenant': 'tenant' }),
  a: fc.record(ruleFields),
  b: fc.record(ruleFields),
  shadow: choice(undefined, { require: { scopes: ['write'] } }, { access: 'deny' }),
  revocations: choice(undefined, [{ issuer: 'corp', jti: 'one' }], [{ issuer: 'corp', kid: 'k2' }]),
});
type PolicyFields = typeof policies extends fc.Arbitrary<infer T> ? T : never;

const firstPolicy: PolicyFields = {
  audience: 'api',
  defaultHeaders: { 'x-user-id': 'sub' },
  a: { forwardToken: undefined, issuers: undefined, headers: undefined, require: undefined },
  b: { forwardToken: false, issuers: undefined, headers: undefined, require: undefined },
  shadow: { require: { scopes: ['write'] } },
  revocations: undefined,
};

function compiled(fields: PolicyFields, previous?: PolicySnapshot): PolicySnapshot {
  const document = {
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: ['corp', 'other'].map((name) => ({ name, issuer: `https://${name}.test`, audiences: [fields.audience] })),
    defaults: { headers: fields.defaultHeaders },
    rules: [
      { name: 'a', paths: ['/a/{id}'], ...fields.a },
      { name: 'b', paths: ['/b'], ...fields.b },
      { name: 'open', paths: ['/open'], access: 'public' },
      ...(fields.shadow === undefined ? [] : [{ name: 'next', paths: ['/a/1'], mode: 'shadow', ...fields.shadow }]),
    ],
    revocations: fields.revocations,
  };
  const { snapshot, problems } = compile(
    parseDocuments({ name: 'p', text: JSON.stringify(document) }).documents,
    previous,
  );
  if (snapshot === undefined) throw new Error(`the policy of this test is bad: ${JSON.stringify(problems)}`);
  return snapshot;
}

/** `mark`: a header of the client with an underscore; `nonce`: of the sender check. */
const asks = fc.record({
  path: choice('/a/1', '/a/1', '/a/2', '/a/2', '/b', '/b', '/open', '/none'),
  token: choice(0, 0, 0, 0, 1, 1, 2, 3, 4, 5),
  mark: choice(undefined, undefined, 'x_user_id', 'x_tenant', 'x_other'),
  nonce: choice(undefined, undefined, undefined, 'n1', 'n2'),
  times: fc.integer({ min: 1, max: 3 }),
});
const steps = fc.oneof(
  { weight: 12, arbitrary: fc.record({ ask: asks }) },
  { weight: 2, arbitrary: fc.record({ policy: policies }) },
  {
    weight: 1,
    arbitrary: fc.record({
      published: fc.subarray<keyof (typeof keys)[0]>(['k1', 'k2', 'k1 again']),
      isLate: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ laterMs: choice(1, 1000, 60_000, 330_001) }) },
);

interface World {
  nowMs: number;
  nonce: string | undefined;
  published: readonly (keyof (typeof keys)[0])[];
  isLate: boolean;
}

function authorizerIn(world: World, policy: () => PolicySnapshot, tokenCacheEntries: number) {
  const now = (): number => world.nowMs;
  const resolveKeys: ResolveKeys = (_, { kid }) => {
    const found = world.published.flatMap((name) => keys[0]?.[name] ?? []).filter((key) => key.kid === kid);
    const answer = found.length === 0 ? new Stop('key_unknown') : found;
    return world.isLate ? Promise.resolve(answer) : answer;
  };
  const checkSender: SenderCheck = () => ({ stop: undefined, nonce: world.nonce });
  const introspect = (): Stop => new Stop('keys_unavailable');
  const ports = { resolveKeys, introspect, lane: directLane, now };
  const verify = createTokenVerifier(ports, { maxTokenBytes: 16_384, tokenCacheEntries });
  return createAuthorizer({ policy, verify, checkSender, clientToken: placeholderTokens, now });
}

function requestOf(path: string, token: string, mark: string | undefined): RequestAttributes {
  const values = (name: string): string[] => (name === 'authorization' ? [`Bearer ${token}`] : []);
  const underscoreNames = mark === undefined ? [] : [mark];
  return { id: '', method: 'GET', host: 'h', path, certificate: '', headers: { values, underscoreNames } };
}

describe('what an authorizer remembers', () => {
  it.each([2, 1000])('room for %i tokens: never shows in an answer', async (tokenCacheEntries) => {
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 60 }), async (script) => {
        const world: World = { nowMs: startMs, nonce: undefined, published: ['k1', 'k2', 'k1 again'], isLate: false };
        let current = compiled(firstPolicy);
        let untouched = compiled(firstPolicy);
        const old = authorizerIn(world, () => current, tokenCacheEntries);
        for (const step of script) {
          if ('policy' in step) {
            current = compiled(step.policy, current);
            untouched = compiled(step.policy);
          } else if ('ask' in step) {
            const { path, token, mark, nonce, times } = step.ask;
            world.nonce = nonce;
            for (let time = 0; time < times; time += 1) {
              const request = requestOf(path, tokens[token] ?? '', mark);
              const remembered = await old.authorize(request, 100);
              const fresh = await authorizerIn(world, () => untouched, 0).authorize(request, 100);
              reasons.add(remembered.reason);
              expect(Buffer.from(writeCheckResponse(remembered, request)).toString('latin1')).toBe(
                Buffer.from(writeCheckResponse(fresh, request)).toString('latin1'),
              );
            }
          } else if ('published' in step) {
            Object.assign(world, step);
          } else {
            world.nowMs += step.laterMs;
          }
        }
      }),
      { numRuns: 60 },
    );
    const all = ['allowed', 'token_expired', 'token_revoked', 'key_unknown', 'audience_mismatch', 'issuer_untrusted'];
    expect([...reasons]).toEqual(expect.arrayContaining(all));
  });
});
