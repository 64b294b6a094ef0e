/**
 * Promises: `scopegate replay` with its options read: policies and logs opened, verdicts and the summary on stdout, anything else on
 * stderr.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { renderJsonLine, renderJsonSummary, renderLine, renderSummary } from '../replay/render.ts';
import { createReplay, type Policies, type Replay, type ReplayedLine } from '../replay/replay.ts';
import { paintFor } from '../report/paint.ts';
import { printable } from '../report/printable.ts';
import { failureWords } from './input.ts';
import { readPolicy } from './read-policy.ts';
import type { ReplayOptions, ReplayPorts } from './replay.ts';

export async function runReplay(options: ReplayOptions, ports: ReplayPorts): Promise<number> {
  const policies = await readPolicies(options, ports);
  if (policies === 2) return 2;
  const paint = paintFor(ports.isColored);
  let waiting = '';
  const told = (line: ReplayedLine): void => {
    if (!options.showsAll && line.compared.verdict === 'same') return;
    waiting += options.asJson ? renderJsonLine(line) : renderLine(line, paint);
  };
  /** A log may be longer than memory, and its reader slow. */
  const pause = async (): Promise<void> => {
    if (waiting === '') return;
    ports.writeOut(waiting);
    waiting = '';
    await ports.flush();
  };
  const startMs = ports.now();
  const replay = createReplay(policies, { told, pause });
  const failure = await readLogs(options.logs, replay, ports);
  if (failure !== undefined) {
    ports.writeError(`scopegate replay: ${printable(failure)}\n`);
    return 2;
  }
  const summary = replay.summary();
  ports.writeOut(options.asJson ? renderJsonSummary(summary) : renderSummary(summary, paint));
  ports.writeError(speed(summary, ports.now() - startMs));
  for (const line of cautions(summary, options)) ports.writeError(`scopegate replay: ${line}\n`);
  return summary.changed > 0 ? 1 : 0;
}

async function readPolicies(options: ReplayOptions, ports: ReplayPorts): Promise<Policies | 2> {
  const candidate = await readPolicy('replay', options.policy, ports);
  if (candidate === 2) return 2;
  if (options.current.length === 0) return { candidate, current: undefined };
  const current = await readPolicy('replay', options.current, ports);
  return current === 2 ? 2 : { candidate, current };
}

/** What went wrong, in one line. A log that cannot be had is told before the first is read. */
async function readLogs(logs: readonly string[], replay: Replay, ports: ReplayPorts): Promise<string | undefined> {
  const files = logs.filter((name) => name !== '-');
  for (const name of files) {
    const failure = await findFailure(name);
    if (failure !== undefined) return failure;
  }
  for (const name of logs) {
    try {
      if (name === '-') await replay.log('<stdin>', ports.stdin);
      else await replay.log(name, createReadStream(name));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return `${name} ${failureWords(error)}`;
    }
  }
  return undefined;
}

async function findFailure(name: string): Promise<string | undefined> {
  try {
    return (await stat(name)).isDirectory() ? `${name} is a folder; name its files` : undefined;
  } catch (error) {
    return `${name} ${failureWords(error)}`;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** What a green exit code does not say. */
function cautions(
  { byOtherPolicy, decisions, undecidable }: ReturnType<Replay['summary']>,
  { current }: ReplayOptions,
): readonly string[] {
  const others = `${byOtherPolicy.toLocaleString('en-US')} of ${decisions.toLocaleString('en-US')} decisions were made by another policy`;
  const isCompared = current.length > 0;
  return [
    ...(byOtherPolicy > 0 && isCompared ? [`${others} than --current: their issuers were not compared`] : []),
    ...(byOtherPolicy > 0 && !isCompared
      ? [`${others}: a change of its issuers is not seen without --current FILE`]
      : []),
    ...(undecidable > 0 ? ['undecidable decisions may change, and the exit code does not count them'] : []),
  ];
}

function speed({ decisions, otherLines, brokenLines }: ReturnType<Replay['summary']>, elapsedMs: number): string {
  const lines = decisions + otherLines + brokenLines;
  const perSecond = Math.round((lines * 1000) / Math.max(elapsedMs, 1));
  const hint = decisions === 0 ? '; no decision among them, see --decision-log of serve' : '';
  const rate = lines < 1000 ? '' : `, ${perSecond.toLocaleString('en-US')} a second`;
  const noun = lines === 1 ? 'line' : 'lines';
  return `scopegate replay: ${lines.toLocaleString('en-US')} ${noun} read${rate}${hint}\n`;
}
