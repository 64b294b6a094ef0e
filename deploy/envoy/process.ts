/**
 * Promises: a real Envoy running a given bootstrap, back when its listener takes connections, gone when `stop()` settles or this
 * process ends. What Envoy said is in the error when it does not start.
 * Leaves to others: what the bootstrap holds (config.ts), where the binary is from (install.ts).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Child, startChild } from './child.ts';
import type { JsonObject } from './config.ts';
import { SetupError } from './setup-error.ts';

export interface RunningEnvoy {
  /** Port of the first listener on 127.0.0.1. */
  readonly port: number;
  /** Base URL of the admin interface, such as `http://127.0.0.1:9901`. */
  readonly admin: string;
  /** Settles when Envoy has ended, asked or not, with a phrase such as `exited with code 1`. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Envoy starts in about half a second; a busy machine may take its time. */
const startTimeoutMs = 30_000;
const pollMs = 20;
/** Lines of Envoy's log that are kept for an error message. */
const keptLines = 50;

/** Starts Envoy with `config`, whose listener and admin ports may be 0. `concurrency`: its worker threads; 0: one for each core. */
export async function startEnvoy(binary: string, config: JsonObject, concurrency = 1): Promise<RunningEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-envoy-'));
  const configFile = join(folder, 'bootstrap.json');
  const adminFile = join(folder, 'admin-address');
  await writeFile(configFile, JSON.stringify(config));

  const log: string[] = [];
  // No hot restart: it is what makes two Envoys on one machine collide (shared memory named by a base id).
  const options = ['--disable-hot-restart', '--concurrency', String(concurrency), '--log-level', 'warning'];
  const child = startChild(binary, ['--config-path', configFile, '--admin-address-path', adminFile, ...options], {
    onStderr: (line) => {
      log.push(line);
      if (log.length > keptLines) log.shift();
    },
  });
  async function stop(): Promise<void> {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const admin = `http://${await untilReady(child, log, () => readFile(adminFile, 'utf8'))}`;
    await untilReady(child, log, () => get(`${admin}/ready`));
    const port = await untilReady(child, log, async () => listenerPort(await get(`${admin}/listeners?format=json`)));
    return { port, admin, ended: child.ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asks again until `ask` has a non-empty answer; ends early when Envoy does. */
async function untilReady<T>(child: Child, log: readonly string[], ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + startTimeoutMs;
  const end = child.ended.then((phrase) => ({ phrase }));
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== '') return answer;
    const early = await Promise.race([end, delay(pollMs, undefined)]);
    if (early !== undefined) throw new SetupError(`Envoy ${early.phrase}: ${complaint(log)}`);
    if (performance.now() > deadline) {
      throw new SetupError(`Envoy was not ready within ${startTimeoutMs / 1000} s: ${complaint(log)}`);
    }
  }
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}

const listeners = z.object({
  listener_statuses: z.array(
    z.object({ local_address: z.object({ socket_address: z.object({ port_value: z.number() }) }) }),
  ),
});

function listenerPort(text: string): number | undefined {
  return listeners.parse(JSON.parse(text)).listener_statuses[0]?.local_address.socket_address.port_value;
}

/** The line of Envoy's log that says most: the first critical or error one, without its time stamp and place. */
function complaint(log: readonly string[]): string {
  const line = log.find((entry) => /\[(critical|error)\]/.test(entry)) ?? log.at(-1) ?? 'it said nothing';
  return line.replace(/^(\[[^\]]*\]\s*)+/, '');
}
