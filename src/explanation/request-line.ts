/**
 * Promises: a request as it is typed, `METHOD URL` and `name: value`, as the attributes that Envoy would send of it; or what is wrong with
 * it. What a rule or a check may refuse is kept as it is.
 */
import type { RequestAttributes } from '../decision/request.ts';

export interface RequestLine {
  readonly method: string;
  readonly host: string;
  /** Path and query. */
  readonly target: string;
}

/** Lower-case name and value. */
export type HeaderLine = readonly [name: string, value: string];

/** A text is what is wrong. */
export function parseRequestLine(text: string): RequestLine | string {
  const [, method, host, target] = /^\s*(\S+)\s+https?:\/\/([^\s/?#]+)(.*?)\s*$/is.exec(text) ?? [];
  if (method === undefined || host === undefined || target === undefined) {
    return 'expected a method and an http or https URL, such as "GET https://orders.example.com/api/orders"';
  }
  if (target.includes('#')) return 'no client sends the fragment of a URL; write %23';
  return { method, host, target: target.startsWith('/') ? target : `/${target}` };
}

/** A text is what is wrong; it does not repeat a value, which may be a secret. */
export function parseHeaderLine(text: string): HeaderLine | string {
  const [, name, value] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:(.*)$/s.exec(text) ?? [];
  return name === undefined || value === undefined ? 'expected "name: value"' : [name.toLowerCase(), value.trim()];
}

export function requestAttributes(line: RequestLine, headers: readonly HeaderLine[]): RequestAttributes {
  const values = (name: string): readonly string[] => {
    const sent = headers.filter(([other]) => other === name).map(([, value]) => value);
    // EA-40: Envoy joins this one before it asks.
    return name === 'authorization' && sent.length > 1 ? [sent.join(',')] : sent;
  };
  const names = new Set(headers.map(([name]) => name));
  return {
    id: '',
    method: bytes(line.method),
    host: bytes(line.host),
    path: bytes(line.target),
    headers: { values, underscoreNames: [...names].filter((name) => name.includes('_')) },
    certificate: '',
  };
}

/** One character for each byte of UTF-8, as the reader of Envoy's message gives them. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}
