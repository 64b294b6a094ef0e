/**
 * Promises: the request of a case as a client sends it, and as Envoy 1.40 tells an authorizer of it in either header encoding.
 * Written from what Envoy does, not from what our reader expects.
 */
import { randomBytes } from 'node:crypto';
import type { RequestAttributes } from '../../src/decision/request.ts';
import type { CaseFile, Check } from './case-file.ts';
import { envoyCertificate, type ProofMaker } from './proofs.ts';
import type { TokenMaker } from './tokens.ts';

export type HeaderLine = readonly [name: string, value: string | Uint8Array];

/** What goes over the client's connection, spelled as it is. */
export interface ClientRequest {
  /** What Envoy calls it. */
  readonly id: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  /** What `<token>` stands for. */
  readonly token: string;
  /** `source.certificate` of Envoy; empty when the client shows none. */
  readonly certificate: string;
}

/** How Envoy encodes headers: `map` is its older default, `list` is `encode_raw_headers`. */
export type Encoding = 'map' | 'list';

const defaultHost = 'orders.example.com';

/** What makes a request of a check. */
export interface Makers {
  readonly tokens: TokenMaker;
  readonly proofs: ProofMaker;
}

export function clientRequest(file: CaseFile, check: Check, { tokens, proofs }: Makers): ClientRequest {
  const spec = check.token ?? file.token;
  const token = spec === 'none' ? '' : tokens.make(spec, proofs);
  const { method, path } = check.request;
  const host = check.host ?? ('host' in check.request ? check.request.host : undefined) ?? defaultHost;
  const credentials =
    check.authorization ?? (token === '' || check.scheme === 'none' ? [] : [`${check.scheme} <token>`]);
  const proof = check.proof && proofs.make(check.proof, { method, host, path, token });
  const lines: HeaderLine[] = [
    ...check.headers,
    ...credentials.map((value) => ['authorization', value] as const),
    ...Array.from({ length: check.proof?.count ?? 0 }, () => ['dpop', proof ?? ''] as const),
  ];
  return {
    id: String(randomBytes(8).readBigUInt64BE()),
    method,
    host,
    path: withToken(path, token),
    headers: lines.map(([name, value]) => [name, withToken(value, token)]),
    token,
    certificate: check.certificate === undefined ? '' : envoyCertificate(check.certificate),
  };
}

export function withToken<T extends string | Uint8Array>(value: T, token: string): string | T {
  return typeof value === 'string' ? value.replaceAll('<token>', token) : value;
}

/** Headers in the order of their names' first appearance: lower-case, several values apart, Authorization joined (EA-40). */
export function headersAtEnvoy({ headers }: ClientRequest): Map<string, Buffer[]> {
  const values = new Map<string, Buffer[]>();
  for (const [name, value] of headers) {
    const known = values.get(name.toLowerCase());
    if (known === undefined) values.set(name.toLowerCase(), [Buffer.from(value)]);
    else known.push(Buffer.from(value));
  }
  const credentials = values.get('authorization');
  if (credentials !== undefined) values.set('authorization', [joined(credentials)]);
  return values;
}

/** RequestAttributes with several values apart, as the list encoding gives them. */
export function requestAttributes(request: ClientRequest): RequestAttributes {
  const headers = headersAtEnvoy(request);
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return {
    id: request.id,
    method: latin1(request.method),
    host: latin1(request.host),
    path: latin1(request.path),
    certificate: request.certificate,
    headers: {
      values: (name) => (headers.get(name) ?? []).map((bytes) => (isUtf8(bytes) ? utf8.decode(bytes) : undefined)),
      underscoreNames: [...headers.keys()].filter((name) => name.includes('_')),
    },
  };
}

/** A CheckRequest as proto-loader takes it. */
export function checkRequest(request: ClientRequest, encoding: Encoding): object {
  const { id, method, path, host } = request;
  const headers = new Map([
    [':authority', [Buffer.from(host)]],
    [':method', [Buffer.from(method)]],
    [':path', [Buffer.from(path)]],
    [':scheme', [Buffer.from('http')]],
    ...headersAtEnvoy(request),
    ['x-forwarded-proto', [Buffer.from('http')]],
    ['x-request-id', [Buffer.from('5b5e6d6e-6f7c-4a0e-9d43-3b1f6a0e7c11')]],
  ]);
  const carried =
    encoding === 'map' ? { headers: headerMap(headers) } : { header_map: { headers: headerList(headers) } };
  return {
    attributes: {
      source: {
        address: { socket_address: { address: '10.0.0.7', port_value: 40312 } },
        certificate: request.certificate,
      },
      destination: { address: { socket_address: { address: '10.0.0.1', port_value: 8080 } } },
      request: {
        time: { seconds: 1_795_521_600, nanos: 5000 },
        http: { id, method, path, host, scheme: 'http', protocol: 'HTTP/1.1', ...carried },
      },
      metadata_context: {},
      route_metadata_context: {},
    },
  };
}

function headerList(headers: ReadonlyMap<string, Buffer[]>): object[] {
  return [...headers].flatMap(([key, values]) => values.map((value) => ({ key, raw_value: value })));
}

/** Duplicates joined without a space; bytes that are no UTF-8 replaced (EA-41). */
function headerMap(headers: ReadonlyMap<string, Buffer[]>): Record<string, string> {
  return Object.fromEntries([...headers].map(([key, values]) => [key, sanitized(joined(values))]));
}

function sanitized(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1').replaceAll(/[^\0-\x7f]/g, '!');
}

function joined(values: readonly Buffer[]): Buffer {
  return Buffer.from(values.flatMap((value, index) => (index === 0 ? [...value] : [0x2c, ...value])));
}

function isUtf8(bytes: Buffer): boolean {
  return bytes.equals(Buffer.from(bytes.toString('utf8')));
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
