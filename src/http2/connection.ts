/**
 * Promises: the server's side of one HTTP/2 connection (RFC 9113), for small requests and answers: bytes in, streams out, and a peer that
 * breaks the rules, or sends far more of something than it can need, is told so and cut off.
 * Leaves to others: sockets and time (server/), what is said on a stream.
 */
import {
  ConnectionError,
  defaultWindow,
  type ErrorCode,
  errorCode,
  flag,
  frame,
  frameType,
  maxWindow,
  setting,
  uint32,
} from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { HpackDecoder } from './hpack.ts';
import { OpenStreams } from './open-streams.ts';
import {
  checkDependency,
  checkLength,
  contentOf,
  type Frame,
  protocolError,
  readSettings,
  settingsPayload,
} from './payload.ts';
import { Peer } from './peer.ts';
import { HeadReader, isTrailer, maxHeadBytes, type RequestHead } from './request-head.ts';
import { Stream, type StreamOwner, type StreamReader } from './stream.ts';
import { Allowance, ReceiveWindow } from './windows.ts';

export interface ConnectionPorts {
  /** Takes the stream of a new request. */
  readonly open: (stream: Stream, head: RequestHead) => StreamReader;
  /** Sends bytes to the peer. */
  readonly write: (bytes: Buffer) => void;
  /** Nothing more will be written: the connection is to be ended. */
  readonly end: () => void;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
}

export interface ConnectionLimits {
  /** Streams at one time; a further one is refused, and its client opens another connection. */
  readonly maxStreams: number;
  /** Bytes of one request's body. */
  readonly streamWindow: number;
}

/** Bodies that a peer may have under way, of all streams together. */
const connectionWindow = 1_048_576;
/**
 * Frames that ask for an answer or for nothing, in a second. The gRPC library of Go sends a
 * ping for every round trip while it is busy, to learn how fast the link is.
 */
const maxControlFrames = 10_000;
/**
 * Streams that are reset in a second, by the peer, or by us because of what the peer did (CVE-2025-8671). Envoy resets a check when its client goes
 * away or its timeout passes; more than this is an attack (CVE-2023-44487).
 */
const maxResets = 20_000;
const drainPing = Uint8Array.of(0x73, 0x63, 0x6f, 0x70, 0x65, 0x67, 0x61, 0x74);

export class Connection implements StreamOwner {
  readonly peer = new Peer();
  readonly #ports: ConnectionPorts;
  readonly #limits: ConnectionLimits;
  readonly #frames = new FrameReader((one) => this.#take(one));
  readonly #decoder = new HpackDecoder();
  readonly #streams = new OpenStreams();
  readonly #received = new ReceiveWindow(connectionWindow);
  readonly #control = new Allowance(maxControlFrames);
  readonly #resets = new Allowance(maxResets);
  #hasTooManyResets = false;
  /** Streams after this one are refused; undefined: none is. */
  #lastAccepted: number | undefined;
  #isOver = false;

  constructor(ports: ConnectionPorts, limits: ConnectionLimits) {
    this.#ports = ports;
    this.#limits = limits;
    const settings = settingsPayload([
      [setting.maxConcurrentStreams, limits.maxStreams],
      [setting.initialWindowSize, limits.streamWindow],
      [setting.maxHeaderListSize, maxHeadBytes],
    ]);
    this.write(frame(frameType.settings, 0, 0, settings));
    this.write(frame(frameType.windowUpdate, 0, 0, uint32(connectionWindow - defaultWindow)));
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** The peer speaks HTTP/2. */
  get isEstablished(): boolean {
    return this.#frames.hasSettings;
  }

  /** Takes what came from the peer. Throws only what is a fault of ours. */
  receive(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#frames.read(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#fail(error.code);
    }
  }

  write(bytes: Buffer): void {
    if (!this.#isOver) this.#ports.write(bytes);
  }

  finished(stream: Stream, resetWith: ErrorCode | undefined): void {
    // Section 8.1: who has answered before all of the request came says that no more is wanted.
    const code = resetWith ?? (stream.isRemoteClosed ? undefined : errorCode.noError);
    if (code !== undefined) this.#reset(stream.id, code);
    this.#forget(stream);
  }

  /** Asks whether the peer is there. */
  ping(): void {
    this.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)));
  }

  /**
   * No further streams, and the end once those that are open have ended. Told in two steps (section 6.8), so that no request which is under
   * way to us is lost.
   */
  drain(): void {
    if (this.#lastAccepted !== undefined) return;
    this.#lastAccepted = maxWindow;
    this.#sayGoodbye(maxWindow, errorCode.noError);
    this.write(frame(frameType.ping, 0, 0, drainPing));
  }

  /** A peer that has not confirmed the first step by now will not: what is open is answered, and that is all. */
  endDrain(): void {
    if (this.#isOver || this.#lastAccepted !== maxWindow) return;
    this.#lastAccepted = this.#streams.last;
    this.#sayGoodbye(this.#streams.last, errorCode.noError);
    this.#endIfDone();
  }

  /** The socket is gone. */
  lost(): void {
    this.#isOver = true;
    this.#streams.closeAll();
  }

  #take(one: Frame): void {
    if (this.#isOver) return;
    if (this.#hasTooManyResets) throw new ConnectionError(errorCode.enhanceYourCalm, 'too many resets');
    switch (one.type) {
      case frameType.data:
        return this.#onData(one);
      case frameType.headers:
        return this.#onBlock(one);
      case frameType.resetStream:
        return this.#onReset(one);
      case frameType.windowUpdate:
        return this.#onWindowUpdate(one);
      default:
        return this.#onControl(one);
    }
  }

  #onControl(one: Frame): void {
    this.#countControl();
    switch (one.type) {
      case frameType.settings:
        return this.#onSettings(one);
      case frameType.ping:
        return this.#onPing(one);
      case frameType.priority:
        checkLength(one, 5);
        if (one.stream === 0) throw protocolError('a priority of no stream');
        return checkDependency(one.payload, 0, one.stream);
      case frameType.goAway:
        return checkGoodbye(one);
      case frameType.pushPromise:
        throw protocolError('a client does not push');
      default:
      // Section 5.5: what nobody knows is ignored.
    }
  }

  /** Frames that do nothing, or want an answer. */
  #countControl(): void {
    if (this.#control.take(this.#ports.now())) return;
    throw new ConnectionError(errorCode.enhanceYourCalm, 'too many control frames');
  }

  #onSettings(one: Frame): void {
    if (one.stream !== 0) throw protocolError('settings on a stream');
    if ((one.flags & flag.ack) !== 0) return checkLength(one, 0);
    const settings = readSettings(one);
    this.write(frame(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
    this.peer.apply(settings, this.#streams.all());
  }

  #onPing(one: Frame): void {
    if (one.stream !== 0) throw protocolError('a ping on a stream');
    checkLength(one, 8);
    if ((one.flags & flag.ack) === 0) {
      this.write(frame(frameType.ping, flag.ack, 0, one.payload));
    } else if (one.payload.equals(drainPing)) {
      this.endDrain();
    }
  }

  #onBlock(block: Frame): void {
    const stream = this.#streams.get(block.stream);
    if (stream !== undefined) this.#onTrailers(stream, block);
    else if (block.stream > this.#streams.last) this.#onRequest(block);
    else {
      // The table of the decoder has to see every block.
      this.#decoder.decode(block.payload, () => undefined);
      this.#streams.checkReset(block.stream);
    }
  }

  #onTrailers(stream: Stream, block: Frame): void {
    let isGood = endsStream(block);
    this.#decoder.decode(block.payload, (field) => {
      isGood &&= isTrailer(field);
    });
    if (stream.isRemoteClosed) stream.reset(errorCode.streamClosed);
    else if (isGood) this.#endRequest(stream);
    else stream.reset(errorCode.protocolError);
  }

  #onRequest(block: Frame): void {
    this.#streams.next(block.stream);
    const reader = new HeadReader();
    this.#decoder.decode(block.payload, reader.visit);
    const head = reader.head();
    const refusal = this.#refusalOf(head, reader.problem);
    if (head === undefined || refusal !== undefined) {
      this.#reset(block.stream, refusal ?? errorCode.protocolError);
      return;
    }
    const stream = new Stream(block.stream, this);
    const isLast = endsStream(block);
    stream.contentLength = head.contentLength;
    stream.isRemoteClosed = isLast;
    this.#streams.add(stream);
    stream.reader = this.#ports.open(stream, head);
    if (isLast) this.#endRequest(stream);
  }

  #refusalOf(head: RequestHead | undefined, problem: HeadReader['problem']): ErrorCode | undefined {
    if (problem === 'too_large') return errorCode.enhanceYourCalm;
    if (head === undefined) return errorCode.protocolError;
    const isLate = this.#lastAccepted !== undefined && this.#streams.last > this.#lastAccepted;
    return isLate || this.#streams.size >= this.#limits.maxStreams ? errorCode.refusedStream : undefined;
  }

  #onData(one: Frame): void {
    this.#streams.checkOpened(one.stream);
    const given = this.#received.take(one.payload.length);
    if (given > 0) this.write(frame(frameType.windowUpdate, 0, 0, uint32(given)));
    const content = contentOf(one, false);
    const isLast = endsStream(one);
    if (content.length === 0 && !isLast) this.#countControl();
    const stream = this.#streams.get(one.stream);
    if (stream === undefined) this.#streams.checkReset(one.stream);
    else if (stream.isRemoteClosed) stream.reset(errorCode.streamClosed);
    else {
      const padding = one.payload.length - content.length;
      if (padding > 0 && !isLast) this.write(frame(frameType.windowUpdate, 0, stream.id, uint32(padding)));
      this.#onContent(stream, content, isLast);
    }
  }

  #onContent(stream: Stream, content: Buffer, isLast: boolean): void {
    stream.receivedBytes += content.length;
    if (stream.receivedBytes > this.#limits.streamWindow) {
      stream.reset(errorCode.flowControlError);
      return;
    }
    stream.isRemoteClosed = isLast;
    stream.reader?.data(content);
    if (isLast) this.#endRequest(stream);
  }

  #endRequest(stream: Stream): void {
    // An answer may have ended it before.
    if (this.#streams.get(stream.id) !== stream) return;
    const { contentLength, receivedBytes } = stream;
    if (contentLength !== undefined && contentLength !== receivedBytes) return stream.reset(errorCode.protocolError);
    stream.isRemoteClosed = true;
    stream.reader?.end();
  }

  #onReset(one: Frame): void {
    checkLength(one, 4);
    this.#streams.checkOpened(one.stream);
    this.#countReset();
    const stream = this.#streams.get(one.stream);
    if (stream === undefined) return;
    stream.abandon();
    this.#forget(stream);
  }

  #reset(id: number, code: ErrorCode): void {
    this.write(frame(frameType.resetStream, 0, id, uint32(code)));
    this.#streams.remember(id);
    // An answer that was early is no fault of the peer's.
    if (code !== errorCode.noError) this.#countReset();
  }

  #countReset(): void {
    if (!this.#resets.take(this.#ports.now())) this.#hasTooManyResets = true;
  }

  #onWindowUpdate(one: Frame): void {
    checkLength(one, 4);
    const bytes = one.payload.readUInt32BE(0) & maxWindow;
    if (one.stream !== 0) {
      this.#streams.checkOpened(one.stream);
      const stream = this.#streams.get(one.stream);
      if (stream !== undefined) growWindow(stream, bytes);
      return;
    }
    if (bytes === 0) throw protocolError('a window that does not grow');
    this.peer.grow(bytes);
  }

  #forget(stream: Stream): void {
    if (!this.#streams.remove(stream)) return;
    this.peer.forget(stream);
    stream.reader?.closed();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#lastAccepted === undefined || this.#lastAccepted === maxWindow || this.#streams.size > 0) return;
    this.#isOver = true;
    this.#ports.end();
  }

  #sayGoodbye(lastStream: number, code: ErrorCode): void {
    this.write(frame(frameType.goAway, 0, 0, Buffer.concat([uint32(lastStream), uint32(code)])));
  }

  #fail(code: ErrorCode): void {
    this.#sayGoodbye(this.#streams.last, code);
    this.lost();
    this.#ports.end();
  }
}

function endsStream({ flags }: Frame): boolean {
  return (flags & flag.endStream) !== 0;
}

function checkGoodbye({ stream, payload }: Frame): void {
  if (stream !== 0) throw protocolError('a goodbye on a stream');
  if (payload.length < 8) throw new ConnectionError(errorCode.frameSizeError, 'a goodbye that is too short');
}

function growWindow(stream: Stream, bytes: number): void {
  if (bytes === 0) stream.reset(errorCode.protocolError);
  else if (stream.window.grow(bytes)) stream.flush();
  else stream.reset(errorCode.flowControlError);
}
