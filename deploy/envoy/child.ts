/**
 * Promises: a child process that never outlives this one, however this one ends, and that a Ctrl-C in the terminal does not
 * reach directly, so that the order of stopping is ours.
 * Leaves to others: what the child prints, and what its end means.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly onStdout?: (line: string) => void;
  readonly onStderr?: (line: string) => void;
}

export interface Child {
  readonly pid: number | undefined;
  /** Settles when the process has ended and all its output was read, with a phrase such as `exited with code 1`. */
  readonly ended: Promise<string>;
  /** SIGTERM, then SIGKILL after `graceMs`; settles when the process is gone. */
  stop(graceMs?: number): Promise<void>;
}

// The program takes the shell's place and its pid. The subshell reads a pipe whose other end is held by this process: the kernel
// closes it when this process dies, of SIGKILL too, and no exit handler of ours could do that.
const dieWithParent = [
  'exec 3<&0',
  '(read -r _ <&3; kill -9 $$) >/dev/null 2>&1 &',
  'exec "$0" "$@" 3<&- </dev/null',
].join('\n');

/** Starts `command`; whoever calls must `stop()` it or wait for `ended`. */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn('/bin/sh', ['-c', dieWithParent, command, ...args], {
    detached: true,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  eachLine(child.stdout, options.onStdout);
  eachLine(child.stderr, options.onStderr);
  child.stdin.on('error', () => {});
  child.once('exit', () => child.stdin.destroy());

  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(code === null ? `was killed by ${signal}` : `exited with code ${code}`),
    );
  });
  async function stop(graceMs = 5000): Promise<void> {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  }
  return { pid: child.pid, ended, stop };
}

function eachLine(stream: Readable, take: ((line: string) => void) | undefined): void {
  if (take === undefined) stream.resume();
  else createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}
