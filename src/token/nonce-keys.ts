/**
 * Promises: the keys of nonces that a file holds, or what is wrong with it in a few words without any of its text: one key a line, in hex or
 * base64 (of either alphabet), of 32 bytes or more. Empty lines do not count.
 */
import type { NonceKeys } from './dpop-nonce.ts';

const minBytes = 32;
/** The one that seals, and those that are on their way in or out. */
const maxKeys = 8;
const hex = /^(?:[0-9A-Fa-f]{2})+$/;
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

export function readNonceKeys(text: string): NonceKeys | string {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length > maxKeys) return `holds more than ${maxKeys} keys`;
  const keys: Uint8Array[] = [];
  for (const [index, line] of lines.entries()) {
    const key = readKey(line);
    if (typeof key === 'string') return `key ${index + 1} ${key}`;
    keys.push(key);
  }
  const [first, ...others] = keys;
  return first === undefined ? 'holds no key' : [first, ...others];
}

/** A line that could be either is hex: every replica reads it alike. */
function readKey(line: string): Buffer | string {
  if (!hex.test(line) && !base64.test(line)) return 'is neither hex nor base64';
  const key = Buffer.from(line, hex.test(line) ? 'hex' : 'base64');
  return key.length < minBytes ? `is shorter than ${minBytes} bytes` : key;
}
