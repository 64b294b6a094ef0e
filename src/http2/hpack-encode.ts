/**
 * Promises: header blocks to send, made once (RFC 7541 section 6.2.2): without a table, so that each means the same on every connection.
 */

/** Index 8 of the static table. */
const status200 = 0x88;
const statusName = 0x08;

/** Names in lower case; names and values shorter than 127 bytes. */
export function encodeFields(status: number | undefined, fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Uint8Array[] = [];
  if (status === 200) parts.push(Uint8Array.of(status200));
  else if (status !== undefined) parts.push(Uint8Array.of(statusName), text(String(status)));
  for (const [name, value] of fields) parts.push(Uint8Array.of(0), text(name), text(value));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length >= 0x7f) throw new RangeError('a header text of our own is too long');
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}
