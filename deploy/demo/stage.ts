/**
 * Promises: everything the demo needs, running and joined: issuer, tokens, upstream, Scopegate, Envoy. Each thing's `stop` is
 * in the caller's list as soon as it runs, so that a failure halfway leaves nothing behind.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { envoyConfig } from '../envoy/config.ts';
import { envoyBinary } from '../envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../envoy/process.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { requireFree } from './local-server.ts';
import { getTokens, type Tokens } from './requests.ts';
import { type Scopegate, startScopegate } from './scopegate.ts';
import { startUpstream, type Upstream } from './upstream.ts';

export interface Stage {
  readonly envoy: RunningEnvoy;
  readonly issuer: Issuer;
  readonly scopegate: Scopegate;
  readonly upstream: Upstream;
  readonly tokens: Tokens;
  /** Of this run; holds the policy file. */
  readonly folder: string;
  readonly policyFile: string;
  /** Settles when the expired token has expired. */
  untilExpired(): Promise<void>;
  /** Settles with a line for the person when Envoy or Scopegate has ended. */
  readonly broken: Promise<string>;
}

/** The issuer's port in policy.yaml, which stands there so that the file can be read and linted as it is. */
const issuerInPolicy = 'http://127.0.0.1:9401';

export async function setUp(
  portBase: number,
  report: (line: string) => void,
  stops: (() => Promise<void>)[],
): Promise<Stage> {
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const thing = await starting;
    stops.push(() => thing.stop());
    return thing;
  };
  await requireFree('Envoy', portBase);
  const issuer = await started(startIssuer(portBase === 0 ? 0 : portBase + 1));
  report(`OAuth server (oidc-provider) at ${issuer.url}`);
  const tokens = await getTokens(issuer.url);
  report('tokens: client credentials, and a login by the authorization code flow');
  const upstream = await started(startUpstream());

  const folder = await mkdtemp(join(tmpdir(), 'scopegate-demo-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  // It holds tokens: whatever ends this process, it goes.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const policyFile = await copyPolicy(folder, issuer.url);
  const binary = await envoyBinary(report);
  const scopegate = await started(startScopegate(policyFile));
  report(
    `Scopegate ready, asked at ${scopegate.grpc.host}:${scopegate.grpc.port}; metrics at ${scopegate.admin}/metrics`,
  );
  const settings = {
    listenPort: portBase,
    authz: scopegate.grpc,
    upstream: { host: '127.0.0.1', port: upstream.port },
  };
  const envoy = await started(startEnvoy(binary, envoyConfig(settings)));
  report(`Envoy at http://127.0.0.1:${envoy.port}, its admin interface at ${envoy.admin}`);

  const broken = Promise.race([
    envoy.ended.then((phrase) => `Envoy ${phrase}`),
    scopegate.ended.then((phrase) => `Scopegate ${phrase}`),
  ]);
  return {
    envoy,
    issuer,
    scopegate,
    upstream,
    tokens,
    folder,
    policyFile,
    untilExpired: () => expiry(tokens.expired),
    broken,
  };
}

async function copyPolicy(folder: string, issuer: string): Promise<string> {
  const text = await readFile(new URL('policy.yaml', import.meta.url), 'utf8');
  const file = join(folder, 'policy.yaml');
  await writeFile(file, text.replaceAll(issuerInPolicy, issuer));
  return file;
}

async function expiry(token: string): Promise<void> {
  const expiresAtMs = (decodeJwt(token).exp ?? 0) * 1000;
  await delay(Math.max(0, expiresAtMs - Date.now()));
}
