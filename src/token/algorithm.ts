/**
 * Promises: one row for each signature algorithm that can ever be accepted (RFC 7518 section 3, RFC 8037, RFC 9864).
 * `none` and HS* have no row, so no configuration can allow them (ALG-01, ALG-05).
 */
interface AlgorithmRow {
  readonly kty: 'RSA' | 'EC' | 'OKP';
  /** The one curve that suits the algorithm (ALG-03). */
  readonly crv?: 'P-256' | 'P-384' | 'P-521' | 'Ed25519';
  /** Exact length of the signature, in bytes; absent for RSA, where it is the length of the modulus. */
  readonly signatureBytes?: number;
}

export const algorithms = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256', signatureBytes: 64 },
  ES384: { kty: 'EC', crv: 'P-384', signatureBytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', signatureBytes: 132 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
} as const satisfies Record<string, AlgorithmRow>;

export type Algorithm = keyof typeof algorithms;

/** The row of an algorithm with its optional columns. */
export function algorithmRow(algorithm: Algorithm): AlgorithmRow {
  return algorithms[algorithm];
}

export function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(algorithms, name);
}
