/**
 * Promises: `scopegate serve` as an operator meets it: settings or clear lines about what is wrong with them, a start or the reason why
 * not, and signals. The first SIGTERM or SIGINT drains, the second ends at once.
 * Leaves to others: what runs in between (sidecar/).
 */
import { Command, Option } from 'commander';
import { type Environment, type Flags, readServeSettings } from '../config/read-serve-settings.ts';
import { environmentName, type ServeOption, serveOptions } from '../config/serve-options.ts';
import type { ServeSettings } from '../config/settings.ts';
import { printable } from '../report/printable.ts';

/** What starts and ends; `startSidecar` makes one. */
export interface Running {
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServePorts {
  readonly environment: Environment;
  readonly start: (settings: ServeSettings) => Promise<Running>;
  /** The process, as far as it tells of signals. */
  readonly signals: {
    on(signal: EndSignal, listener: () => void): unknown;
    off(signal: EndSignal, listener: () => void): unknown;
  };
  readonly writeError: (text: string) => void;
}

type EndSignal = 'SIGTERM' | 'SIGINT';

/** What a shell reports for a process that a signal ended: 128 and the signal's number. */
const exitCodes: Readonly<Record<EndSignal, number>> = { SIGTERM: 143, SIGINT: 130 };

/** Time that closing may take when it should end at once. */
const stopMs = 500;

const rows: readonly ServeOption<unknown>[] = Object.values(serveOptions);

const examples = `
Examples:
  scopegate serve --policy policy.yaml
      answers an Envoy on this machine by one file, and follows its changes
  SCOPEGATE_POLICY=policies scopegate serve --grpc unix:/run/scopegate.sock
      answers on a unix socket by all documents of a folder

The variable of an option stands in brackets; a flag wins over it.
SCOPEGATE_POLICY and SCOPEGATE_GRPC hold several values separated by spaces.
Durations are written 500ms, 30s, 5m or 1h30m.

Exit codes: 0 drained after a signal, 1 could not start, 2 bad usage.
`;

/** Adds the command; `done` is told its exit code. */
export function addServe(program: Command, ports: ServePorts, done: (exitCode: number) => void): void {
  const command = program
    .command('serve')
    .summary('run the authorizer that Envoy asks')
    .description("Answers Envoy's checks (ext_authz v3, gRPC) by the policy, until SIGTERM or SIGINT, then drains.")
    .usage('--policy SOURCE [options]')
    .allowExcessArguments(true)
    .addHelpText('after', examples);
  for (const row of rows) {
    command.addOption(commanderOption(row));
  }
  command.action(async () => {
    const [extra] = command.args;
    if (extra !== undefined) {
      command.error(`error: unexpected argument '${extra}'`);
    }
    done(await readAndServe(flagsOf(command), ports));
  });
}

function commanderOption(row: ServeOption<unknown>): Option {
  const flags = row.argument === undefined ? row.flag : `${row.flag} <${row.argument}>`;
  const value = row.defaultText === undefined ? '' : `default ${row.defaultText}, `;
  const option = new Option(flags, `${row.help}\n[${value}${environmentName(row.flag)}]`).helpGroup(`${row.group}:`);
  return row.argument === undefined ? option : option.argParser(collect);
}

/** Every value is kept; which of them counts is the row's to say. */
function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

function flagsOf(command: Command): Flags {
  const flags = new Map<string, readonly string[]>();
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (value !== undefined && option.long !== undefined) {
      flags.set(
        option.long,
        Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [`${value === true}`],
      );
    }
  }
  return flags;
}

async function readAndServe(flags: Flags, ports: ServePorts): Promise<number> {
  const read = readServeSettings(flags, ports.environment);
  if ('errors' in read) {
    ports.writeError(read.errors.map((error) => `scopegate serve: ${printable(error)}\n`).join(''));
    return 2;
  }
  return runServe(read.settings, ports);
}

/** Runs until a signal; the exit code. Rejects only for a fault of ours. */
export async function runServe(settings: ServeSettings, ports: Omit<ServePorts, 'environment'>): Promise<number> {
  const ends = watchSignals(ports.signals);
  const started = ports.start(settings);
  try {
    const signal = await Promise.race([serveAndDrain(started, ends.first), ends.second]);
    return signal === undefined ? 0 : await cut(started, signal);
  } catch (error) {
    if (!isExpected(error)) {
      throw error;
    }
    ports.writeError(`scopegate serve: ${printable(error.message)}\n`);
    return 1;
  } finally {
    ends.stop();
  }
}

async function serveAndDrain(started: Promise<Running>, end: Promise<void>): Promise<undefined> {
  const running = await started;
  await end;
  await running.drain();
  return undefined;
}

/** Closes what can be closed at once, such as socket files, and waits no longer for the rest. */
async function cut(started: Promise<Running>, signal: EndSignal): Promise<number> {
  const { promise: isLate, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, stopMs);
  await Promise.race([started.then((running) => running.stop()), isLate]);
  clearTimeout(timer);
  return exitCodes[signal];
}

interface Ends {
  readonly first: Promise<void>;
  readonly second: Promise<EndSignal>;
  stop(): void;
}

function watchSignals(signals: ServePorts['signals']): Ends {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<EndSignal>();
  let count = 0;
  const receive = (signal: EndSignal): void => {
    count += 1;
    if (count === 1) {
      first.resolve();
    } else {
      second.resolve(signal);
    }
  };
  const [onTerm, onInt] = [(): void => receive('SIGTERM'), (): void => receive('SIGINT')];
  signals.on('SIGTERM', onTerm);
  signals.on('SIGINT', onInt);
  const stop = (): void => {
    signals.off('SIGTERM', onTerm);
    signals.off('SIGINT', onInt);
  };
  return { first: first.promise, second: second.promise, stop };
}

/** An Error is a message for the operator; those that the language itself throws are bugs, of which the stack is wanted. */
function isExpected(error: unknown): error is Error {
  return error instanceof Error && !bugs.some((bug) => error instanceof bug);
}

const bugs = [TypeError, RangeError, ReferenceError, SyntaxError];
