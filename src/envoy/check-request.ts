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
  if (!readMessage(new WireReader(bytes, 0, bytes.length), draft)) {
    return new Stop('request_malformed', 'the CheckRequest cannot be decoded');
  }
  if (!draft.hasHttp) return new Stop('request_malformed', 'the CheckRequest describes no HTTP request');
  const { id, method, host, path, certificate } = draft;
  return { id, method, host, path, certificate, headers: draft.hasList ? draft.list : draft.map };
}

/** CheckRequest: 1 attributes. */
function readMessage(message: WireReader, draft: Draft): boolean {
  while (message.next()) {
    if (message.field === 1 && !readAttributes(message.inner(), draft)) return false;
  }
  return message.isWhole;
}

/** AttributeContext: 1 source, 4 request. */
function readAttributes(attributes: WireReader, draft: Draft): boolean {
  while (attributes.next()) {
    if (attributes.field === 4 && !readRequest(attributes.inner(), draft)) return false;
    if (attributes.field === 1 && !readSource(attributes.inner(), draft)) return false;
  }
  return attributes.isWhole;
}

/** Peer: 5 certificate. */
function readSource(peer: WireReader, draft: Draft): boolean {
  while (peer.next()) {
    if (peer.field === 5) draft.certificate = latin1(peer);
  }
  return peer.isWhole;
}

/** AttributeContext.Request: 2 http. */
function readRequest(request: WireReader, draft: Draft): boolean {
  while (request.next()) {
    if (request.field !== 2) continue;
    draft.hasHttp = true;
    if (!readHttp(request.inner(), draft)) return false;
  }
  return request.isWhole;
}

/** HttpRequest: 1 id, 2 method, 3 headers (map entries), 4 path, 5 host, 13 header_map. */
function readHttp(http: WireReader, draft: Draft): boolean {
  const header = http.inner();
  while (http.next()) {
    switch (http.field) {
      case 1:
        draft.id = latin1(http);
        break;
      case 2:
        draft.method = latin1(http);
        break;
      case 3:
        header.enter(http.start, http.end);
        if (!readHeader(header, draft.map)) return false;
        break;
      case 4:
        draft.path = latin1(http);
        break;
      case 5:
        draft.host = latin1(http);
        break;
      case 13:
        draft.hasList = true;
        if (!readList(http.inner(), draft.list)) return false;
        break;
      default:
    }
  }
  return http.isWhole;
}

/** HeaderMap: 1 headers. */
function readList(list: WireReader, block: HeaderBlock): boolean {
  const header = list.inner();
  while (list.next()) {
    if (list.field !== 1) continue;
    header.enter(list.start, list.end);
    if (!readHeader(header, block)) return false;
  }
  return list.isWhole;
}

/** A map entry (1 key, 2 value) and a HeaderValue (1 key, 2 value, 3 raw_value) differ in the last field only. */
function readHeader(header: WireReader, block: HeaderBlock): boolean {
  let [nameStart, nameEnd, valueStart, valueEnd] = [0, 0, 0, 0];
  while (header.next()) {
    if (header.field === 1) {
      nameStart = header.start;
      nameEnd = header.end;
    } else if (header.field === 3 || (header.field === 2 && valueStart === valueEnd)) {
      valueStart = header.start;
      valueEnd = header.end;
    }
  }
  if (header.isWhole) block.add(nameStart, nameEnd, valueStart, valueEnd);
  return header.isWhole;
}

/** Latin-1 keeps every byte, so that what is not ASCII is refused later instead of being replaced now. */
function latin1({ bytes, start, end }: WireReader): string {
  return bytes.toString('latin1', start, end);
}
