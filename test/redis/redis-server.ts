/** A real Redis or Valkey on a port of 127.0.0.1 that can be killed, frozen and started again, with nothing kept on disk. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { redisProgram } from './install.ts';

export class RedisServer {
  readonly port: number;
  readonly #args: readonly string[];
  #child: Child | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** `--port` is replaced by `--tls-port` where certificates are given. */
  static async start(
    options: { readonly tls?: boolean; readonly args?: readonly string[] } = {},
  ): Promise<RedisServer> {
    const port = await freePort();
    const ports = options.tls === true ? ['--port', '0', '--tls-port', `${port}`] : ['--port', `${port}`];
    const server = new RedisServer(port, [...ports, ...(options.args ?? [])]);
    await server.restart();
    return server;
  }

  /** A new process, which knows nothing of what the last one held. */
  async restart(): Promise<void> {
    const { command, env } = await redisProgram((line) => process.stderr.write(`${line}\n`));
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const lines: string[] = [];
    const onStdout = (line: string): void => {
      lines.push(line);
      if (/[Rr]eady to accept connections/.test(line)) resolve();
    };
    const fixed = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--daemonize', 'no', '--dir', '/'];
    const child = startChild(command, [...fixed, ...this.#args], { env, onStdout });
    this.#child = child;
    const ended = child.ended.then((phrase) => {
      throw new Error(`redis-server ${phrase}: ${lines.slice(-3).join(' | ')}`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) process.kill(pid, name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#child?.ended;
  }

  async stop(): Promise<void> {
    // A frozen process takes no SIGTERM.
    this.signal('SIGCONT');
    await this.#child?.stop();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
