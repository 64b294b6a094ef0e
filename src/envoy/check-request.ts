/**
 * Promises: CheckRequest bytes → RequestAttributes, reading only what is used (envoy.service.auth.v3, field numbers in proto/).
 * Both header encodings are read (EA-40, EA-41); pseudo-headers are taken from the attributes, never from the map (EA-44).
 */
import type { RequestAttributes } from '../decision/request.ts';
import { type Step, Stop } from '../decision/step.ts';
import { HeaderBlock } from './header-block.ts';
import { WireReader } from './wire-reader.ts';

/** What the walk fills in. Strings start empty, as proto3 has them. */
interface Draft {
  id: string;
  method: string;
  host: string;
  path: string;
  certificate: string;
  hasHttp: boolean;
  readonly map: HeaderBlock;
  readonly list: HeaderBlock;
  hasList: boolean;
}

export function readCheckRequest(message: Uint8Array): Step<RequestAttributes> {
  const bytes = Buffer.isBuffer(message)
    ? message
    : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const draft: Draft = {
    id: '',
    method: '',
    host: '',
    path: '',
    certificate: '',
    hasHttp: false,
    map: new HeaderBlock(bytes),
    list: new HeaderBlock(bytes),
    hasList: false,
  };
  const isRead = eachField(bytes, 0, bytes.length, (field, start, end) =>
    field === 1 ? readAttributes(bytes, start, end, draft) : true,
  );
  if (!isRead) return new Stop('request_malformed', 'the CheckRequest cannot be decoded');
  if (!draft.hasHttp) return new Stop('request_malformed', 'the CheckRequest describes no HTTP request');
  const { id, method, host, path, certificate } = draft;
  return { id, method, host, path, certificate, headers: draft.hasList ? draft.list : draft.map };
}

type Read = (field: number, start: number, end: number) => boolean;

function eachField(bytes: Buffer, start: number, end: number, read: Read): boolean {
  return new WireReader(bytes).eachField(start, end, read);
}

/** AttributeContext: 1 source, 4 request. */
function readAttributes(bytes: Buffer, from: number, to: number, draft: Draft): boolean {
  return eachField(bytes, from, to, (field, start, end) => {
    if (field === 4) return readRequest(bytes, start, end, draft);
    return field === 1 ? readSource(bytes, start, end, draft) : true;
  });
}

/** Peer: 5 certificate. */
function readSource(bytes: Buffer, from: number, to: number, draft: Draft): boolean {
  return eachField(bytes, from, to, (field, start, end) => {
    if (field === 5) draft.certificate = bytes.toString('latin1', start, end);
    return true;
  });
}

/** AttributeContext.Request: 2 http. */
function readRequest(bytes: Buffer, from: number, to: number, draft: Draft): boolean {
  return eachField(bytes, from, to, (field, start, end) => {
    if (field !== 2) return true;
    draft.hasHttp = true;
    return readHttp(bytes, start, end, draft);
  });
}

/** HttpRequest: 1 id, 2 method, 3 headers (map entries), 4 path, 5 host, 13 header_map. */
function readHttp(bytes: Buffer, from: number, to: number, draft: Draft): boolean {
  return eachField(bytes, from, to, (field, start, end) => {
    switch (field) {
      case 1:
        draft.id = bytes.toString('latin1', start, end);
        return true;
      case 2:
        // Latin-1 keeps every byte, so that what is not ASCII is refused later instead of being replaced now.
        draft.method = bytes.toString('latin1', start, end);
        return true;
      case 3:
        return readHeader(bytes, start, end, draft.map);
      case 4:
        draft.path = bytes.toString('latin1', start, end);
        return true;
      case 5:
        draft.host = bytes.toString('latin1', start, end);
        return true;
      case 13:
        draft.hasList = true;
        return eachField(bytes, start, end, (inner, a, b) =>
          inner === 1 ? readHeader(bytes, a, b, draft.list) : true,
        );
      default:
        return true;
    }
  });
}

/** A map entry (1 key, 2 value) and a HeaderValue (1 key, 2 value, 3 raw_value) differ in the last field only. */
function readHeader(bytes: Buffer, from: number, to: number, block: HeaderBlock): boolean {
  let name = '';
  let valueStart = to;
  let valueEnd = to;
  const isRead = eachField(bytes, from, to, (field, start, end) => {
    if (field === 1) name = bytes.toString('latin1', start, end);
    if (field === 3 || (field === 2 && valueStart === valueEnd)) {
      valueStart = start;
      valueEnd = end;
    }
    return true;
  });
  if (isRead) block.add(name.toLowerCase(), valueStart, valueEnd);
  return isRead;
}
