/**
 * Promises: the syntax of a listening address: `HOST:PORT`, `[v6]:PORT` or `unix:/path`. The text is kept as it was typed.
 * Leaves to others: names and binding (server/).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type Parsed, unexpected } from './parse.ts';

/** Longest path of a unix socket that Linux binds (sun_path without its NUL). */
const maxSocketPathBytes = 107;

/** `_` because container platforms hand out such names. */
const hostPattern = /^\w(?:[\w.-]{0,251}\w)?$/;

export function listenAddress(text: string): Parsed<string> {
  const valid = text.startsWith('unix:') ? isSocketPath(text.slice('unix:'.length)) : isHostAndPort(text);
  return valid ? { value: text } : unexpected('HOST:PORT, [IPv6]:PORT or unix:/path', text);
}

/** Without unix sockets. */
export function tcpAddress(text: string): Parsed<string> {
  return isHostAndPort(text) ? { value: text } : unexpected('HOST:PORT or [IPv6]:PORT', text);
}

function isSocketPath(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= maxSocketPathBytes;
}

function isHostAndPort(text: string): boolean {
  const parts = /^(?<host>.+):(?<port>\d{1,5})$/.exec(text)?.groups;
  if (parts === undefined || Number(parts['port']) > 65_535) {
    return false;
  }
  const host = parts['host'] ?? '';
  if (host.startsWith('[') && host.endsWith(']')) {
    return isIPv6(host.slice(1, -1));
  }
  // Digits and dots that are no IPv4 address would be looked up as a name, and fail much later.
  return /^[\d.]+$/.test(host) ? isIPv4(host) : hostPattern.test(host);
}
