/**
 * Promises: a connection to Redis (7 or later) or Valkey, with the password and the authorities that the files hold at the moment. Neither
 * the password nor a text of the server is in an error.
 * Leaves to others: when to connect again, and how long to wait (shared-memory.ts).
 */
import { readFile } from 'node:fs/promises';
import { createClient, ErrorReply } from '@redis/client';
import { type OpenedStore, type OpenStore, type StoreConnection, StoreError } from './ports.ts';

/** A connection that nobody answers is given up by whoever asked for it; this only keeps its socket from staying behind. */
const connectMs = 2000;

export interface RedisSettings {
  readonly hasTls: boolean;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly database: number;
  /** Undefined: it asks for no password. */
  readonly passwordFile: string | undefined;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly caFile: string | undefined;
}

export function redisStore(settings: RedisSettings): OpenStore {
  return async (signal) => {
    const [password, ca] = await Promise.all([
      readSecret(settings.passwordFile, 'password_unreadable'),
      readSecret(settings.caFile, 'ca_unreadable'),
    ]);
    const connection = new RedisConnection(settings, { password: password?.replace(/\r?\n$/, ''), ca });
    return connection.open(signal);
  };
}

async function readSecret(file: string | undefined, failure: string): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new StoreError(failure);
  }
}

interface Secrets {
  readonly password: string | undefined;
  readonly ca: string | undefined;
}

class RedisConnection implements StoreConnection {
  readonly #client: ReturnType<typeof makeClient>;
  #end: string | undefined;
  #tellEnd: (reason: string) => void = () => {};
  #isClosed = false;

  constructor(settings: RedisSettings, secrets: Secrets) {
    this.#client = makeClient(settings, secrets);
    this.#client.on('error', (error: unknown) => this.#ended(reasonOfClient(error)));
    this.#client.on('end', () => this.#ended('closed'));
  }

  async open(signal: AbortSignal): Promise<OpenedStore> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new StoreError('timeout'));
    signal.addEventListener('abort', giveUp);
    try {
      signal.throwIfAborted();
      // The client's own promise is not settled by all ends that a connection can come to.
      return await Promise.race([this.#connect(), givenUp]);
    } catch (error) {
      this.close();
      throw signal.aborted ? new StoreError('timeout') : new StoreError(reasonOfClient(error));
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #connect(): Promise<OpenedStore> {
    await this.#client.connect();
    return { connection: this, facts: { evictionPolicy: await this.#evictionPolicy() } };
  }

  async setIfAbsent(key: string, value: string, lifetimeMs: number): Promise<string | null> {
    try {
      return await this.#client.set(key, value, {
        condition: 'NX',
        GET: true,
        expiration: { type: 'PX', value: lifetimeMs },
      });
    } catch (error) {
      throw new StoreError(reasonOfClient(error));
    }
  }

  onEnd(listener: (reason: string) => void): void {
    this.#tellEnd = listener;
    if (this.#end !== undefined) listener(this.#end);
  }

  close(): void {
    this.#isClosed = true;
    // Before it has begun to connect there is nothing to destroy, and it throws.
    if (this.#client.isOpen) this.#client.destroy();
  }

  #ended(reason: string): void {
    if (this.#isClosed || this.#end !== undefined) return;
    this.#end = reason;
    this.#tellEnd(reason);
  }

  /** Nobody needs the right to ask. */
  async #evictionPolicy(): Promise<string | undefined> {
    try {
      return /^maxmemory_policy:([a-z-]{1,40})\r?$/m.exec(await this.#client.info('memory'))?.[1];
    } catch (error) {
      if (error instanceof ErrorReply) return undefined;
      throw error;
    }
  }
}

/** Plain commands of RESP 2 and nothing else, so that the rights of the store's user can be as narrow as `set`, `info` and `select`. */
function makeClient(settings: RedisSettings, { password, ca }: Secrets) {
  const { host, port, username, database, hasTls } = settings;
  const target = { host, port, connectTimeout: connectMs, reconnectStrategy: false } as const;
  return createClient({
    RESP: 2,
    socket: hasTls ? { ...target, tls: true, ...(ca === undefined ? {} : { ca }) } : target,
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    disableClientInfo: true,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
  });
}

/** The code of Node (`ECONNREFUSED`) or the first word of the store's reply (`NOAUTH`): the rest of a reply may repeat what was sent. */
function reasonOfClient(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  if (error instanceof ErrorReply) return /^[A-Z]{2,32}\b/.exec(error.message)?.[0] ?? 'error';
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : error.constructor.name.slice(0, 60);
}
