/**
 * Promises: an issuer of the benchmark, whose keys stand in the policy, and tokens of it in files: one that is hot, many that differ.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;
export type BenchAlgorithm = (typeof algorithms)[number];

export interface BenchTokens {
  readonly keys: readonly JWK[];
  /** A file of `count` tokens, one a line. */
  file(algorithm: BenchAlgorithm, count: number): Promise<string>;
}

const issuer = 'https://idp.bench.test';

export async function createTokens(folder: string): Promise<BenchTokens> {
  const pairs = new Map(
    await Promise.all(algorithms.map(async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const)),
  );
  const keys = await Promise.all(
    [...pairs].map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' })),
  );
  let made = 0;
  async function token(alg: BenchAlgorithm): Promise<string> {
    const pair = pairs.get(alg);
    if (pair === undefined) throw new Error(alg);
    made += 1;
    return new SignJWT({ scope: 'orders:read profile', client_id: 'web', jti: `jti-${made}`, sid: `session-${made}` })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid: alg })
      .setIssuer(issuer)
      .setAudience('https://api.bench.test')
      .setSubject(`user-${made}`)
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(pair.privateKey);
  }
  return {
    keys,
    file: async (algorithm, count) => {
      const path = join(folder, `${algorithm}-${count}-${made}.txt`);
      const lines: string[] = [];
      while (lines.length < count) lines.push(await token(algorithm));
      writeFileSync(path, `${lines.join('\n')}\n`);
      return path;
    },
  };
}

/** A policy of `rules` rules, of which the one that is asked for is the last. */
export function policyText(keys: readonly JWK[], rules: number): string {
  const headers = { 'x-user-id': 'sub', 'x-client-id': 'client_id', 'x-scopes': 'scope' };
  const others = Array.from({ length: rules - 1 }, (_, index) => ({
    name: `rule-${index}`,
    paths: [`/service-${index}/items/{id}`],
    methods: ['GET'],
    require: { scopes: ['orders:read'] },
  }));
  return JSON.stringify({
    apiVersion: 'scopegate.dev/v1',
    kind: 'Policy',
    issuers: [{ name: 'bench', issuer, audiences: ['https://api.bench.test'], jwks: { inline: { keys } } }],
    rules: [
      ...others,
      { name: 'orders', paths: ['/api/orders/{id}'], methods: ['GET'], require: { scopes: ['orders:read'] }, headers },
    ],
  });
}
