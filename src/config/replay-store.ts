/**
 * Promises: the syntax of `--dpop-replay-store`: one Redis or Valkey server by URL. A password in it is refused: the arguments of a process
 * can be read by every other process of the machine.
 */
import { type Parsed, unexpected } from './parse.ts';

export interface ReplayStoreAddress {
  readonly hasTls: boolean;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Undefined: the default user. */
  readonly username: string | undefined;
  readonly database: number;
}

const form = 'redis://[USER@]HOST[:PORT][/DATABASE], or rediss:// for TLS';
const defaultPort = 6379;
const pattern =
  /^(?<scheme>rediss?):\/\/(?:(?<username>[A-Za-z0-9._~-]{1,128})@)?(?<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?<port>\d{1,5}))?(?:\/(?<database>\d{1,5})?)?$/;

export function replayStoreAddress(text: string): Parsed<ReplayStoreAddress> {
  // Not shown: what stands before the @ may be a secret.
  if (/:\/\/[^@]*:.*@/s.test(text)) {
    return { problem: `expected ${form}; a password belongs in the file of --dpop-replay-store-password-file` };
  }
  const { scheme, username, host, port, database } = pattern.exec(text)?.groups ?? {};
  const portNumber = Number(port ?? defaultPort);
  if (host === undefined || portNumber < 1 || portNumber > 65_535) return unexpected(form, text);
  return {
    value: Object.freeze({
      hasTls: scheme === 'rediss',
      host: host.replace(/^\[|\]$/g, ''),
      port: portNumber,
      username,
      database: Number(database ?? 0),
    }),
  };
}
