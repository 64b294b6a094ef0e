/** Keys, issuers and time for the tests of this folder. */
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import type { Algorithm } from '../../../src/token/algorithm.ts';
import type { Issuer } from '../../../src/token/issuer.ts';

export type Jwk = JsonWebKey & Record<string, unknown>;

export function ecJwk(kid?: string, namedCurve: 'P-256' | 'P-384' | 'P-521' = 'P-256'): Jwk {
  return withKid(generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }), kid);
}

export function okpJwk(kid?: string): Jwk {
  return withKid(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid);
}

export function rsaJwk(kid?: string, modulusLength = 2048): Jwk {
  return withKid(generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }), kid);
}

export function privateEcJwk(kid?: string): Jwk {
  return withKid(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid);
}

/** A point near the curve: the last bit of `y` is another one. */
export function offCurveJwk(kid?: string): Jwk {
  const jwk = ecJwk(kid);
  const y = Buffer.from(String(jwk['y']), 'base64url');
  y[31] = (y[31] ?? 0) ^ 1;
  return { ...jwk, y: y.toString('base64url') };
}

function withKid(jwk: JsonWebKey, kid: string | undefined): Jwk {
  return kid === undefined ? { ...jwk } : { ...jwk, kid };
}

export const everyAlgorithm: ReadonlySet<Algorithm> = new Set<Algorithm>([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);

export function issuerOf(name: string, changes: Partial<Issuer> = {}): Issuer {
  return {
    name,
    issuer: `https://${name}.test`,
    provider: 'generic',
    tenant: undefined,
    audiences: ['api'],
    clientIds: undefined,
    jwks: { kind: 'uri', uri: `https://${name}.test/jwks` },
    ca: undefined,
    algorithms: everyAlgorithm,
    scopeClaim: undefined,
    clockSkewSeconds: 30,
    maxLifetimeSeconds: undefined,
    requireSub: true,
    senderConstraint: 'none',
    dpop: { nonce: false, maxAgeSeconds: 60 },
    introspection: undefined,
    insecure: { allowHttp: false, anyHost: false },
    ...changes,
  };
}
