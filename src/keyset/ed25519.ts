/**
 * Promises: whether 32 bytes are the encoding of a point of the curve of Ed25519 (RFC 8032 section 5.1.3). The import of such a key
 * checks only its length, so an off-curve key would pass for one that never verifies (BCP-04).
 */
const p = 2n ** 255n - 19n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

export function isPointOfEd25519(encoded: Buffer): boolean {
  if (encoded.length !== 32) return false;
  const bigEndian = Buffer.from(encoded.toReversed());
  // The top bit is the sign of x; the rest is y.
  const y = BigInt(`0x${bigEndian.toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= p) return false;
  const ySquared = (y * y) % p;
  // x² is a quotient of these two; their product is a square exactly when the quotient is, and needs no inverse.
  const product = ((ySquared - 1n) * (d * ySquared + 1n)) % p;
  return product === 0n || power(product, (p - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % p) {
    if (rest & 1n) result = (result * square) % p;
  }
  return result;
}
