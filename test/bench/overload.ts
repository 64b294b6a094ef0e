/**
 * What becomes of checks when there are more than can be done: an open loop, like Envoys whose clients do not wait for each other, at a
 * part, once, three and six times the capacity, which is measured first.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import {
  endStream,
  frame,
  greeting,
  message,
  number,
  parse,
  request,
  settings,
  types,
} from '../support/http2-bytes.ts';

const timeoutMs = 250;
const secondsOfRun = 5;
const maxStreams = 1000;
const body = message(Buffer.alloc(800));
const head = request(1, { 'grpc-timeout': `${timeoutMs}m` });
const whole = Buffer.concat([head, frame(types.data, endStream, 1, body)]);

interface Tally {
  sent: number;
  answered: number;
  refused: number;
  late: number;
  readonly answeredMs: number[];
  readonly refusedMs: number[];
}

/** One connection, as an Envoy thread has it. */
class Connection {
  readonly socket: Socket;
  readonly #sentAt = new Map<number, number>();
  readonly #isRefused = new Set<number>();
  readonly #tally: () => Tally;
  #next = 1;
  #rest: Buffer = Buffer.alloc(0);
  onDone: () => void = () => undefined;

  constructor(port: number, tally: () => Tally) {
    this.#tally = tally;
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.write(
      Buffer.concat([greeting, settings([4, 2 ** 31 - 1]), frame(types.windowUpdate, 0, 0, number(2 ** 31 - 65_536))]),
    );
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  get open(): number {
    return this.#sentAt.size;
  }

  /** The bytes of a check. */
  begin(nowMs: number): Buffer {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32BE(this.#next, 5);
    bytes.writeUInt32BE(this.#next, head.length + 5);
    this.#sentAt.set(this.#next, nowMs);
    this.#next += 2;
    this.#tally().sent += 1;
    return bytes;
  }

  /** Gives up those whose time is over. */
  expire(nowMs: number): Buffer[] {
    const resets: Buffer[] = [];
    for (const [id, sentAt] of this.#sentAt) {
      if (nowMs - sentAt < timeoutMs) break;
      this.#sentAt.delete(id);
      this.#tally().late += 1;
      resets.push(frame(types.reset, 0, id, number(8)));
    }
    return resets;
  }

  #read(chunk: Buffer): void {
    const { frames, rest } = parse(Buffer.concat([this.#rest, chunk]));
    this.#rest = rest;
    const now = performance.now();
    for (const { type, flags, stream, payload } of frames) {
      if (type === types.data && payload[5] === 2) this.#isRefused.add(stream);
      const sentAt = this.#sentAt.get(stream);
      if (type !== types.headers || (flags & endStream) === 0 || sentAt === undefined) continue;
      this.#sentAt.delete(stream);
      const tally = this.#tally();
      if (this.#isRefused.delete(stream)) {
        tally.refused += 1;
        tally.refusedMs.push(now - sentAt);
      } else {
        tally.answered += 1;
        tally.answeredMs.push(now - sentAt);
      }
      this.onDone();
    }
  }
}

function newTally(): Tally {
  return { sent: 0, answered: 0, refused: 0, late: 0, answeredMs: [], refusedMs: [] };
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

/** 64 checks at a time, each followed by another. */
async function capacity(port: number): Promise<number> {
  const tally = newTally();
  const connection = new Connection(port, () => tally);
  await once(connection.socket, 'connect');
  connection.onDone = () => connection.socket.write(connection.begin(performance.now()));
  connection.socket.write(Buffer.concat(Array.from({ length: 64 }, () => connection.begin(performance.now()))));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = tally.answered;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  connection.socket.destroy();
  return (tally.answered - before) / 3;
}

async function run(port: number, perSecond: number): Promise<Tally> {
  const tally = newTally();
  const connections = [new Connection(port, () => tally), new Connection(port, () => tally)];
  const start = performance.now();
  let due = 0;
  while (performance.now() - start < secondsOfRun * 1000) {
    const now = performance.now();
    const wanted = Math.floor(((now - start) / 1000) * perSecond) - due;
    due += wanted;
    const perConnection = Math.ceil(wanted / connections.length);
    let left = wanted;
    for (const connection of connections) {
      const bytes = connection.expire(now);
      for (let count = 0; count < perConnection && left > 0 && connection.open < maxStreams; count += 1, left -= 1) {
        bytes.push(connection.begin(now));
      }
      if (bytes.length > 0) connection.socket.write(Buffer.concat(bytes));
    }
    // Envoy opens a further connection where the streams of one are used up.
    if (left > 0 && connections.length < 64) connections.push(new Connection(port, () => tally));
    due -= left;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const { socket } of connections) socket.destroy();
  return tally;
}

async function measure(env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [new URL('overload-server.ts', import.meta.url).pathname], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
  const port = Number(address.split(':')[1]);
  const most = await capacity(port);
  console.log(`${JSON.stringify(env)}: ${most.toFixed(0)} checks/s`);
  for (const load of [0.7, 1, 3, 6]) {
    const { sent, answered, refused, late, answeredMs, refusedMs } = await run(port, most * load);
    const ofCapacity = (answered / secondsOfRun / most) * 100;
    console.log(
      `  ${load} x: sent ${sent}, answered ${answered} (${ofCapacity.toFixed(0)} % of capacity; p50 ${percentile(answeredMs, 0.5)}, ` +
        `p99 ${percentile(answeredMs, 0.99)} ms), refused ${refused} (p99 ${percentile(refusedMs, 0.99)} ms), late ${late}`,
    );
  }
  child.kill();
  await once(child, 'exit');
}

for (const busy of ['30', '200']) {
  await measure({ BUSY_US: busy });
  await measure({ BUSY_US: busy, QUEUE: 'off' });
}
