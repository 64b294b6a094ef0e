/**
 * Promises: one JSON line an event on stdout (`time`, `level`, `msg`, fields), or the same for people on a terminal. A reader that is slow
 * or gone never holds up a decision: lines are written in the background, and over a limit they are dropped and counted.
 * Leaves to others: what is worth a line (sidecar.ts), and the decision log's own switches (decision-log.ts).
 */
import { styleText } from 'node:util';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** Undefined: pretty on a terminal, else json. */
  readonly format: 'json' | 'pretty' | undefined;
  readonly isTerminal: boolean;
}

/** Unwritten text that is kept for a slow reader before lines are dropped. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** The root logger. Its time is ISO 8601 in UTC; no host name or process id, which the platform adds better. */
export function createLog(options: LogOptions, out: DestinationStream): Logger {
  const isPretty = options.format === 'pretty' || (options.format === undefined && options.isTerminal);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    isPretty ? prettyDestination(out, options.isTerminal) : out,
  );
}

/** For lines that `--log-level` does not silence: decisions have a switch of their own, and the start line is how addresses are found. */
export function unsilenced(log: Logger): (line: object, message: string) => void {
  const always = log.child({}, { level: 'info' });
  return (line, message) => always.info(line, message);
}

export interface BackgroundDestination extends DestinationStream {
  /**
   * Writes what is left, for at most `waitMs`; a reader that is slow or gone must not keep the process. Later lines, and what could not
   * be written, are dropped.
   */
  close(waitMs: number): Promise<void>;
}

/** A pipe takes so much in one piece, whoever else writes to it (POSIX asks for 512 bytes, Linux gives 4 KiB). */
const sharedWriteBytes = 4096;

/**
 * Lines that follow each other closely are written together: a write is a hop to another thread and back, and costs more than the line.
 * A line alone is written at once, and none waits longer than `gatherMs`.
 */
const gatherBytes = 8192;
const gatherMs = 10;

/** Writes to a file descriptor in the background. `isShared`: other processes write to it too, and no line is torn by theirs. */
export function backgroundDestination(fd: number, lineDropped: () => void, isShared = false): BackgroundDestination {
  const limits = isShared
    ? { maxWrite: sharedWriteBytes, minLength: sharedWriteBytes / 2 }
    : { minLength: gatherBytes };
  const stream = destination({ fd, sync: false, maxLength: maxWaitingBytes, ...limits }).on('drop', lineDropped);
  let isOpen = true;
  let isGathering = false;
  let hasGathered = false;

  /** Else pino writes synchronously when the process exits, and tries for ever where nobody reads. */
  function end(): void {
    isOpen = false;
    stream.destroy();
  }

  // Nobody reads any more (EPIPE): there is nobody to tell either.
  stream.on('error', end);

  async function close(waitMs: number): Promise<void> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    const isFlushed = new Promise<void>((written) => stream.flush(() => written()));
    await Promise.race([isFlushed, isLate]);
    clearTimeout(timer);
    end();
  }

  function write(line: string): void {
    if (!isOpen) {
      lineDropped();
      return;
    }
    stream.write(line);
    if (isGathering) hasGathered = true;
    else pass();
  }

  function pass(): void {
    hasGathered = false;
    isGathering = true;
    stream.flush();
    setTimeout(() => {
      isGathering = false;
      if (hasGathered && isOpen) pass();
    }, gatherMs).unref();
  }

  return { write, close };
}

/** `12:30:01.250 info  listening grpc=["127.0.0.1:9001"]`; own code instead of pino-pretty, which brings a dozen packages. */
function prettyDestination(out: DestinationStream, isColored: boolean): DestinationStream {
  return { write: (line) => out.write(pretty(line, isColored)) };
}

function pretty(line: string, isColored: boolean): string {
  const entry: unknown = JSON.parse(line);
  const fields = new Map<string, unknown>(Object.entries(entry ?? {}));
  const take = (name: string): string => {
    const value = fields.get(name);
    fields.delete(name);
    return typeof value === 'string' ? value : '';
  };
  const [time, level, message] = [take('time').slice(11, 23), take('level'), take('msg')];
  const shownLevel = isColored
    ? styleText(levelColor(level), level.padEnd(5), { validateStream: false })
    : level.padEnd(5);
  const rest = [...fields].map(([name, value]) => ` ${name}=${shown(value)}`).join('');
  return `${time} ${shownLevel} ${printable(message)}${rest}\n`;
}

function levelColor(level: string): 'red' | 'yellow' | 'green' | 'gray' {
  if (level === 'fatal' || level === 'error') {
    return 'red';
  }
  return level === 'warn' ? 'yellow' : level === 'info' ? 'green' : 'gray';
}

/** Words that need no quotes stay bare; a stack keeps its lines, because it is read by people. */
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) {
    return value;
  }
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') {
    return value.stack.split('\n').map(printable).join('\n    ');
  }
  return printable(JSON.stringify(value));
}

/** Text of a token must not steer a terminal: controls (C1 too), line separators and direction marks are escaped. */
function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
