/** What `--state` is worth: a restart while everything else is away. And what a sidecar that reads files does not pay for. */
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSigner } from '../support/es256.ts';
import { type JwksServer, startJwksServer } from '../support/jwks-server.ts';
import { type Serve, startServe } from '../support/serve.ts';

let folder: string;
let issuer: JwksServer;
let running: Serve[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-state-'));
  issuer = await startJwksServer();
  const signer = await createSigner('k1');
  issuer.publish([signer.jwk]);
});
afterEach(async () => {
  await Promise.all(running.map(({ child }) => child.stop(0)));
  running = [];
  await issuer.close();
  await rm(folder, { recursive: true });
  vi.unstubAllEnvs();
});

function writePolicy(name: string): Promise<void> {
  const issuers = [
    {
      name: 'corp',
      issuer: issuer.origin,
      audiences: ['api'],
      jwks: { uri: issuer.jwksUri },
      insecure: { allowHttp: true },
    },
  ];
  const rules = [{ name, paths: ['/a'], require: { scopes: ['read'] } }];
  return writeFile(
    join(folder, 'policy.yaml'),
    JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', issuers, rules }),
  );
}

async function serve(...args: string[]): Promise<Serve> {
  const started = await startServe('--grpc', '127.0.0.1:0', '--state', join(folder, 'state'), ...args);
  running.push(started);
  return started;
}

function serveFile(...args: string[]): Promise<Serve> {
  return serve('--policy', join(folder, 'policy.yaml'), ...args);
}

/** After a start while all was well; the state has everything, and the process is gone. */
async function savedHash(): Promise<unknown> {
  await writePolicy('first');
  const serving = await serveFile();
  await serving.logged('ready');
  const { body } = await serving.readyz();
  await serving.child.stop();
  return body['policy'];
}

describe('a restart', { timeout: 60_000 }, () => {
  it('the policy file and the issuer are gone: ready with what was saved, which is said, until the live one comes', async () => {
    const hash = await savedHash();
    expect((await readdir(join(folder, 'state'))).toSorted()).toEqual(['keys.json', 'sources.json']);
    await rm(join(folder, 'policy.yaml'));
    await issuer.close();

    const serving = await serveFile();
    await serving.logged('ready');
    const { status, body } = await serving.readyz();
    const source = join(folder, 'policy.yaml');
    expect([status, body['policy']]).toEqual([200, hash]);
    expect(body['fromState']).toEqual({ [source]: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(body['missing']).toContain(`policy source ${source} is served from the saved state`);
    expect(body['issuers']).toMatchObject({ corp: { hasKeys: true, lastError: 'connect' } });
    await serving.logged('policy source is served from the saved state');
    await serving.logged('keys of the saved state serve until the issuer answers');

    await writePolicy('second');
    await serving.logged('policy applied', (entry) => entry['policy'] !== hash);
    expect((await serving.readyz()).body).toMatchObject({ status: 'ready', missing: [], fromState: {} });
  });

  it('keys past --jwks-max-stale: not ready, however good they were', async () => {
    await savedHash();
    await issuer.close();
    const serving = await serveFile('--jwks-max-stale', '1s');
    await serving.logged('policy applied');
    await serving.logged('keys cannot be fetched');
    const { body } = await serving.readyz();
    expect(body).toMatchObject({ status: 'not_ready', issuers: { corp: { hasKeys: false } } });
  });

  it('a state that others may write: refused, and nothing of it is used', async () => {
    await savedHash();
    await rm(join(folder, 'policy.yaml'));
    await chmod(join(folder, 'state/sources.json'), 0o666);
    const serving = await serveFile();
    const { reason } = await serving.logged('saved state refused, it is not used');
    expect(reason).toBe('may be written by others (mode 0666)');
    await serving.logged('policy source cannot be read, what was loaded of it before stays');
    expect((await serving.readyz()).body).toMatchObject({ status: 'not_ready', policy: null, fromState: {} });
  });

  it('a folder that cannot be made: said, and everything else goes on', async () => {
    await writePolicy('first');
    await writeFile(join(folder, 'state'), 'a file');
    const serving = await serveFile();
    await serving.logged('ready');
    expect(await serving.logged('state cannot be saved')).toMatchObject({ level: 'error' });
  });
});

describe('an API server', { timeout: 60_000 }, () => {
  it('that never answers: a file is served all the same, within seconds, and the ConfigMap is said to be missing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const kubeconfig = join(folder, 'kubeconfig');
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server } }],
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
      { mode: 0o600 },
    );
    try {
      await writePolicy('first');
      const serving = await serveFile('--policy', 'configmap:shop/main', '--kubeconfig', kubeconfig);
      await serving.logged('ready');
      const { body } = await serving.readyz();
      expect(body['unreadable']).toEqual({ 'configmap:shop/main': 'it has not answered yet' });
      const metrics = await (await fetch(`http://${serving.admin}/metrics`)).text();
      expect(metrics).toContain('scopegate_policy_watch_connected{source="configmap:shop/main"} 0\n');
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('that nothing names: could not start, in one line', async () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
    const started = startServe('--grpc', '127.0.0.1:0', '--policy', 'configmap:shop/main');
    await expect(started).rejects.toThrow(/exited with code 1 .*no cluster is configured/);
  });
});

describe('a sidecar that reads files', { timeout: 60_000 }, () => {
  it('loads nothing of Kubernetes; one that watches a ConfigMap does', async () => {
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) {
        if (/@kubernetes|src\\/kubernetes\\/(?!cluster-ports|config-map)/.test(url)) process.stderr.write('loads ' + url + '\\n');
        return next(url, context);
      } });`;
    vi.stubEnv('NODE_OPTIONS', `--import data:text/javascript,${encodeURIComponent(hook)}`);
    await writePolicy('first');
    const serving = await serveFile();
    await serving.logged('ready');
    expect(serving.entries.filter(({ msg }) => msg === 'stderr')).toEqual([]);
    await writeFile(join(folder, 'kubeconfig'), '{}', { mode: 0o600 });
    const watching = await serve('--policy', 'configmap:a/b', '--kubeconfig', join(folder, 'kubeconfig'));
    expect(watching.entries.filter(({ msg }) => msg === 'stderr').length).toBeGreaterThan(1);
  });
});
