/**
 * Promises: the command that `serve --workers` starts its workers with, which nobody types: it is not in the help.
 */
import type { Command } from 'commander';

export interface WorkerCommandPorts {
  /** Undefined: no other process of ours has started this one. */
  readonly runWorker?: (() => Promise<number>) | undefined;
  readonly writeError: (text: string) => void;
}

/** Adds the command; `done` is told its exit code. */
export function addWorker(program: Command, ports: WorkerCommandPorts, done: (exitCode: number) => void): void {
  program.command('worker', { hidden: true }).action(async () => {
    if (ports.runWorker === undefined) {
      ports.writeError('scopegate worker: it is started by scopegate serve --workers N alone\n');
      done(2);
      return;
    }
    done(await ports.runWorker());
  });
}
