/**
 * Promises: one socket that speaks HTTP/2: what is written in one turn goes out in one piece, a peer that does not read is not read from, and
 * one that does not answer a ping is cut off.
 */
import type { Socket } from 'node:net';
import { Connection, type ConnectionLimits, type ConnectionPorts } from '../http2/connection.ts';
import type { Clock } from './clock.ts';
import { handshakeTimeoutMs, keepalive } from './connection-settings.ts';

export interface Http2Socket {
  /** Tells the client to go elsewhere, and ends when its calls are answered. */
  drain(): void;
  destroy(): void;
}

export interface Http2SocketPorts extends Pick<ConnectionPorts, 'open'> {
  /** A piece is about to be read. */
  readonly beforeRead: () => void;
  /** All that came in one piece was read. */
  readonly afterRead: () => void;
  readonly closed: () => void;
  readonly clock: Clock;
  /** Told what is a bug; the socket is destroyed. */
  readonly onFault: (fault: unknown) => void;
}

/** How long a client may take to confirm our farewell, and to close its side after we have closed ours. */
const lingerMs = 1000;

/** `socket` may be of TLS. */
export function speakHttp2(socket: Socket, limits: ConnectionLimits, ports: Http2SocketPorts): Http2Socket {
  const link = new Link(socket, limits, ports);
  return { drain: () => link.drain(), destroy: () => socket.destroy() };
}

class Link {
  readonly #socket: Socket;
  readonly #ports: Http2SocketPorts;
  readonly #connection: Connection;
  #pending: Buffer[] = [];
  #isBusy = true;
  #isAsked = false;
  #isEnding = false;
  #callOff: (() => void) | undefined;

  constructor(socket: Socket, limits: ConnectionLimits, ports: Http2SocketPorts) {
    this.#socket = socket;
    this.#ports = ports;
    const { open, clock } = ports;
    this.#connection = new Connection(
      {
        open,
        now: () => clock.now(),
        write: (bytes) => this.#write(bytes),
        end: () => {
          this.#isEnding = true;
        },
      },
      limits,
    );
    socket.setNoDelay(true);
    socket.setTimeout(handshakeTimeoutMs);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('timeout', () => this.#onSilence());
    // A reset is the peer's right and followed by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#callOff?.();
      this.#connection.lost();
      ports.closed();
    });
    this.#flush();
  }

  drain(): void {
    if (this.#callOff !== undefined || this.#isEnding) return;
    this.#connection.drain();
    this.#callOff = this.#ports.clock.schedule(() => this.#connection.endDrain(), lingerMs);
  }

  #read(chunk: Buffer): void {
    if (this.#isEnding) return;
    this.#isBusy = true;
    this.#ports.beforeRead();
    try {
      this.#connection.receive(chunk);
      this.#heard();
      this.#ports.afterRead();
      this.#flush();
    } catch (fault) {
      this.#socket.destroy();
      this.#ports.onFault(fault);
    }
  }

  #write(bytes: Buffer): void {
    this.#pending.push(bytes);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Runs when all promises that are settled in this turn have had their say.
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#isBusy = false;
    const [first] = this.#pending;
    if (first !== undefined) {
      const bytes = this.#pending.length === 1 ? first : Buffer.concat(this.#pending);
      this.#pending = [];
      if (!this.#socket.write(bytes)) this.#socket.pause();
    }
    if (this.#isEnding) this.#end();
  }

  /** What still comes is taken and not looked at: unread bytes would turn our farewell into a reset. */
  #end(): void {
    if (this.#socket.writableEnded) return;
    this.#callOff?.();
    this.#socket.end();
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), lingerMs).unref();
  }

  #heard(): void {
    if (this.#socket.timeout === keepalive.timeMs || !this.#connection.isEstablished) return;
    this.#isAsked = false;
    this.#socket.setTimeout(keepalive.timeMs);
  }

  #onSilence(): void {
    if (this.#isAsked || !this.#connection.isEstablished) {
      this.#socket.destroy();
      return;
    }
    this.#isAsked = true;
    this.#socket.setTimeout(keepalive.timeoutMs);
    this.#connection.ping();
  }
}
