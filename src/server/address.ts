/**
 * Promises: the text of a listening address becomes a host and port or a socket path, or one line that says what is wrong with it.
 * Leaves to others: resolving host names and binding (listen.ts).
 */
import { isIPv4, isIPv6 } from 'node:net';

export type Address =
  /** `host` without brackets; port 0 stands for any free port. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Absolute path of a unix domain socket. */
  | { readonly kind: 'unix'; readonly path: string };

/** `sun_path` of Linux holds 108 bytes with its final NUL; a longer path would be cut by the kernel's interface. */
const maxSocketPathBytes = 107;

/** Labels of letters, digits and inner hyphens (RFC 1123 section 2.1); `_` because container platforms hand out such names. */
const hostName =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `unix:/path`; a string is what is wrong with the text, without the text itself. */
export function parseAddress(text: string): Address | string {
  return text.startsWith('unix:') ? parseSocketPath(text.slice('unix:'.length)) : parseHostAndPort(text);
}

/** The spelling that `parseAddress` reads back. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') {
    return `unix:${address.path}`;
  }
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function parseSocketPath(text: string): Address | string {
  // gRPC's own spelling of an absolute path is `unix:///path`.
  const path = text.replace(/^\/\/\//, '/');
  if (!/^\/(?!\/)/.test(path)) {
    return 'the path of a unix socket must be absolute: unix:/path';
  }
  if (path.endsWith('/') || path.includes('\0')) {
    return 'the path of a unix socket must name a file';
  }
  return Buffer.byteLength(path) > maxSocketPathBytes
    ? `the path of a unix socket must not be longer than ${maxSocketPathBytes} bytes`
    : { kind: 'unix', path };
}

function parseHostAndPort(text: string): Address | string {
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.endsWith(']')) {
    return 'the port is missing: HOST:PORT';
  }
  const port = parsePort(text.slice(colon + 1));
  if (port === undefined) {
    return 'the port must be a number from 0 to 65535';
  }
  const host = parseHost(text.slice(0, colon));
  return host.ok ? { kind: 'tcp', host: host.host, port } : host.problem;
}

function parsePort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
  return port !== undefined && port <= 65_535 ? port : undefined;
}

type Host = { readonly ok: true; readonly host: string } | { readonly ok: false; readonly problem: string };

function parseHost(text: string): Host {
  if (text === '') {
    // Every interface must be asked for by name: an authorizer that listens wider than meant answers whoever can reach it.
    return {
      ok: false,
      problem: 'the host is missing: 127.0.0.1:PORT for this machine only, [::]:PORT for every interface',
    };
  }
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) {
    return isIPv6(bracketed)
      ? { ok: true, host: bracketed }
      : { ok: false, problem: 'there is no IPv6 address between the brackets' };
  }
  if (text.includes(':')) {
    return { ok: false, problem: 'an IPv6 address is written in brackets: [::1]:PORT' };
  }
  // Digits and dots that are no IPv4 address are a mistyped one, never a name to look up.
  const isHost = /^[0-9.]+$/.test(text) ? isIPv4(text) : hostName.test(text);
  return isHost
    ? { ok: true, host: text }
    : { ok: false, problem: 'the host is neither an IP address nor a host name' };
}
