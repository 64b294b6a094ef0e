/**
 * Promises: one field line of a header section, judged once when it is made: those of a table come again with every request.
 */
export interface FieldName {
  /** One character a byte, like the value. */
  readonly name: string;
  readonly isNameSound: boolean;
  readonly isPseudo: boolean;
}

export interface Field extends FieldName {
  readonly value: string;
  /** What it counts in a table and in a list of fields (RFC 7541 section 4.1, RFC 9113 section 6.5.2). */
  readonly bytes: number;
  /** Allowed in a message (RFC 9113 sections 8.2 and 8.2.2); of a pseudo-header field, only the value is judged. */
  readonly isSound: boolean;
}

/** What belongs to a connection of HTTP/1. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const fieldName = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that section 8.2.1 forbids.
const forbiddenInValue = /[\0\r\n]|^[\t ]|[\t ]$/;
const overhead = 32;

export function createField(name: string, value: string): Field {
  const isNameSound = fieldName.test(name) && !hopByHop.has(name);
  return withValue({ name, isNameSound, isPseudo: name.startsWith(':') }, value);
}

/** The name is not judged again: two bytes of a block can stand for one of 4 KiB, and a block has room for thousands of them. */
export function withValue({ name, isNameSound, isPseudo }: FieldName, value: string): Field {
  const isSound = isNameSound && !forbiddenInValue.test(value) && (name !== 'te' || value.toLowerCase() === 'trailers');
  return { name, value, bytes: name.length + value.length + overhead, isSound, isNameSound, isPseudo };
}
