import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTokenVerifier, type TokenRequest } from '../../../src/authorizer/token-verifier.ts';
import { directLane } from '../../../src/authorizer/verification-lane.ts';
import { Stop } from '../../../src/decision/step.ts';
import { createRevocations } from '../../../src/policy/revocation.ts';
import type { PolicySnapshot, Rule } from '../../../src/policy/snapshot.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import type { ResolveKeys, VerificationKey } from '../../../src/token/key.ts';
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

let privateKey: KeyObject;
let key: VerificationKey;
let token: string;

beforeAll(async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  privateKey = pair.privateKey;
  key = { kid: 'k1', algorithm: 'ES256', key: pair.publicKey };
  token = await new SignJWT({ iss: 'https://idp.test', sub: 'ada', aud: 'api', exp: now + 300 })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(privateKey);
});

function setUp(entries = 100) {
  const state = { nowMs: now * 1000, keys: (): ReturnType<ResolveKeys> => [key] };
  const ports = { resolveKeys: () => state.keys(), now: () => state.nowMs };
  const verify = createTokenVerifier(
    { ...ports, introspect: () => new Stop('keys_unavailable'), lane: directLane },
    { maxTokenBytes: 16_384, tokenCacheEntries: entries },
  );
  const corp = issuerOf();
  const askWhole = (over: Partial<TokenRequest> = {}, issuer: Issuer = corp) => {
    const issuers = new Map([[issuer.issuer, issuer]]);
    const snapshot = { issuers, revocations: createRevocations([]) } as unknown as PolicySnapshot;
    return verify({ token, rule, snapshot, waitMs: 100, ...over });
  };
  const ask = async (over?: Partial<TokenRequest>, issuer?: Issuer) => {
    const result = await askWhole(over, issuer);
    return `${'stop' in result ? result.stop.reason : 'good'} ${result.cache}`;
  };
  return { ask, askWhole, state };
}

describe('createTokenVerifier', () => {
  it('the same token again: remembered', async () => {
    const { ask } = setUp();
    expect([await ask(), await ask()]).toEqual(['good miss', 'good hit']);
  });

  it('JWT-03 a remembered token past exp and skew: token_expired', async () => {
    const { ask, state } = setUp();
    await ask();
    state.nowMs += 329_999;
    expect(await ask()).toBe('good hit');
    state.nowMs += 1;
    expect(await ask()).toBe('token_expired hit');
  });

  it('JWK-09 the key of a remembered token is gone: key_unknown', async () => {
    const { ask, state } = setUp();
    await ask();
    state.keys = () => new Stop('key_unknown');
    expect(await ask()).toBe('key_unknown hit');
  });

  it('JWK-09 another key under the same kid: the signature is checked again, and invalid', async () => {
    const { ask, state } = setUp();
    await ask();
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    state.keys = () => [{ ...key, key: publicKey }];
    expect(await ask()).toBe('signature_invalid miss');
  });

  it('JWK-09 the key of a remembered token is gone: nobody is named as its caller, as if it were new', async () => {
    const { ask, askWhole, state } = setUp();
    await ask();
    state.keys = () => new Stop('key_unknown');
    expect(await askWhole()).toMatchObject({ cache: 'hit', token: undefined });
  });

  it('keys past their limit: keys_unavailable for a remembered token too', async () => {
    const { ask, state } = setUp();
    await ask();
    state.keys = () => Promise.resolve(new Stop('keys_unavailable'));
    expect(await ask()).toBe('keys_unavailable hit');
  });

  it('a policy that does not list the issuer for the rule: issuer_untrusted for a remembered token too', async () => {
    const { ask } = setUp();
    await ask();
    expect(await ask({ rule: { ...rule, issuers: new Set(['other']) } })).toBe('issuer_untrusted hit');
  });

  it('a policy with other audiences: verified again, audience_mismatch', async () => {
    const { ask } = setUp();
    await ask();
    expect(await ask({}, issuerOf({ audiences: ['other'] }))).toBe('audience_mismatch miss');
  });

  it('a policy without the issuer: issuer_untrusted', async () => {
    const { ask } = setUp();
    await ask();
    expect(await ask({}, issuerOf({ issuer: 'https://other.test' }))).toBe('issuer_untrusted undefined');
  });

  it('no cache: verified each time', async () => {
    const { ask } = setUp(0);
    expect([await ask(), await ask()]).toEqual(['good miss', 'good miss']);
  });

  it('a token over the limit: token_too_large, whatever it is', async () => {
    const { ask } = setUp();
    expect(await ask({ token: 'a'.repeat(16_385) })).toBe('token_too_large undefined');
  });
});
