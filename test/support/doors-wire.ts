/**
 * Promises: cases over a real socket, encoded and decoded by a codec that is not ours (proto-loader), with all that must hold for every
 * CheckResponse whatever the case.
 */
import { Client, credentials } from '@grpc/grpc-js';
import type { Answer } from './doors.ts';
import { type CheckResponse, decodeCheckResponse, encodeCheckRequest, type HeaderValueOption } from './proto-types.ts';
import { type ClientRequest, checkRequest, type Encoding, headersAtEnvoy } from './request-maker.ts';

export class WireClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** The raw answer to a request in one encoding. Rejects when the RPC fails, which no case may bring about (EA-02). */
  ask(request: ClientRequest, encoding: Encoding): Promise<Buffer> {
    const path = '/envoy.service.auth.v3.Authorization/Check';
    const message = encodeCheckRequest(checkRequest(request, encoding));
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 10_000 };
      this.#client.makeUnaryRequest(path, asIs, asIs, message, options, (error, bytes?: Buffer) => {
        if (error === null && bytes !== undefined) resolve(bytes);
        else reject(error ?? new Error('no answer'));
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** What Envoy 1.40 makes of a response (A2 and A3 of the ext_authz requirements). */
export function wireAnswer(request: ClientRequest, bytes: Buffer): Answer {
  const response = decodeCheckResponse(bytes);
  const metadata = struct(response.dynamic_metadata);
  const reason = typeof metadata['reason'] === 'string' ? metadata['reason'] : 'none';
  const rule = typeof metadata['rule'] === 'string' ? metadata['rule'] : null;
  if ((response.status?.code ?? 0) === 0)
    return { decision: 'allow', reason, rule, metadata, upstream: mutated(request, response) };
  const denied = response.denied_response;
  const status = denied?.status?.code ?? 403;
  const headers = byName(denied?.headers ?? []);
  return {
    decision: status === 200 ? 'answer' : 'deny',
    status,
    reason,
    rule,
    metadata,
    headers,
    body: denied?.body ?? '',
    challenges: headers.get('www-authenticate') ?? [],
  };
}

/** What no CheckResponse of ours may be, whatever was asked. */
export function wireFaults(bytes: Buffer): string[] {
  const response = decodeCheckResponse(bytes);
  const said = JSON.stringify(response);
  const isUtf8 = said.isWellFormed() && !said.includes('\ufffd');
  return [
    ...pairFaults(response),
    ...okFaults(response),
    ...denyFaults(response),
    ...(isUtf8 ? [] : ['EA-18 no UTF-8']),
  ];
}

function pairFaults({ status, ok_response: ok, denied_response: denied }: CheckResponse): string[] {
  if (status === undefined) return ['EA-01 no status'];
  const code = status.code ?? 0;
  if (code === 0) return denied === undefined && ok !== undefined ? [] : ['EA-01 status 0 without ok_response alone'];
  return ok === undefined && denied !== undefined ? [] : [`EA-01 status ${code} without denied_response alone`];
}

function okFaults({ ok_response: ok }: CheckResponse): string[] {
  if (ok === undefined) return [];
  const faults: string[] = [];
  const removed = new Set((ok.headers_to_remove ?? []).map((name) => name.toLowerCase()));
  const names = new Set<string>();
  for (const { header, append, append_action: action } of ok.headers ?? []) {
    const { key, value = '' } = header;
    if (append === undefined || append.value === true || action !== 2) faults.push(`EA-10 ${key} does not overwrite`);
    if (names.has(key.toLowerCase())) faults.push(`EA-10 ${key} is set twice`);
    if (removed.has(key.toLowerCase())) faults.push(`EA-12 ${key} is set and removed`);
    if (!/^[\x20-\x7e]+$/.test(value)) faults.push(`EA-11 EA-17 ${key} is empty or has other bytes than %x20-7E`);
    names.add(key.toLowerCase());
  }
  const marks = ['x-envoy-auth-failure-mode-allowed', 'x-envoy-auth-partial-body'];
  faults.push(...marks.filter((name) => !removed.has(name)).map((name) => `EA-14 ${name} stays`));
  return 'dynamic_metadata' in ok ? [...faults, 'EA-19 metadata in the deprecated field'] : faults;
}

function denyFaults({ status, denied_response: denied }: CheckResponse): string[] {
  if (denied === undefined) return [];
  const http = denied.status?.code;
  const faults = (denied.headers ?? [])
    .filter(({ header }) => !/^[\x20-\x7e]*$/.test(header.value ?? ''))
    .map(({ header }) => `EA-30 ${header.key} has other bytes than %x20-7E`);
  if (![200, 400, 401, 403, 503].includes(http ?? 0)) faults.push(`EA-03 HTTP ${http}`);
  if (status?.code !== (http === 401 ? 16 : 7)) faults.push(`EA-04 status ${status?.code} with HTTP ${http}`);
  return faults;
}

function byName(options: readonly HeaderValueOption[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const { header } of options) {
    headers.set(header.key.toLowerCase(), [...(headers.get(header.key.toLowerCase()) ?? []), header.value ?? '']);
  }
  return headers;
}

/** Headers are set first, then removed (EA-12). */
function mutated(request: ClientRequest, { ok_response: ok }: CheckResponse): Map<string, string[]> {
  const headers = new Map([...headersAtEnvoy(request)].map(([name, values]) => [name, values.map(String)]));
  for (const [name, values] of byName(ok?.headers ?? [])) headers.set(name, values.slice(-1));
  for (const name of ok?.headers_to_remove ?? []) headers.delete(name.toLowerCase());
  return headers;
}

/** google.protobuf.Struct → plain values. */
function struct(value: unknown): Record<string, unknown> {
  const fields = member(value, 'fields');
  if (typeof fields !== 'object' || fields === null) return {};
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, plain(one)]));
}

function plain(value: unknown): unknown {
  const items = member(member(value, 'listValue'), 'values');
  if (Array.isArray(items)) return items.map(plain);
  const inner = member(value, 'structValue');
  if (inner !== undefined) return struct(inner);
  return member(value, 'stringValue') ?? member(value, 'numberValue') ?? member(value, 'boolValue');
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}
