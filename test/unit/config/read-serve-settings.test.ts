import { expect, it } from 'vitest';
import { type ReadSettings, readServeSettings } from '../../../src/config/read-serve-settings.ts';
import { environmentName, serveOptions } from '../../../src/config/serve-options.ts';

const policy: [string, string[]] = ['--policy', ['p.yaml']];

const paths = (...texts: string[]) => texts.map((text) => ({ kind: 'path', text, path: text }));

function read(flags: [string, string[]][], environment: Record<string, string> = {}): ReadSettings {
  return readServeSettings(new Map(flags), environment);
}

function settings(flags: [string, string[]][], environment: Record<string, string> = {}) {
  const result = read(flags, environment);
  if ('errors' in result) {
    throw new Error(result.errors.join('\n'));
  }
  return result.settings;
}

it('only --policy: every default of the public interface', () => {
  expect(settings([policy])).toStrictEqual({
    policySources: paths('p.yaml'),
    stateDir: undefined,
    grpcAddresses: ['127.0.0.1:9001'],
    grpcTls: undefined,
    admission: undefined,
    grpcSocketMode: 0o660,
    adminAddress: '127.0.0.1:9002',
    logLevel: 'info',
    logFormat: undefined,
    decisionLog: 'denied',
    decisionLogSample: 1,
    decisionLogPerSecond: 1000,
    logSubjects: false,
    drainMs: 20_000,
    readyTimeoutMs: 60_000,
    transport: 'http2',
    workers: 1,
    jwksRefreshMs: 600_000,
    jwksMinRefreshMs: 60_000,
    jwksCooldownMs: 30_000,
    jwksMaxStaleMs: 86_400_000,
    dpopReplayEntries: 100_000,
    dpopReplayStore: undefined,
    dpopNonceKeyFile: undefined,
    kubeconfigFile: undefined,
    watchIdleTimeoutMs: 75_000,
    kubernetesEvents: 'on',
    maxTokenBytes: 16_384,
    tokenCacheEntries: 20_000,
    maxMessageBytes: 262_144,
    maxConnections: 1024,
  });
});

it('settings cannot be changed afterwards', () => {
  const result = settings([policy, ['--grpc-tls-cert', ['c']], ['--grpc-tls-key', ['k']]]);
  expect(
    [result, result.policySources, result.policySources[0], result.grpcAddresses, result.grpcTls].every(
      Object.isFrozen,
    ),
  ).toBe(true);
});

const cases: Record<string, [flags: [string, string[]][], environment: Record<string, string>, expected: object]> = {
  'a variable without a flag: the variable': [[policy], { SCOPEGATE_DRAIN: '5s' }, { drainMs: 5000 }],
  'a variable and a flag: the flag': [[policy, ['--drain', ['1s']]], { SCOPEGATE_DRAIN: '5s' }, { drainMs: 1000 }],
  'a bad variable behind a good flag: never read': [
    [policy, ['--drain', ['1s']]],
    { SCOPEGATE_DRAIN: 'soon' },
    { drainMs: 1000 },
  ],
  'an empty variable: the default': [[policy], { SCOPEGATE_DRAIN: ' ' }, { drainMs: 20_000 }],
  'a flag given twice: the last': [[policy, ['--drain', ['1s', '2s']]], {}, { drainMs: 2000 }],
  'several policies in the variable: split at white space': [
    [],
    { SCOPEGATE_POLICY: ' a.yaml\n b.yaml\t/c ' },
    { policySources: paths('a.yaml', 'b.yaml', '/c') },
  ],
  'several addresses in the variable: split at white space': [
    [policy],
    { SCOPEGATE_GRPC: '127.0.0.1:0 unix:/run/s' },
    { grpcAddresses: ['127.0.0.1:0', 'unix:/run/s'] },
  ],
  'policy flags beside the variable: only the flags': [
    [['--policy', ['x', 'y']]],
    { SCOPEGATE_POLICY: 'a' },
    { policySources: paths('x', 'y') },
  ],
  'a switch by its variable: on': [[policy], { SCOPEGATE_LOG_SUBJECTS: 'true' }, { logSubjects: true }],
  'a switch by its flag: on': [[policy, ['--log-subjects', ['true']]], {}, { logSubjects: true }],
  'certificate and key: TLS': [
    [policy, ['--grpc-tls-cert', ['c.pem']]],
    { SCOPEGATE_GRPC_TLS_KEY: 'k.pem' },
    { grpcTls: { certFile: 'c.pem', keyFile: 'k.pem', clientCaFile: undefined } },
  ],
  'certificate, key and authorities: mutual TLS': [
    [policy, ['--grpc-tls-cert', ['c']], ['--grpc-tls-key', ['k']], ['--grpc-tls-client-ca', ['ca']]],
    {},
    { grpcTls: { certFile: 'c', keyFile: 'k', clientCaFile: 'ca' } },
  ],
  'a webhook with its key pair': [
    [policy, ['--admission', ['[::]:8443']], ['--admission-tls-cert', ['c']], ['--admission-tls-key', ['k']]],
    {},
    { admission: { address: '[::]:8443', certFile: 'c', keyFile: 'k' }, grpcTls: undefined },
  ],
  'DP-14 a shared store with its files: one setting': [
    [policy, ['--dpop-replay-store', ['rediss://scopegate@[2001:db8::1]:6380/3']]],
    { SCOPEGATE_DPOP_REPLAY_STORE_PASSWORD_FILE: '/p', SCOPEGATE_DPOP_REPLAY_STORE_CA: '/ca' },
    {
      dpopReplayStore: {
        hasTls: true,
        host: '2001:db8::1',
        port: 6380,
        username: 'scopegate',
        database: 3,
        passwordFile: '/p',
        caFile: '/ca',
      },
    },
  ],
  'a state folder, credentials and silence by variables': [
    [policy],
    { SCOPEGATE_STATE: '/var/lib/s', SCOPEGATE_KUBECONFIG: '/k', SCOPEGATE_KUBERNETES_EVENTS: 'off' },
    { stateDir: '/var/lib/s', kubeconfigFile: '/k', kubernetesEvents: 'off' },
  ],
  'keys aged in seconds: accepted': [
    [policy, ['--jwks-refresh', ['1s']], ['--jwks-min-refresh', ['1s']]],
    { SCOPEGATE_JWKS_COOLDOWN: '1s', SCOPEGATE_JWKS_MAX_STALE: '1s' },
    { jwksRefreshMs: 1000, jwksMinRefreshMs: 1000, jwksCooldownMs: 1000, jwksMaxStaleMs: 1000 },
  ],
  'several workers: by a variable': [[policy], { SCOPEGATE_WORKERS: '4' }, { workers: 4 }],
  'a variable of a service link: ignored': [[policy], { SCOPEGATE_PORT: 'tcp://10.0.0.1:9001' }, { workers: 1 }],
};

it.each(Object.entries(cases))('%s', (_name, [flags, environment, expected]) => {
  expect(settings(flags, environment)).toMatchObject(expected);
});

const mistakes: Record<string, [flags: [string, string[]][], environment: Record<string, string>, starts: string[]]> = {
  'no policy: names --policy': [[], {}, ['--policy: a policy is required']],
  'a bad flag: named as the flag': [[policy, ['--drain', ['soon']]], {}, ['--drain: expected a duration']],
  'a bad variable: named as the variable': [[policy], { SCOPEGATE_DRAIN: 'soon' }, ['SCOPEGATE_DRAIN: expected a dur']],
  'several mistakes: all at once': [
    [
      ['--grpc', ['x']],
      ['--workers', ['0']],
    ],
    { SCOPEGATE_LOG_LEVEL: 'loud' },
    [
      '--policy: ',
      '--grpc: expected HOST:PORT',
      'SCOPEGATE_LOG_LEVEL: expected trace, debug',
      '--workers: expected a whole number from 1 to 64',
    ],
  ],
  'a policy twice: refused': [[['--policy', ['p', 'p']]], {}, ['--policy: "p" is given twice']],
  'a ConfigMap twice: refused': [
    [['--policy', ['configmap:shop/orders', 'configmap:shop/orders']]],
    {},
    ['--policy: "configmap:shop/orders" is given twice'],
  ],
  'a webhook without certificate: never plain text': [
    [policy, ['--admission', ['127.0.0.1:0']]],
    {},
    ['--admission: expected --admission-tls-cert and --admission-tls-key beside it'],
  ],
  'a webhook with half a key pair: one mistake, not two': [
    [policy, ['--admission', ['127.0.0.1:0']], ['--admission-tls-cert', ['c']]],
    {},
    ['--admission-tls-cert: expected --admission-tls-key beside it'],
  ],
  'a certificate for a webhook that there is not: names the option that is missing': [
    [policy, ['--admission-tls-cert', ['c']], ['--admission-tls-key', ['k']]],
    {},
    ['--admission-tls-cert: expected --admission beside it'],
  ],
  'a webhook on a unix socket: refused, API servers cannot reach it': [
    [policy, ['--admission', ['unix:/s']], ['--admission-tls-cert', ['c']], ['--admission-tls-key', ['k']]],
    {},
    ['--admission: expected HOST:PORT'],
  ],
  'a certificate without key: names both': [
    [policy, ['--grpc-tls-cert', ['c']]],
    {},
    ['--grpc-tls-cert: expected --grpc-tls-key beside it'],
  ],
  'a key without certificate: names both': [
    [policy, ['--grpc-tls-key', ['k']]],
    {},
    ['--grpc-tls-key: expected --grpc-tls-cert beside it'],
  ],
  'authorities without certificate: never plain text': [
    [policy, ['--grpc-tls-client-ca', ['ca']]],
    {},
    ['--grpc-tls-client-ca: expected --grpc-tls-cert and --grpc-tls-key beside it'],
  ],
  'an ill-formed key path beside a certificate: one mistake, not two': [
    [policy, ['--grpc-tls-cert', ['c']], ['--grpc-tls-key', ['']]],
    {},
    ['--grpc-tls-key: expected the path of a file'],
  ],
};

it.each(Object.entries(mistakes))('%s', (_name, [flags, environment, starts]) => {
  const result = read(flags, environment);
  const errors = 'errors' in result ? result.errors : [];
  expect(errors.map((error, index) => error.slice(0, starts[index]?.length))).toStrictEqual(starts);
});

const stores: Record<string, readonly [flags: [string, string[]][], expected: RegExp | undefined]> = {
  'a host alone: taken': [[['--dpop-replay-store', ['redis://store']]], undefined],
  'a database that is not named: taken': [[['--dpop-replay-store', ['redis://store:6379/']]], undefined],
  'a password in the URL: refused, and not shown': [
    [['--dpop-replay-store', ['redis://user:hunter2@store']]],
    /^--dpop-replay-store: (?!.*hunter2).*--dpop-replay-store-password-file$/,
  ],
  'a password with a slash and an @ in the URL: not shown either': [
    [['--dpop-replay-store', ['redis://:hunter2/a@b@store']]],
    /^--dpop-replay-store: (?!.*hunter2)/,
  ],
  'http: refused': [[['--dpop-replay-store', ['http://store']]], /^--dpop-replay-store: expected redis:/],
  'port 0: refused': [[['--dpop-replay-store', ['redis://store:0']]], /^--dpop-replay-store: expected redis:/],
  'options of a client behind the URL: refused': [
    [['--dpop-replay-store', ['redis://store/0?tls=no']]],
    /^--dpop-replay-store: expected redis:/,
  ],
  'authorities without TLS: refused': [
    [
      ['--dpop-replay-store', ['redis://store']],
      ['--dpop-replay-store-ca', ['ca.pem']],
    ],
    /^--dpop-replay-store-ca: expected --dpop-replay-store rediss:/,
  ],
  'a password without a store: refused': [
    [['--dpop-replay-store-password-file', ['p']]],
    /^--dpop-replay-store-password-file: expected --dpop-replay-store beside it$/,
  ],
  'room for no proof: refused': [[['--dpop-replay-entries', ['0']]], /^--dpop-replay-entries: expected a whole/],
};

it.each(Object.entries(stores))('%s', (_name, [flags, expected]) => {
  const result = read([policy, ...flags]);
  const errors = 'errors' in result ? result.errors : [];
  expect(errors).toHaveLength(expected === undefined ? 0 : 1);
  expect(errors.join()).toMatch(expected ?? /^$/);
});

it('options and variables: each name once, and a default that its own parser accepts', () => {
  const rows = Object.values(serveOptions);
  const flags = rows.map((row) => row.flag);
  expect(new Set(flags.map(environmentName)).size).toBe(flags.length);
  expect(flags.filter((flag) => !/^--[a-z]+(?:-[a-z]+)*$/.test(flag))).toStrictEqual([]);
  const refused = rows.filter((row) => row.defaultText !== undefined && 'problem' in row.parse([row.defaultText]));
  expect(refused).toStrictEqual([]);
});
