/**
 * Promises: Decision → CheckResponse bytes; the only place that writes one. `status.code` is 0 with an `ok_response` for an Allow that
 * the Allow class itself made, and 7 or 16 with a `denied_response` for everything else (EA-01, EA-04).
 */
import { Allow, type Decision, type Deny, type Header, type Told } from '../decision/decision.ts';
import { denyRow } from '../decision/deny-reason.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { type MetadataValue, writeStruct } from './struct.ts';
import { WireWriter } from './wire-writer.ts';

/** HeaderValueOption.append_action: OVERWRITE_IF_EXISTS_OR_ADD (EA-10). */
const overwrite = 2;
/** google.rpc.Code: the two that every Envoy takes for a refusal (EA-04). */
type RefusalCode = 7 | 16;
const permissionDenied = 7;
const unauthenticated = 16;
/** Seconds after which a caller may try again when something of ours is not there. */
const retryAfter = '5';
/** EA-19: scopes that would make the metadata larger than this, in UTF-16 code units, are left out of it. */
const maxScopesLength = 8192;

/** What a refusal looks like to the client, and to Envoy. */
export interface Refusal {
  readonly status: 200 | 400 | 401 | 403 | 503;
  /** `CheckResponse.status.code`. */
  readonly code: RefusalCode;
  readonly headers: readonly Header[];
  readonly body: string;
  readonly told: Told;
  readonly reason: string;
}

/** `request` is undefined when the CheckRequest could not be read. */
export function writeCheckResponse(decision: Decision, request: RequestAttributes | undefined): Uint8Array {
  if (Allow.isAllow(decision)) return encodeAllow(decision);
  const writer = new WireWriter();
  writeRefusal(writer, describeRefusal(decision, request));
  return writer.finish();
}

/** An answer that is given again and again is written twice; one that is given once is not kept. */
function encodeAllow(allow: Allow): Uint8Array {
  const { encoding, told } = allow;
  // What a shadow rule says is part of the metadata, and differs from one time to the next.
  const isShared = encoding !== undefined && told.shadow.length === 0;
  if (isShared && encoding.bytes !== undefined) return encoding.bytes;
  const writer = new WireWriter();
  writeAllow(writer, allow);
  const bytes = writer.finish();
  if (isShared) {
    // In memory of its own: a view would keep all of the writer's.
    if (encoding.isKnown) encoding.bytes = new Uint8Array(bytes);
    encoding.isKnown = true;
  }
  return bytes;
}

/** CheckResponse: 1 status (empty: code 0), 3 ok_response {2 headers, 5 headers_to_remove, 6 response_headers_to_add}, 4 dynamic_metadata. */
function writeAllow(writer: WireWriter, allow: Allow): void {
  writer.empty(1);
  const ok = writer.begin(3);
  for (const header of allow.setHeaders) writeHeader(writer, header);
  for (const name of allow.removeHeaders) writer.text(5, name);
  if (allow.nonce !== undefined) writeHeader(writer, ['dpop-nonce', allow.nonce], 6);
  writer.end(ok);
  writeMetadata(writer, allow.told, allow.reason);
}

/** CheckResponse: 1 status {1 code}, 2 denied_response {1 status {1 code}, 2 headers, 3 body}, 4 dynamic_metadata. */
function writeRefusal(writer: WireWriter, refusal: Refusal): void {
  writeStatus(writer, refusal.code);
  const denied = writer.begin(2);
  writeStatus(writer, refusal.status);
  for (const header of refusal.headers) writeHeader(writer, header);
  if (refusal.body !== '') writer.text(3, refusal.body);
  writer.end(denied);
  writeMetadata(writer, refusal.told, refusal.reason);
}

/** google.rpc.Status and HttpStatus alike: 1 status {1 code}. */
function writeStatus(writer: WireWriter, code: number): void {
  const status = writer.begin(1);
  writer.number(1, code);
  writer.end(status);
}

/** HeaderValueOption: 1 header {1 key, 2 value}, 2 append {1 value: false}, 3 append_action; in `headers`, field 2 of both answers. */
function writeHeader(writer: WireWriter, [name, value]: Header, field = 2): void {
  const option = writer.begin(field);
  const header = writer.begin(1);
  writer.text(1, name);
  writer.text(2, value);
  writer.end(header);
  writer.empty(2);
  writer.number(3, overwrite);
  writer.end(option);
}

function writeMetadata(writer: WireWriter, told: Told, reason: string): void {
  const metadata = writer.begin(4);
  writeStruct(writer, describeMetadata(told, reason));
  writer.end(metadata);
}

/** The dynamic metadata of an answer: what is known, in the order in which it is written. */
export function describeMetadata(told: Told, reason: string): readonly (readonly [string, MetadataValue])[] {
  const { caller } = told;
  const fields: [string, MetadataValue | undefined][] = [
    ['reason', reason],
    ['rule', told.rule],
    ['policy', told.policy],
    ['issuer', caller?.issuer],
    ['subject', caller?.subject],
    ['client_id', caller?.clientId],
    ['scopes', scopesOf(told)],
    ['shadow', told.shadow.length === 0 ? undefined : told.shadow.map((verdict) => ({ ...verdict }))],
  ];
  return fields.filter(isPresent);
}

function isPresent(field: [string, MetadataValue | undefined]): field is [string, MetadataValue] {
  return field[1] !== undefined;
}

function scopesOf({ caller }: Told): readonly string[] | undefined {
  if (caller === undefined) return undefined;
  const length = caller.scopes.reduce((sum, scope) => sum + scope.length, 0);
  return length > maxScopesLength ? undefined : caller.scopes;
}

/** What `writeCheckResponse` writes for whatever is no Allow. */
export function describeRefusal(decision: Exclude<Decision, Allow>, request: RequestAttributes | undefined): Refusal {
  if (decision.reason === 'resource_metadata') {
    const headers: Header[] = [['content-type', 'application/json']];
    const { body, told, reason } = decision;
    return { status: 200, code: codeOf(200), headers, body, told, reason };
  }
  const { reason, told } = decision;
  const isGrpc = isGrpcCall(request);
  // EA-32: Envoy would translate 400 to INTERNAL.
  const status = isGrpc && decision.status === 400 ? 401 : decision.status;
  const body = request?.method === 'HEAD' ? '' : isGrpc ? denyRow(reason).description : jsonBody(decision);
  const headers = challengeHeaders(decision);
  headers.push(['cache-control', 'no-store']);
  if (body !== '') headers.push(['content-type', isGrpc ? 'text/plain' : 'application/json']);
  if (status === 503) headers.push(['retry-after', retryAfter]);
  return { status, code: codeOf(status), headers, body, told, reason };
}

function challengeHeaders({ challenges, nonce }: Deny): Header[] {
  const headers: Header[] = challenges.map((challenge) => ['www-authenticate', challenge]);
  if (nonce !== undefined) headers.push(['dpop-nonce', nonce]);
  return headers;
}

function codeOf(status: Refusal['status']): RefusalCode {
  return status === 401 ? unauthenticated : permissionDenied;
}

function isGrpcCall(request: RequestAttributes | undefined): boolean {
  const [contentType] = request?.headers.values('content-type') ?? [];
  return contentType?.toLowerCase().startsWith('application/grpc') ?? false;
}

const errorByStatus = { 400: 'invalid_request', 401: 'unauthorized', 403: 'forbidden', 503: 'unavailable' } as const;

/** Under 512 bytes (EA-34), of a fixed set of texts (EA-30). */
function jsonBody({ reason, status }: Deny): string {
  const { challenge, description } = denyRow(reason);
  const error = challenge === undefined || challenge === 'none' ? errorByStatus[status] : challenge;
  return JSON.stringify({ error, error_description: description, reason });
}
