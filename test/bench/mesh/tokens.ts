/**
 * Promises: an issuer of the benchmark, whose keys stand in the policy, with tokens of it: one that is hot, many that differ; and nothing
 * but the verification of their signatures, as the least that a token can cost which is seen for the first time.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;
export type BenchAlgorithm = (typeof algorithms)[number];

export interface Signed {
  readonly message: Buffer;
  readonly signature: Buffer;
}

/** node:crypto, and nothing else. */
export interface BareVerifier {
  parts(token: string): Signed;
  verify(signed: Signed): void;
}

export interface BenchTokens {
  readonly keys: readonly JWK[];
  make(algorithm: BenchAlgorithm, count: number): Promise<readonly string[]>;
  verifier(algorithm: BenchAlgorithm): BareVerifier;
}

const issuer = 'https://idp.bench.test';

export async function createTokens(): Promise<BenchTokens> {
  const pairs = new Map(
    await Promise.all(algorithms.map(async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const)),
  );
  const pairOf = (alg: BenchAlgorithm) => pairs.get(alg) ?? missing(alg);
  const keys = await Promise.all(
    algorithms.map(async (alg) => Object.assign(await exportJWK(pairOf(alg).publicKey), { kid: alg, alg, use: 'sig' })),
  );
  let made = 0;
  async function token(alg: BenchAlgorithm): Promise<string> {
    made += 1;
    return new SignJWT({ scope: 'orders:read profile', client_id: 'web', jti: `jti-${made}`, sid: `session-${made}` })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid: alg })
      .setIssuer(issuer)
      .setAudience('https://api.bench.test')
      .setSubject(`user-${made}`)
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(pairOf(alg).privateKey);
  }
  return {
    keys,
    make: async (algorithm, count) => {
      const tokens: string[] = [];
      while (tokens.length < count) tokens.push(await token(algorithm));
      return tokens;
    },
    verifier: (algorithm) => {
      const jwk = keys.find(({ alg }) => alg === algorithm) ?? missing(algorithm);
      return bareVerifier(algorithm, createPublicKey({ key: jwk, format: 'jwk' }));
    },
  };
}

function missing(what: string): never {
  throw new Error(`no key for ${what}`);
}

function bareVerifier(algorithm: BenchAlgorithm, key: KeyObject): BareVerifier {
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  const input = algorithm === 'ES256' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
  return {
    parts: (token) => {
      const end = token.lastIndexOf('.');
      return { message: Buffer.from(token.slice(0, end)), signature: Buffer.from(token.slice(end + 1), 'base64url') };
    },
    verify: ({ message, signature }) => {
      if (!verify(digest, message, input, signature)) throw new Error('a signature that is good was not found good');
    },
  };
}

/** A policy of `rules` rules, of which the one that is asked for is the last. */
export function policyText(keys: readonly JWK[] | string, rules: number): string {
  const headers = { 'x-user-id': 'sub', 'x-client-id': 'client_id', 'x-scopes': 'scope' };
  const others = Array.from({ length: rules - 1 }, (_, index) => ({
    name: `rule-${index}`,
    paths: [`/service-${index}/items/{id}`],
    methods: ['GET'],
    require: { scopes: ['orders:read'] },
  }));
  const source =
    typeof keys === 'string' ? { jwks: { uri: keys }, insecure: { allowHttp: true } } : { jwks: { inline: { keys } } };
  return JSON.stringify({
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'bench', issuer, audiences: ['https://api.bench.test'], ...source }],
    rules: [
      ...others,
      { name: 'orders', paths: ['/api/orders/{id}'], methods: ['GET'], require: { scopes: ['orders:read'] }, headers },
    ],
  });
}
