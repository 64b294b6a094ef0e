/**
 * Promises: Scopegate itself as a child process, started as an operator would, back when it is ready; its log as lines for a person.
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Child, startChild } from '../envoy/child.ts';
import { SetupError } from '../envoy/setup-error.ts';

export interface Scopegate {
  /** Where Envoy asks. */
  readonly grpc: { readonly host: string; readonly port: number };
  /** Base URL of `/readyz` and `/metrics`. */
  readonly admin: string;
  /** From now on `take` gets what Scopegate logs. */
  onLog(take: (line: string) => void): void;
  /** Settles when it has ended, asked or not, with a phrase such as `exited with code 1`. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const entrySchema = z.looseObject({ msg: z.string(), level: z.union([z.string(), z.number()]).optional() });
type Entry = z.infer<typeof entrySchema>;
const listeningSchema = z.object({ grpc: z.tuple([z.string()], z.string()), admin: z.string() });

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const options = ['--log-format', 'json', '--decision-log', 'all', '--drain', '0s'];
const readyTimeoutMs = 60_000;

export async function startScopegate(policyFile: string): Promise<Scopegate> {
  const listeners = ['--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const log = new Log();
  const args = [main, 'serve', '--policy', policyFile, ...listeners, ...options];
  const child = startChild(process.execPath, args, {
    onStdout: (line) => log.add(line),
    onStderr: (line) => log.add(line),
  });
  try {
    const listening = listeningSchema.parse(await entryNamed('listening', log, child));
    await entryNamed('ready', log, child);
    const url = new URL(`http://${listening.grpc[0]}`);
    return {
      grpc: { host: url.hostname, port: Number(url.port) },
      admin: `http://${listening.admin}`,
      onLog: (take) => log.follow((line) => take(readable(line))),
      ended: child.ended,
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** The log so far, and whoever waits for more of it. */
class Log {
  readonly lines: string[] = [];
  #take: (line: string) => void = () => {};

  add(line: string): void {
    this.lines.push(line);
    // A demo may stay up for days.
    if (this.lines.length > 200) {
      this.lines.shift();
    }
    this.#take(line);
  }

  follow(take: (line: string) => void): void {
    this.#take = take;
  }
}

async function entryNamed(name: string, log: Log, child: Child): Promise<Entry> {
  const found = new Promise<Entry>((resolve) => {
    const look = (line: string): void => {
      const entry = parseEntry(line);
      if (entry?.msg === name) {
        resolve(entry);
      }
    };
    log.lines.forEach(look);
    log.follow(look);
  });
  const timeout = AbortSignal.timeout(readyTimeoutMs);
  const late = new Promise<string>((resolve) => {
    timeout.addEventListener('abort', () => resolve(`did not say "${name}" within ${readyTimeoutMs / 1000} s`));
  });
  const first = await Promise.race([found, child.ended, late]);
  if (typeof first === 'string') {
    throw new SetupError(`Scopegate ${first}: ${complaint(log.lines)}`);
  }
  return first;
}

/** The line that says most: the first with an error in it, else the last one. */
function complaint(lines: readonly string[]): string {
  const line = lines.find((each) => /error|scopegate:/i.test(each)) ?? lines.at(-1);
  return line === undefined ? 'it said nothing' : readable(line);
}

function parseEntry(line: string): Entry | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Members that a person at a terminal needs not see. */
const dull = new Set([
  'level',
  'time',
  'pid',
  'hostname',
  'msg',
  'policy',
  'source',
  'issuer',
  'host',
  'requestId',
  'traceparent',
]);
const dullOfDecisions = new Set(['decision', 'status', 'reason', 'jti', 'kid', 'shadow', 'durationUs', 'tokenCache']);

/** The message, or the decision with its status and reason; then the other values as `name=value`. */
function readable(line: string): string {
  const entry = parseEntry(line);
  if (entry === undefined) {
    return line;
  }
  const isDecision = entry.msg === 'decision';
  const start = isDecision ? [entry['decision'], entry['status'], entry['reason']] : [entry.msg];
  const values = Object.entries(entry)
    .filter(([name]) => !dull.has(name) && !(isDecision && dullOfDecisions.has(name)))
    .map(([name, value]) => `${name}=${text(value)}`);
  return [...start.map(text), ...values].join(' ');
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.map(text).join(', ') : typeof value === 'string' ? value : JSON.stringify(value);
}
