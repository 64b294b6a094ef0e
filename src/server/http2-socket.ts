/**
 * Promises: one socket that speaks HTTP/2: what is written in one turn goes out in one piece, a peer that does not read is not read from, and
 * one that does not answer a ping is cut off.
 */
import type { Socket } from 'node:net';
import { Connection, type ConnectionLimits, type ConnectionPorts } from '../http2/connection.ts';
import { keepalive } from './connection-settings.ts';

export interface Http2Socket {
  /** Tells the client to go elsewhere, and ends when its calls are answered. */
  drain(): void;
  destroy(): void;
}

export interface Http2SocketPorts extends Pick<ConnectionPorts, 'open' | 'now'> {
  /** All that came in one piece was read. */
  readonly afterRead: () => void;
  readonly closed: () => void;
  /** Told what is a bug; the socket is destroyed. */
  readonly onFault: (fault: unknown) => void;
}

/** How long a client may take to close its side after we have closed ours. */
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

  constructor(socket: Socket, limits: ConnectionLimits, ports: Http2SocketPorts) {
    this.#socket = socket;
    this.#ports = ports;
    const { open, now } = ports;
    this.#connection = new Connection(
      {
        open,
        now,
        write: (bytes) => this.#write(bytes),
        end: () => {
          this.#isEnding = true;
        },
      },
      limits,
    );
    socket.setNoDelay(true);
    socket.setTimeout(keepalive.timeMs);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('timeout', () => this.#onSilence());
    // A reset is the peer's right and followed by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#connection.lost();
      ports.closed();
    });
    this.#flush();
  }

  drain(): void {
    this.#connection.drain();
  }

  #read(chunk: Buffer): void {
    this.#isBusy = true;
    if (this.#isAsked) {
      this.#isAsked = false;
      this.#socket.setTimeout(keepalive.timeMs);
    }
    try {
      this.#connection.receive(chunk);
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
    if (!this.#isEnding) return;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), lingerMs).unref();
  }

  #onSilence(): void {
    if (this.#isAsked) {
      this.#socket.destroy();
      return;
    }
    this.#isAsked = true;
    this.#socket.setTimeout(keepalive.timeoutMs);
    this.#connection.ping();
  }
}
