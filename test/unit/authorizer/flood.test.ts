/** Real signatures and a real event loop: what a flood of bad tokens does to those whose token is good and known. */
import { generateKeyPairSync } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { createTokenVerifier, type TokenRequest } from '../../../src/authorizer/token-verifier.ts';
import { createVerificationLane } from '../../../src/authorizer/verification-lane.ts';
import { Stop } from '../../../src/decision/step.ts';
import { createRevocations } from '../../../src/policy/revocation.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';
import { issuerOf } from '../../support/issuer.ts';

const now = 1_800_000_000;
const rule: Rule = {
  name: 'r',
  access: 'token',
  issuers: undefined,
  require: { scopes: [], anyScope: [], acr: [], maxAuthAgeSeconds: undefined, condition: undefined },
  headers: [],
  forwardToken: true,
  inject: undefined,
  mode: 'enforce',
};
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { kid: 'k1', algorithm: 'ES256', key: pair.publicKey } as const;
const issuer = issuerOf();
const snapshot = { issuers: new Map([[issuer.issuer, issuer]]), revocations: createRevocations([]) };
const flood = 3000;

async function sign(): Promise<string> {
  return new SignJWT({ iss: 'https://idp.test', sub: 'ada', aud: 'api', exp: now + 300 })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(pair.privateKey);
}

it('a flood of bad signatures: a known token is answered at once, bad ones in turn, those too many are overloaded', async () => {
  const lane = createVerificationLane({ now: () => performance.now(), nextTurn: (task) => void nextTurn(task) });
  const verify = createTokenVerifier(
    { resolveKeys: () => [key], introspect: () => new Stop('keys_unavailable'), lane, now: () => now * 1000 },
    { maxTokenBytes: 16_384, tokenCacheEntries: 100 },
  );
  const ask = (token: string) =>
    verify({ token, rule, snapshot: snapshot as unknown as PolicySnapshot, waitMs: 60_000 } satisfies TokenRequest);
  const good = await sign();
  const end = good.lastIndexOf('.') + 1;
  const badSignature = (index: number): string => Buffer.alloc(64, String(index)).toString('base64url');
  await ask(good);

  const bad = Array.from({ length: flood }, async (_, index) => ask(good.slice(0, end) + badSignature(index)));
  // Not later: in the very turn in which thousands wait.
  expect(ask(good)).toMatchObject({ cache: 'hit' });
  const reasons = (await Promise.all(bad)).map((answer) => ('stop' in answer ? answer.stop.reason : 'good'));
  const counts = Object.fromEntries(
    [...Map.groupBy(reasons, (reason) => reason)].map(([name, list]) => [name, list.length]),
  );
  expect(Object.keys(counts).toSorted()).toEqual(['overloaded', 'signature_invalid']);
  expect(counts['signature_invalid']).toBeGreaterThanOrEqual(1000);
  expect(counts['overloaded']).toBeGreaterThan(1000);
}, 60_000);
