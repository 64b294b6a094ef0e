/**
 * Promises: bytes of a file as text, or nothing. Replacing bad bytes would let two spellings become one.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Without a byte order mark; undefined when the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
