/**
 * Promises: HTTP/1.1 requests at Envoy from a process of its own: as fast as they are answered over a number of connections (closed loop),
 * or at a rate (open loop), where a latency counts from the moment at which the request was due. Prints one line of JSON.
 *
 *   node load.ts --port 10000 --tokens tokens.txt --seconds 5 --connections 32 [--rate 500] [--once]
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** By status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** In microseconds. */
  readonly latency: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>;
  /** Of those that were let pass. */
  readonly allowedP99: number;
  /** Requests that were due and for which there was no connection: the proxy was asked for less than the rate. */
  readonly unsent: number;
}

interface Settings {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly seconds: number;
  readonly connections: number;
  /** Requests a second; 0: closed loop. */
  readonly rate: number;
  /** Each token once, then the end. */
  readonly once: boolean;
}

/** One connection: a request at a time. */
class Caller {
  readonly #socket: Socket;
  readonly #done: (status: string) => void;
  #received = '';

  constructor(port: number, done: (status: string) => void) {
    this.#done = done;
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
    this.#socket.on('error', () => this.#done('error'));
  }

  send(token: string): void {
    this.#socket.write(
      `GET /api/orders/123 HTTP/1.1\r\nhost: api.bench.test\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    this.#received = '';
    this.#done(head.slice(9, 12));
  }
}

/** A connection, and when its request was due. */
interface Slot {
  readonly caller: Caller;
  dueAt: number;
}

class Load {
  readonly #settings: Settings;
  readonly #statuses: Record<string, number> = {};
  readonly #latencies: number[] = [];
  readonly #allowed: number[] = [];
  readonly #slots: readonly Slot[];
  readonly #idle: Slot[] = [];
  /** When requests are due that no connection was free for. */
  readonly #due: number[] = [];
  readonly #start = performance.now();
  readonly #end = Promise.withResolvers<void>();
  #sent = 0;
  #scheduled = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#slots = Array.from({ length: settings.connections }, () => {
      const slot: Slot = { caller: new Caller(settings.port, (status) => this.#done(slot, status)), dueAt: 0 };
      return slot;
    });
  }

  async run(): Promise<LoadResult> {
    const { seconds, rate } = this.#settings;
    const limit = setTimeout(() => this.#end.resolve(), seconds * 1000);
    const ticker = rate > 0 ? setInterval(() => this.#tick(), 1) : undefined;
    for (const slot of this.#slots) this.#next(slot);
    await this.#end.promise;
    clearTimeout(limit);
    clearInterval(ticker);
    for (const { caller } of this.#slots) caller.close();
    return this.#result();
  }

  #tick(): void {
    const { rate } = this.#settings;
    for (const now = performance.now(); this.#start + (this.#scheduled * 1000) / rate <= now; this.#scheduled += 1) {
      this.#due.push(this.#start + (this.#scheduled * 1000) / rate);
    }
    while (this.#due.length > 0) {
      const slot = this.#idle.pop();
      if (slot === undefined) return;
      this.#next(slot);
    }
  }

  #next(slot: Slot): void {
    const { rate, once, tokens } = this.#settings;
    const dueAt = rate === 0 ? performance.now() : this.#due.shift();
    if (once && this.#sent >= tokens.length) {
      if (this.#latencies.length >= tokens.length) this.#end.resolve();
    } else if (dueAt === undefined) {
      this.#idle.push(slot);
    } else {
      slot.dueAt = dueAt;
      slot.caller.send(tokens[this.#sent % tokens.length] ?? '');
      this.#sent += 1;
    }
  }

  #done(slot: Slot, status: string): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    const latency = (performance.now() - slot.dueAt) * 1000;
    this.#latencies.push(latency);
    if (status === '200') this.#allowed.push(latency);
    if (status !== 'error') this.#next(slot);
  }

  #result(): LoadResult {
    const all = this.#latencies.toSorted((a, b) => a - b);
    const allowed = this.#allowed.toSorted((a, b) => a - b);
    return {
      requests: all.length,
      seconds: (performance.now() - this.#start) / 1000,
      statuses: this.#statuses,
      latency: { p50: at(all, 0.5), p90: at(all, 0.9), p99: at(all, 0.99), p999: at(all, 0.999), max: at(all, 1) },
      allowedP99: at(allowed, 0.99),
      unsent: this.#due.length,
    };
  }
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      tokens: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '32' },
      rate: { type: 'string', default: '0' },
      once: { type: 'boolean', default: false },
    },
  });
  const tokens = readFileSync(values.tokens ?? '', 'utf8')
    .trim()
    .split('\n');
  const [port, seconds, connections, rate] = [values.port, values.seconds, values.connections, values.rate].map(Number);
  if (port === undefined || seconds === undefined || connections === undefined || rate === undefined) throw new Error();
  console.log(JSON.stringify(await new Load({ port, tokens, seconds, connections, rate, once: values.once }).run()));
}
