#!/usr/bin/env -S node --max-semi-space-size=16
/**
 * Promises: the process entry: argv to a command to an exit code. What is thrown up to here is a fault of ours and is shown with its
 * stack.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createOutput } from './commands/output.ts';
import { runProgram } from './commands/program.ts';
import { startLoaded, workerOf } from './commands/start.ts';

/** `package.json` is one folder up from the sources and from the built files alike. */
function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const found: unknown = JSON.parse(text);
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown';
}

/** Older ones run into the first thing that they do not know, with a stack trace. */
const oldestNode = 24;

async function main(): Promise<number> {
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    process.stderr.write(`scopegate: needs Node.js ${oldestNode} or later, this is ${process.version}\n`);
    return 1;
  }
  const { writeOut, writeError, flush, end } = createOutput(process.stdout, process.stderr);
  try {
    const exitCode = await runProgram(process.argv.slice(2), {
      version: packageVersion(),
      environment: process.env,
      columns: process.stdout.columns,
      writeOut,
      writeError,
      flush,
      // Opened when it is read.
      get stdin() {
        return process.stdin;
      },
      isColored: process.stdout.isTTY && process.stdout.hasColors(),
      now: Date.now,
      signals: process,
      start: (settings) => startLoaded(settings, process.argv[1] ?? ''),
      runWorker: workerOf(process),
    });
    return await end(exitCode);
  } catch (fault) {
    writeError(`scopegate: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}\n`);
    return end(1);
  }
}

// Not only the exit code: a connection that somebody holds open must not keep a drained process alive.
process.exit(await main());
