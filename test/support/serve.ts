/**
 * `scopegate serve` as a process of its own, started as an operator would, with its log lines as they come.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../deploy/envoy/child.ts';

export interface Serve {
  readonly child: Child;
  /** Real addresses of the start line. */
  readonly grpc: readonly string[];
  readonly admin: string;
  /** Log entries so far. */
  readonly entries: readonly Readonly<Record<string, unknown>>[];
  /** The next or an earlier entry with this `msg`, of which `also` is true. */
  logged(
    msg: string,
    also?: (entry: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>>;
  readyz(): Promise<{ status: number; body: Record<string, unknown> }>;
}

/** The sources, or what SCOPEGATE_MAIN names, such as `dist-bundle/dist/main.js`: one set of tests for both. */
export const mainFile = join(
  fileURLToPath(new URL('../..', import.meta.url)),
  process.env['SCOPEGATE_MAIN'] ?? 'src/main.ts',
);

/** Back when it listens; whoever calls stops `child`. */
export async function startServe(...args: string[]): Promise<Serve> {
  const settings = ['--admin', '127.0.0.1:0', '--log-format', 'json', ...args];
  return followServe(process.execPath, [mainFile, 'serve', ...settings]);
}

/** `serve` by a command line of its own, which has it log JSON. */
export async function followServe(command: string, args: readonly string[]): Promise<Serve> {
  const entries: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const child = startChild(command, args, {
    onStdout: (line) => {
      entries.push(JSON.parse(line) as Record<string, unknown>);
      for (const look of waiting) look();
    },
    onStderr: (line) => entries.push({ msg: 'stderr', line }),
  });

  function logged(
    msg: string,
    also: (entry: Readonly<Record<string, unknown>>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const entry = entries.find((candidate) => candidate['msg'] === msg && also(candidate));
        if (entry === undefined) return;
        waiting.delete(look);
        resolve(entry);
      };
      waiting.add(look);
      child.ended.then(
        (phrase) => reject(new Error(`serve ${phrase} without "${msg}": ${JSON.stringify(entries.slice(-5))}`)),
        reject,
      );
      look();
    });
  }

  const { grpc, admin } = (await logged('listening')) as { grpc: string[]; admin: string };
  async function readyz(): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`http://${admin}/readyz`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  return { child, grpc, admin, entries, logged, readyz };
}

/** `127.0.0.1:9001` as an endpoint of Envoy. */
export function endpointOf(address: string | undefined): { host: string; port: number } {
  const url = new URL(`http://${address}`);
  return { host: url.hostname, port: Number(url.port) };
}
