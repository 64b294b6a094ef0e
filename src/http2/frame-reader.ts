/**
 * Promises: the bytes of a client as frames (RFC 9113 sections 3.4, 4.1 and 4.3): the preface first, then settings; a header block that
 * comes in pieces is one HEADERS frame with all of it, without padding and priority.
 */
import { ConnectionError, defaultFrameBytes, errorCode, flag, frameHeaderBytes, frameType, preface } from './frame.ts';
import { contentOf, type Frame, protocolError } from './payload.ts';
import { maxHeadBytes } from './request-head.ts';

/** More pieces than this are no header block but an attack (CVE-2024-27316). */
const maxPieces = 64;

export class FrameReader {
  readonly #take: (frame: Frame) => void;
  #rest: Buffer | undefined;
  #hasPreface = false;
  #hasSettings = false;
  /** A header block that is not complete. */
  #block: Frame | undefined;
  #pieces: Buffer[] = [];

  constructor(take: (frame: Frame) => void) {
    this.#take = take;
  }

  /** The peer has begun as it must. */
  get hasSettings(): boolean {
    return this.#hasSettings;
  }

  /** Hands on every frame that is complete. Throws a ConnectionError. */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = this.#hasPreface ? 0 : this.#readPreface(bytes);
    while (this.#hasPreface && bytes.length - at >= frameHeaderBytes) {
      const length = bytes.readUIntBE(at, 3);
      if (length > defaultFrameBytes) throw new ConnectionError(errorCode.frameSizeError, 'a frame that is too large');
      const end = at + frameHeaderBytes + length;
      if (end > bytes.length) break;
      this.#onFrame({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: bytes.subarray(at + frameHeaderBytes, end),
      });
      at = end;
    }
    // A copy: a view would keep all of what came with it.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  /** Where the frames begin; a peer that speaks something else is cut off at its first wrong byte. */
  #readPreface(bytes: Buffer): number {
    const length = Math.min(preface.length, bytes.length);
    if (bytes.compare(preface, 0, length, 0, length) !== 0) throw protocolError('no connection preface');
    this.#hasPreface = length === preface.length;
    return this.#hasPreface ? length : 0;
  }

  #onFrame(one: Frame): void {
    if (!this.#hasSettings && one.type !== frameType.settings) throw protocolError('no settings after the preface');
    this.#hasSettings = true;
    if (one.type === frameType.headers && this.#block === undefined) this.#onHeaders(one);
    else if (one.type === frameType.continuation) this.#onContinuation(one);
    else if (this.#block === undefined) this.#take(one);
    else throw protocolError('a header block that was not ended');
  }

  #onHeaders(one: Frame): void {
    if (one.stream % 2 === 0) throw protocolError('a stream that a client cannot open');
    const block = { ...one, payload: contentOf(one, true) };
    if ((one.flags & flag.endHeaders) !== 0) {
      this.#take(block);
      return;
    }
    this.#block = block;
    this.#pieces = [Buffer.from(block.payload)];
  }

  #onContinuation(one: Frame): void {
    const block = this.#block;
    if (block === undefined || block.stream !== one.stream) throw protocolError('a continuation of nothing');
    this.#pieces.push(Buffer.from(one.payload));
    const bytes = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#pieces.length > maxPieces || bytes > maxHeadBytes) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'a header block that is too large');
    }
    if ((one.flags & flag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#take({ ...block, payload: Buffer.concat(this.#pieces) });
  }
}
