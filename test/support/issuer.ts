/** An issuer with the defaults of interface section 2, for tests that need no document. */
import { type Algorithm, algorithms } from '../../src/token/algorithm.ts';
import type { Issuer } from '../../src/token/issuer.ts';

export function issuerOf(over: Partial<Issuer> = {}): Issuer {
  return {
    name: 'corp',
    issuer: 'https://idp.test',
    provider: 'generic',
    tenant: undefined,
    audiences: ['api'],
    clientIds: undefined,
    jwks: { kind: 'inline', keys: [] },
    ca: undefined,
    algorithms: new Set(Object.keys(algorithms) as Algorithm[]),
    scopeClaim: undefined,
    clockSkewSeconds: 30,
    maxLifetimeSeconds: undefined,
    requireSub: true,
    senderConstraint: 'none',
    dpop: { nonce: false, maxAgeSeconds: 60 },
    introspection: undefined,
    insecure: { allowHttp: false, anyHost: false },
    ...over,
  };
}
