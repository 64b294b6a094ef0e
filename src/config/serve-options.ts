/**
 * Promises: one row for each option of `serve`; flags, environment variables, `--help` and the reference in the docs come from here.
 * A default is text, as an operator would type it, and passes the same parser.
 * Leaves to others: reading argv (commands/) and joining the values (read-serve-settings.ts).
 */
import { listenAddress, tcpAddress } from './address.ts';
import { choice, duration, fileMode, filePath, type Parsed, type Parser, share, truth, wholeNumber } from './parse.ts';
import { policySource } from './policy-source.ts';
import { replayStoreAddress } from './replay-store.ts';
import type { OptionValues } from './settings.ts';

type OptionGroup =
  | 'Policy'
  | 'Listeners'
  | 'Logs'
  | 'Lifecycle'
  | 'Keys of the issuers'
  | 'DPoP proofs'
  | 'Kubernetes'
  | 'Limits';

export interface ServeOption<T> {
  /** With its dashes. */
  readonly flag: string;
  /** Placeholder of the value; undefined: a switch. */
  readonly argument: string | undefined;
  readonly repeatable: boolean;
  readonly group: OptionGroup;
  readonly defaultText: string | undefined;
  /** What it does, and why one would change it, in a line. */
  readonly help: string;
  /** Gets every text that was given; none when there is neither a flag nor a variable nor a default. */
  readonly parse: (texts: readonly string[]) => Parsed<T>;
}

export type ServeOptionTable = { readonly [K in keyof OptionValues]: ServeOption<OptionValues[K]> };

/** The environment variable of an option: a flag `--ready-timeout` is `SCOPEGATE_READY_TIMEOUT`. */
export function environmentName(flag: string): string {
  return `SCOPEGATE_${flag.replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`;
}

/** A row with one value and a default. When it is given again, the last one counts, as wrapper scripts expect. */
function one<T>(flag: string, argument: string, group: OptionGroup, row: Row<T>): ServeOption<T> {
  const parse = (texts: readonly string[]): Parsed<T> => row.parse(texts.at(-1) ?? '');
  return { flag, argument, repeatable: false, group, defaultText: row.defaultText, help: row.help, parse };
}

interface Row<T> {
  readonly defaultText: string;
  readonly help: string;
  readonly parse: Parser<T>;
}

/** A row that may stay without a value. */
function optional<T>(flag: string, argument: string, group: OptionGroup, row: Omit<Row<T>, 'defaultText'>) {
  const parse = (texts: readonly string[]): Parsed<T | undefined> => {
    const text = texts.at(-1);
    return text === undefined ? { value: undefined } : row.parse(text);
  };
  return { flag, argument, repeatable: false, group, defaultText: undefined, help: row.help, parse };
}

/** All values of a repeatable option: at least one, none twice. */
function each<T>(parseOne: Parser<T>, missing: string): (texts: readonly string[]) => Parsed<readonly T[]> {
  return (texts) => {
    const values: T[] = [];
    for (const [index, text] of texts.entries()) {
      const parsed = parseOne(text);
      if ('problem' in parsed) {
        return parsed;
      }
      if (texts.indexOf(text) < index) {
        return { problem: `${JSON.stringify(text)} is given twice` };
      }
      values.push(parsed.value);
    }
    return values.length === 0 ? { problem: missing } : { value: Object.freeze(values) };
  };
}

export const serveOptions: ServeOptionTable = {
  policySources: {
    flag: '--policy',
    argument: 'SOURCE',
    repeatable: true,
    group: 'Policy',
    defaultText: undefined,
    help: 'FILE, DIR (its *.yaml, *.yml and *.json), configmap:NAMESPACE/NAME or configmaps:NAMESPACE?SELECTOR; watched; required, repeatable',
    parse: each(policySource, 'a policy is required: --policy FILE, DIR or configmap:NAMESPACE/NAME'),
  },
  stateDir: optional('--state', 'DIR', 'Policy', {
    help: 'keeps the last good policy and keys, for a restart while the API server or an issuer is away; only ours to write',
    parse: filePath,
  }),
  grpcAddresses: {
    flag: '--grpc',
    argument: 'ADDR',
    repeatable: true,
    group: 'Listeners',
    defaultText: '127.0.0.1:9001',
    help: 'where Envoy asks: HOST:PORT, [::]:PORT or unix:/path; port 0 takes any free port; repeatable',
    parse: each(listenAddress, 'at least one address is required'),
  },
  grpcTlsCertFile: optional('--grpc-tls-cert', 'FILE', 'Listeners', {
    help: 'PEM certificate chain; turns TLS on; read again when it changes',
    parse: filePath,
  }),
  grpcTlsKeyFile: optional('--grpc-tls-key', 'FILE', 'Listeners', {
    help: 'PEM private key of that certificate',
    parse: filePath,
  }),
  grpcTlsClientCaFile: optional('--grpc-tls-client-ca', 'FILE', 'Listeners', {
    help: 'PEM authorities of client certificates, which are then required',
    parse: filePath,
  }),
  grpcSocketMode: one('--grpc-socket-mode', 'MODE', 'Listeners', {
    defaultText: '0660',
    help: 'permissions of unix sockets: whoever may write may ask',
    parse: fileMode,
  }),
  transport: one('--transport', 'NAME', 'Listeners', {
    defaultText: 'http2',
    help: 'what speaks gRPC with Envoy: http2 (of its own, the faster one) or grpc-js (the gRPC library)',
    parse: choice(['http2', 'grpc-js']),
  }),
  adminAddress: one('--admin', 'ADDR', 'Listeners', {
    defaultText: '127.0.0.1:9002',
    help: '/livez, /readyz and /metrics, without access control',
    parse: tcpAddress,
  }),
  admissionAddress: optional('--admission', 'ADDR', 'Listeners', {
    help: 'validating webhook for ConfigMaps of policies, HTTPS: HOST:PORT or [::]:PORT',
    parse: tcpAddress,
  }),
  admissionTlsCertFile: optional('--admission-tls-cert', 'FILE', 'Listeners', {
    help: 'PEM certificate chain of the webhook; read again when it changes',
    parse: filePath,
  }),
  admissionTlsKeyFile: optional('--admission-tls-key', 'FILE', 'Listeners', {
    help: 'PEM private key of that certificate',
    parse: filePath,
  }),
  logLevel: one('--log-level', 'LEVEL', 'Logs', {
    defaultText: 'info',
    help: 'trace, debug, info, warn, error, fatal or silent',
    parse: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  }),
  logFormat: optional('--log-format', 'FORMAT', 'Logs', {
    help: 'json or pretty; by default pretty on a terminal, else json',
    parse: choice(['json', 'pretty']),
  }),
  decisionLog: one('--decision-log', 'WHICH', 'Logs', {
    defaultText: 'denied',
    help: 'off, denied or all: which decisions are a line on stdout',
    parse: choice(['off', 'denied', 'all']),
  }),
  decisionLogSample: one('--decision-log-sample', 'SHARE', 'Logs', {
    defaultText: '1',
    help: 'share of allows that --decision-log all logs, 0 to 1',
    parse: share,
  }),
  decisionLogPerSecond: one('--decision-log-rate', 'N', 'Logs', {
    defaultText: '1000',
    help: 'decision lines a second at most, so that a flood fills no disk; what is dropped is counted',
    parse: wholeNumber(1, 1_000_000, 'lines a second'),
  }),
  logSubjects: {
    flag: '--log-subjects',
    argument: undefined,
    repeatable: false,
    group: 'Logs',
    defaultText: 'false',
    help: 'log subjects as they are; otherwise hashed, since they name people',
    parse: (texts) => truth(texts.at(-1) ?? 'false'),
  },
  drainMs: one('--drain', 'DURATION', 'Lifecycle', {
    defaultText: '20s',
    help: 'longest time from SIGTERM to the end; checks are answered meanwhile; a second signal ends at once',
    parse: duration('0s', '1h'),
  }),
  readyTimeoutMs: one('--ready-timeout', 'DURATION', 'Lifecycle', {
    defaultText: '60s',
    help: 'longest time that an issuer without keys holds readiness back',
    parse: duration('0s', '24h'),
  }),
  workers: one('--workers', 'N', 'Lifecycle', {
    defaultText: '1',
    help: 'processes that answer; more than 1: for a shared Deployment on several cores, one more process directs them',
    parse: wholeNumber(1, 64, 'processes'),
  }),
  jwksRefreshMs: one('--jwks-refresh', 'DURATION', 'Keys of the issuers', {
    defaultText: '10m',
    help: 'age at which keys are fetched again when the issuer states none',
    parse: duration('1s', '24h'),
  }),
  jwksMinRefreshMs: one('--jwks-min-refresh', 'DURATION', 'Keys of the issuers', {
    defaultText: '1m',
    help: 'shortest such age, whatever the issuer states',
    parse: duration('1s', '24h'),
  }),
  jwksCooldownMs: one('--jwks-cooldown', 'DURATION', 'Keys of the issuers', {
    defaultText: '30s',
    help: 'shortest time between fetches for unknown keys, and after a failed one: a flood of junk tokens costs one fetch',
    parse: duration('1s', '24h'),
  }),
  jwksMaxStaleMs: one('--jwks-max-stale', 'DURATION', 'Keys of the issuers', {
    defaultText: '24h',
    help: 'how long keys serve after the last good fetch',
    parse: duration('1s', '168h'),
  }),
  dpopReplayEntries: one('--dpop-replay-entries', 'N', 'DPoP proofs', {
    defaultText: '100000',
    help: 'proofs remembered at one time, so that none counts twice; when full, DPoP gets 503; about 300 bytes each',
    parse: wholeNumber(1, 10_000_000, 'proofs'),
  }),
  dpopReplayStore: optional('--dpop-replay-store', 'URL', 'DPoP proofs', {
    help: 'Redis 7 or Valkey that replicas share, so that a proof counts once among them: redis:// or rediss://[USER@]HOST:PORT/DATABASE',
    parse: replayStoreAddress,
  }),
  dpopReplayStorePasswordFile: optional('--dpop-replay-store-password-file', 'FILE', 'DPoP proofs', {
    help: 'password of that store; read again for each connection',
    parse: filePath,
  }),
  dpopReplayStoreCaFile: optional('--dpop-replay-store-ca', 'FILE', 'DPoP proofs', {
    help: 'PEM authorities that signed its certificate, instead of the public ones; read again for each connection',
    parse: filePath,
  }),
  dpopNonceKeyFile: optional('--dpop-nonce-key', 'FILE', 'DPoP proofs', {
    help: 'keys of nonces that replicas share, one a line, 32 bytes or more in hex or base64; the first seals, all open; watched; by default a random one',
    parse: filePath,
  }),
  kubeconfigFile: optional('--kubeconfig', 'FILE', 'Kubernetes', {
    help: 'credentials for configmap: sources; by default the file that KUBECONFIG names, else those of the pod',
    parse: filePath,
  }),
  watchIdleTimeoutMs: one('--watch-idle-timeout', 'DURATION', 'Kubernetes', {
    defaultText: '75s',
    help: 'a watch without a byte for this long is taken as dead; API servers say something once a minute, so less than that opens quiet ones anew',
    parse: duration('1s', '1h'),
  }),
  kubernetesEvents: one('--kubernetes-events', 'on|off', 'Kubernetes', {
    defaultText: 'on',
    help: 'Events on the ConfigMaps, where RBAC allows them; off where many sidecars would say the same',
    parse: choice(['on', 'off']),
  }),
  maxTokenBytes: one('--max-token-bytes', 'BYTES', 'Limits', {
    defaultText: '16384',
    help: 'longer tokens are refused unread; bounds the work of a request',
    parse: wholeNumber(64, 1_048_576, 'bytes'),
  }),
  tokenCacheEntries: one('--token-cache-entries', 'N', 'Limits', {
    defaultText: '20000',
    help: 'verified tokens to remember, so that each signature is checked once; bounds memory; 0 remembers none',
    parse: wholeNumber(0, 10_000_000, 'tokens'),
  }),
  maxMessageBytes: one('--max-message-bytes', 'BYTES', 'Limits', {
    defaultText: '262144',
    help: 'longest check that is read; bounds memory; where Envoy passes bodies on, its limit of them and 131072',
    parse: wholeNumber(65_536, 16_777_216, 'bytes'),
  }),
  maxConnections: one('--max-connections', 'N', 'Limits', {
    defaultText: '1024',
    help: 'gRPC connections at one time, one for each worker thread of each Envoy; further ones are closed; bounds memory',
    parse: wholeNumber(1, 65_536, 'connections'),
  }),
};
