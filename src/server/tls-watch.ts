/**
 * Promises: what TLS files hold now, looked at again and again: whoever serves with them hears of new ones that can be used; a set that
 * cannot be used changes nothing and is reported once.
 * Leaves to others: reading and judging the files (tls-files.ts), what kind of server uses them.
 */
import { createHash } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from './clock.ts';
import { parseTls, readTlsFiles, TlsFileError, type TlsFiles } from './tls-files.ts';

/**
 * How often the files are read. Reading them, instead of waiting for events of the file system, sees a rewrite, a rename and the
 * swapped `..data` link of a mounted Secret alike, on any file system; certificates are renewed hours before they end.
 */
export const tlsPollMs = 10_000;

export interface TlsWatchPorts {
  readonly clock: Clock;
  /** The files are bad; told once for each bad content. */
  readonly onProblem: (problem: TlsFileError) => void;
  /** New connections use new files from now on. */
  readonly onReload: () => void;
  /** Told what one of the other two threw; that is a bug, and ends the looking. */
  readonly onFault: (fault: unknown) => void;
}

export interface TlsWatch<Served> {
  /** What `serve` made of the first look. */
  readonly served: Served;
  /** Looks at the files no more. */
  stop(): void;
}

/** Who serves with the files. Both get only what OpenSSL has taken. */
export interface TlsUse<Served> {
  readonly serve: (context: SecureContextOptions) => Served;
  readonly replace: (served: Served, context: SecureContextOptions) => void;
}

/** Reads the files and keeps reading them; bad files at this first look are thrown as a TlsFileError. */
export async function watchTls<Served>(
  files: TlsFiles,
  use: TlsUse<Served>,
  ports: TlsWatchPorts,
): Promise<TlsWatch<Served>> {
  const first = await look(files);
  if (first.context instanceof TlsFileError) {
    throw first.context;
  }
  const served = use.serve(first.context);
  const consider = createJudge(first.content, ports, (context) => {
    use.replace(served, context);
  });
  let isStopped = false;
  let callOff = ports.clock.schedule(poll, tlsPollMs);
  async function lookAgain(): Promise<void> {
    const next = await look(files);
    if (!isStopped) {
      consider(next);
      callOff = ports.clock.schedule(poll, tlsPollMs);
    }
  }
  function poll(): void {
    lookAgain().catch(ports.onFault);
  }
  return {
    served,
    stop: () => {
      isStopped = true;
      callOff();
    },
  };
}

/** What the files were like at one look. */
interface Look {
  /** Equal for equal files; a digest, so that no second copy of the key is kept. */
  readonly content: string;
  readonly context: SecureContextOptions | TlsFileError;
}

async function look(files: TlsFiles): Promise<Look> {
  const texts = await readTlsFiles(files);
  const context = texts instanceof TlsFileError ? texts : parseTls(files, texts);
  const seen = texts instanceof TlsFileError ? texts.message : JSON.stringify(texts);
  return { content: createHash('sha256').update(seen).digest('hex'), context };
}

/** Decides, look by look, whether to use the files, to report them or to leave things as they are. */
function createJudge(
  first: string,
  ports: TlsWatchPorts,
  use: (context: SecureContextOptions) => void,
): (next: Look) => void {
  let used = first;
  let previous = first;
  let reported: string | undefined;
  return ({ content, context }) => {
    // Two looks must agree before files are called bad: replaced one after the other, they do not fit together for a moment.
    const isSettled = content === previous;
    previous = content;
    if (!(context instanceof TlsFileError)) {
      reported = undefined;
      if (content !== used) {
        used = content;
        use(context);
        ports.onReload();
      }
    } else if (isSettled && content !== reported) {
      reported = content;
      ports.onProblem(context);
    }
  };
}
