/** A client that says whatever bytes a test gives it, and keeps what it hears as lines. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { HpackDecoder } from '../../src/http2/hpack.ts';
import { describe, parse } from './http2-bytes.ts';

export class RawClient {
  readonly socket: Socket;
  /** What it has heard, one line a frame. */
  readonly lines: string[] = [];
  readonly #decoder = new HpackDecoder();
  #rest = Buffer.alloc(0);
  readonly #waiting = new Set<() => void>();
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const { frames, rest } = parse(Buffer.concat([this.#rest, chunk]));
      this.#rest = Buffer.from(rest);
      this.lines.push(...describe(frames, this.#decoder));
      this.#tell();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#tell();
    });
  }

  static async open(address: string): Promise<RawClient> {
    const { hostname, port } = new URL(`http://${address}`);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** A socket that is connected, of TLS or not. */
  static of(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  say(...pieces: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Ends when a line begins with `start`, or the connection has ended: all lines by then. */
  async until(start: string): Promise<string[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.isClosed || this.lines.some((line) => line.startsWith(start))) resolve();
    };
    this.#waiting.add(look);
    look();
    await promise;
    this.#waiting.delete(look);
    return this.lines;
  }

  /** Ends when the server has closed the connection. */
  closed(): Promise<string[]> {
    return this.until('never said');
  }

  #tell(): void {
    for (const look of this.#waiting) look();
  }
}
