/**
 * Promises: an ECDSA signature as JOSE has it, two numbers of equal length one behind the other (RFC 7518 section 3.4), in the form that
 * OpenSSL takes by default: a SEQUENCE of two INTEGERs in DER (RFC 3279 section 2.2.3).
 */
const sequence = 0x30;
const integer = 0x02;
/** A length of one byte more than 127 has a byte before it that says so. */
const longLength = 0x81;

export function derSignature(signature: Uint8Array): Buffer {
  const half = signature.length / 2;
  const [r, s] = [number(signature, 0, half), number(signature, half, signature.length)];
  const length = r.length + s.length;
  return Buffer.concat([length > 127 ? Buffer.of(sequence, longLength, length) : Buffer.of(sequence, length), r, s]);
}

/** Without zeros in front, but with one where the first bit would make it negative. */
function number(bytes: Uint8Array, from: number, to: number): Buffer {
  let start = from;
  while (start < to - 1 && bytes[start] === 0) start += 1;
  const isNegative = (bytes[start] ?? 0) > 127;
  const content = bytes.subarray(start, to);
  const head = isNegative ? [integer, content.length + 1, 0] : [integer, content.length];
  return Buffer.concat([Buffer.from(head), content]);
}
