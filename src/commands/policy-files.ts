/**
 * Promises: the command line of the commands that take policy files: `COMMAND FILE… [--format …]`, and what comes of it.
 * Leaves to others: what is done with the files (lint.ts, test.ts).
 */
import type { Command } from 'commander';
import type { LintResult } from '../rehearsal/lint.ts';
import { addFormat, formatOf } from './format.ts';
import { type InputPorts, readInputs } from './input.ts';

export interface PolicyFilesPorts extends InputPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Stdout is a terminal that shows colours. */
  readonly isColored: boolean;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
}

export interface PolicyFilesCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly help: string;
  /** The first is the default. */
  readonly formats: readonly string[];
  /** The exit code. */
  readonly run: (question: PolicyFilesQuestion, ports: PolicyFilesPorts) => Promise<number>;
}

export interface PolicyFilesQuestion {
  readonly result: LintResult;
  /** How many files were read. */
  readonly files: number;
  readonly format: string | undefined;
}

/** Adds the command; `done` is told its exit code. */
export function addPolicyFilesCommand(
  program: Command,
  row: PolicyFilesCommand,
  ports: PolicyFilesPorts,
  done: (exitCode: number) => void,
): void {
  const command = program
    .command(row.name)
    .summary(row.summary)
    .description(row.description)
    .usage('[options] FILE…')
    .argument('<FILE...>', 'documents, or ConfigMap manifests that hold some; - is stdin')
    .addHelpText('after', row.help);
  addFormat(command, row.formats);
  command.action(async () => {
    done(await readAndRun(command, row, ports));
  });
}

async function readAndRun(command: Command, row: PolicyFilesCommand, ports: PolicyFilesPorts): Promise<number> {
  const files = await readInputs(command.args, ports);
  if ('errors' in files) {
    ports.writeError(files.errors.map((error) => `scopegate ${row.name}: ${error}\n`).join(''));
    return 2;
  }
  // Loaded when it is needed, so that help and mistakes are answered at once.
  const { lint } = await import('../rehearsal/lint.ts');
  const result = await lint(files, ports.now());
  return row.run({ result, files: files.length, format: formatOf(command) }, ports);
}
