/**
 * Promises: new connections are served with what the files hold now; a set of files that cannot be used changes nothing and is
 * reported once. Connections that exist keep what they were made with.
 * Leaves to others: reading and judging the files (tls-files.ts).
 */
import { createHash } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from './clock.ts';
import { parseTls, readTlsFiles, TlsFileError, type TlsFiles } from './tls-files.ts';

/**
 * How often the files are read. Reading them, instead of waiting for events of the file system, sees a rewrite, a rename and the
 * swapped `..data` link of a mounted Secret alike, on any file system; certificates are renewed hours before they end.
 */
export const tlsPollMs = 10_000;

/** A client that does not finish its handshake within this time holds a socket for nothing. */
const handshakeTimeoutMs = 10_000;

/** Credentials of the gRPC server whose certificate can be exchanged while it runs. */
export class ReloadableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    const isMutual = context.ca !== undefined;
    super({ requestCert: isMutual, rejectUnauthorized: isMutual, handshakeTimeout: handshakeTimeoutMs }, context);
  }

  /** INVARIANT: the context comes from `parseTls`; the server drops every new connection once OpenSSL has refused one. */
  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

export interface TlsReloadPorts {
  readonly clock: Clock;
  /** The files are bad; told once for each bad content. */
  readonly onProblem: (problem: TlsFileError) => void;
  /** New connections use new files from now on. */
  readonly onReload: () => void;
  /** Told what one of the other two threw; that is a bug, and ends the looking. */
  readonly onFault: (fault: unknown) => void;
}

export interface ReloadedTls {
  readonly credentials: ReloadableCredentials;
  /** Looks at the files no more. */
  stop(): void;
}

/** Reads the files and keeps reading them; bad files at this first look are thrown as a TlsFileError. */
export async function startTls(files: TlsFiles, ports: TlsReloadPorts): Promise<ReloadedTls> {
  const first = await look(files);
  if (first.context instanceof TlsFileError) {
    throw first.context;
  }
  const credentials = new ReloadableCredentials(first.context);
  const consider = createJudge(first.content, ports, (context) => {
    credentials.replace(context);
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
    credentials,
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
  ports: TlsReloadPorts,
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
