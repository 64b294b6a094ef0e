/**
 * Credentials as the cluster uses them, over real sockets: what changed on disk is used by the next request, what was refused is read anew
 * at once, and nothing is trusted that the kubeconfig does not name.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createSilentServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCredentials } from '../../../src/kubernetes/credentials.ts';
import { Failure } from '../../../src/kubernetes/failure.ts';
import type { CredentialPlace } from '../../../src/kubernetes/kubeconfig.ts';
import { refuse, type ScriptedApiServer, type ScriptedOptions, startApiServer } from './scripted-api-server.ts';
import { createFolder, createTestClock, type Folder, kubeconfig, type Subject, watchCluster } from './subject.ts';

const pem = (name: string): string => readFileSync(new URL(`../../support/${name}.pem`, import.meta.url), 'utf8');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const serverTls = { cert: pem('tls/server'), key: pem('tls/server-key') };
const renewedTls = { cert: pem('tls-server/renewed'), key: pem('tls-server/renewed-key') };
const v1 = { policy: { a: '1' } };

let server: ScriptedApiServer;
let folder: Folder;
let subject: Subject | undefined;

beforeEach(async () => {
  folder = await createFolder();
});

afterEach(async () => {
  subject?.close();
  await server.close();
  await folder.remove();
});

async function start(options: ScriptedOptions = {}): Promise<void> {
  server = await startApiServer(options);
  server.put('policy', { data: { a: '1' } });
}

function watching(place: CredentialPlace = { kind: 'files', paths: [`${folder.path}/config`] }): Subject {
  subject = watchCluster(place);
  return subject;
}

const opened = ({ told }: Subject, times = 1): Promise<void> =>
  told.until(() => told.connected.filter(Boolean).length === times && told.connected.at(-1) === true);

const sent = (): readonly (string | undefined)[] => server.asked.map(({ authorization }) => authorization);

describe('who we are', () => {
  interface WhoCase {
    readonly user: (path: string) => unknown;
    readonly authorization: string | undefined;
  }
  const users: Record<string, WhoCase> = {
    'a token: sent': { user: () => ({ token: 'abc' }), authorization: 'Bearer abc' },
    'a name and a password: sent': {
      user: () => ({ username: 'ada', password: 'pw' }),
      authorization: `Basic ${base64('ada:pw')}`,
    },
    'tokenFile beside the kubeconfig, with a line end: sent without it': {
      user: () => ({ tokenFile: 'token' }),
      authorization: 'Bearer of-a-file',
    },
    'token and tokenFile: that of the file': {
      user: (path) => ({ token: 'old', tokenFile: `${path}/token` }),
      authorization: 'Bearer of-a-file',
    },
    'a plugin: its token': {
      user: () => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', args: ['one'] } }),
      authorization: 'Bearer client.authentication.k8s.io/v1-one-false',
    },
    'nobody: nothing': { user: () => ({}), authorization: undefined },
  };

  it.each(Object.entries(users))('%s', async (_name, { user, authorization }) => {
    await start();
    await folder.write('token', 'of-a-file\n');
    const told = 'JSON.parse(process.env.KUBERNETES_EXEC_INFO)';
    const token = `[${told}.apiVersion, process.argv[2], ${told}.spec.interactive].join("-")`;
    await folder.write('plugin', `#!/usr/bin/env node\nconsole.log(JSON.stringify({ status: { token: ${token} } }))`);
    await folder.write('config', kubeconfig(server.url, user(folder.path)));
    const running = watching();
    await opened(running);
    expect(sent()).toEqual([authorization, authorization]);
    expect(running.now()).toEqual(v1);
  });

  it('a client certificate: shown', async () => {
    await start({ tls: { ...serverTls, ca: pem('tls/client-ca') } });
    const user = {
      'client-certificate-data': base64(pem('tls/client')),
      'client-key-data': base64(pem('tls/client-key')),
    };
    await folder.write('config', kubeconfig(server.url, user, { 'certificate-authority-data': base64(pem('tls/ca')) }));
    await opened(watching());
    expect(server.asked.map(({ client }) => client)).toEqual(['envoy', 'envoy']);
  });

  it('a pod: token and CA of its service account, and a token that was exchanged is used by the next request', async () => {
    await start({ tls: serverTls });
    const account = 'var/run/secrets/kubernetes.io/serviceaccount';
    execFileSync('mkdir', ['-p', `${folder.path}/${account}`]);
    await folder.write(`${account}/token`, 'first');
    await folder.write(`${account}/ca.crt`, pem('tls/ca'));
    process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = String(server.port);
    const running = watching({ kind: 'in-cluster', root: `${folder.path}/` });
    await opened(running);
    await folder.write(`${account}/token`, 'second');
    server.endWatches();
    await opened(running, 2);
    expect(sent()).toEqual(['Bearer first', 'Bearer first', 'Bearer second', 'Bearer second']);
    expect(running.told.states).toHaveLength(1);
  });

  it('a pod without a mounted token: says so', async () => {
    await start();
    process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    const running = watching({ kind: 'in-cluster', root: `${folder.path}/` });
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(
      /credentials cannot be read: ENOENT.*serviceaccount.*is the token of a service account mounted\?/,
    );
    expect(running.told.requested).toEqual([]);
  });
});

describe('credentials that are refused', () => {
  it('token file has changed since: sent at once, without a pause', async () => {
    await start();
    await folder.write('token', 'old');
    await folder.write('config', kubeconfig(server.url, { tokenFile: 'token' }));
    server.script('list', (exchange) => {
      writeFileSync(`${folder.path}/token`, 'new');
      refuse(401)(exchange);
    });
    const running = watching();
    await opened(running);
    expect(sent()).toEqual(['Bearer old', 'Bearer new', 'Bearer new']);
    expect(running.clock.pauses).toEqual([]);
    expect(running.told.states).toHaveLength(1);
  });

  it('token file was replaced before anything was refused: used by the next request', async () => {
    await start();
    await folder.write('token', 'old');
    await folder.write('config', kubeconfig(server.url, { tokenFile: 'token' }));
    const running = watching();
    await opened(running);
    await folder.write('token', 'new');
    server.endWatches();
    await opened(running, 2);
    expect(sent()).toEqual(['Bearer old', 'Bearer old', 'Bearer new', 'Bearer new']);
  });

  it('nothing has changed: not sent again before a pause', async () => {
    await start();
    await folder.write('config', kubeconfig(server.url, { token: 'old' }));
    server.script('list', refuse(401), refuse(401));
    const running = watching();
    await opened(running);
    expect(running.told.requested).toEqual(['list 401', 'list 401', 'list 200', 'watch 200']);
    expect(running.clock.pauses).toHaveLength(2);
  });

  it('a plugin is asked once for as long as its token serves, and again when it does not', async () => {
    await start();
    await folder.write(
      'plugin',
      '#!/bin/sh\necho x >> "$0.runs"\nprintf \'{"status":{"token":"t%s"}}\' "$(wc -l < "$0.runs" | tr -d " ")"',
    );
    await folder.write(
      'config',
      kubeconfig(server.url, {
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: `${folder.path}/plugin` },
      }),
    );
    const running = watching();
    await opened(running);
    server.script('list', refuse(401));
    server.endWatches();
    await opened(running, 2);
    expect(sent()).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2', 'Bearer t2']);
  });
});

describe('credentials that cannot be had', () => {
  const bad: Record<string, { readonly config: string; readonly reason: RegExp }> = {
    'no such file': { config: '', reason: /ENOENT/ },
    'not YAML': { config: '{', reason: /credentials cannot be read/ },
    'not a kubeconfig': { config: 'hello', reason: /config is not a kubeconfig/ },
    'no current-context': { config: '{"clusters":[],"users":[],"contexts":[]}', reason: /has no current-context/ },
    'context that is not there': { config: '{"current-context":"prod"}', reason: /has no context "prod"/ },
    'cluster that is not there': {
      config: '{"contexts":[{"name":"x","context":{"cluster":"gone","user":"u"}}],"current-context":"x"}',
      reason: /has no cluster "gone"/,
    },
    'plugin that fails': {
      config: kubeconfig('http://127.0.0.1:9', {
        exec: { command: '/bin/sh', args: ['-c', 'echo "log in\nfirst" >&2; exit 1'] },
      }),
      reason: /credentials cannot be read: log in first$/,
    },
    'plugin that is not there': {
      config: kubeconfig('http://127.0.0.1:9', { exec: { command: '/nowhere/plugin' } }),
      reason: /credentials cannot be read: spawn \/nowhere\/plugin ENOENT/,
    },
    'token that no header may hold': {
      config: kubeconfig('http://127.0.0.1:9', { token: 'a\nb' }),
      reason: /Invalid character/,
    },
    'plain HTTP where it was not asked for': {
      config: kubeconfig('http://127.0.0.1:9', {}, {}),
      reason: /HTTP protocol is not allowed/,
    },
  };

  it.each(Object.entries(bad))('%s: says so, and a file that is mended is read', async (_name, { config, reason }) => {
    await start();
    if (config !== '') await folder.write('config', config);
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(reason);
    await folder.write('next', kubeconfig(server.url));
    execFileSync('mv', [`${folder.path}/next`, `${folder.path}/config`]);
    await opened(running);
    expect(running.now()).toEqual(v1);
    expect(running.told.faults).toEqual([]);
  });

  const line = (text: string): string => kubeconfig('http://127.0.0.1:9', { token: '@' }).replace('"@"', text);
  const pluginThatPrints = (answer: string): string =>
    kubeconfig('http://127.0.0.1:9', { exec: { command: '/bin/echo', args: [answer] } });
  const secrets: Record<string, { readonly config: string; readonly reason: RegExp }> = {
    'text after a token': { config: line('"s3cret" s3cret'), reason: /config is not YAML: \w+ at line 1, column \d+$/ },
    'a token twice': { config: line('s3cret, token: s3cret'), reason: /config is not YAML: DUPLICATE_KEY at line 1/ },
    'a quote that is not closed': { config: line("'s3cret"), reason: /config is not YAML: MISSING_CHAR at line 1/ },
    'a token that looks like an alias': { config: line('*s3cret'), reason: /an alias in it names nothing$/ },
    'a plugin that prints the token alone': { config: pluginThatPrints('s3cret'), reason: /plugin .* is not JSON$/ },
    'a plugin that answers something else': {
      config: pluginThatPrints('{"token":"s3cret"}'),
      reason: /not have the right form$/,
    },
  };
  it.each(Object.entries(secrets))('%s: the reason quotes nothing of it', async (_name, { config, reason }) => {
    await start();
    await folder.write('config', config);
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(reason);
    expect(JSON.stringify([running.told.states, running.told.logged])).not.toContain('s3cret');
  });

  it('a tag that nobody knows before a token: no warning on stderr quotes it', async () => {
    await start();
    const warned: string[] = [];
    const listen = (warning: Error): void => void warned.push(warning.message);
    process.on('warning', listen);
    await folder.write('config', kubeconfig(server.url, { token: '@' }).replace('"@"', '!s3cret abc'));
    await opened(watching());
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect([sent()[0], warned]).toEqual(['Bearer abc', []]);
  });

  it('a plugin that hangs: not waited for beyond 10 s, run again after 60 s', async () => {
    await start();
    const clock = createTestClock();
    await folder.write(
      'plugin',
      '#!/bin/sh\necho x >> "$0.runs"\nif [ "$(wc -l < "$0.runs")" = 1 ]; then echo $$ > "$0.pid"; exec sleep 30 < /dev/null > /dev/null 2>&1; fi\necho \'{"status":{"token":"t"}}\'',
    );
    await folder.write('config', kubeconfig(server.url, { exec: { command: `${folder.path}/plugin` } }));
    const credentials = createCredentials({ kind: 'files', paths: [`${folder.path}/config`] }, clock.ports);
    const [first, second] = [credentials.access(), credentials.access()];
    const plugin = (): number => Number(readFileSync(`${folder.path}/plugin.pid`, 'utf8'));
    await expect.poll(() => existsSync(`${folder.path}/plugin.pid`) && plugin()).toBeGreaterThan(0);
    clock.advance(10_000);
    for (const late of [await first, await second])
      expect(late).toMatchObject({ reason: expect.stringMatching(/within 10 s/) });
    expect(await second).toBeInstanceOf(Failure);
    clock.advance(51_000);
    expect(await credentials.access()).toMatchObject({ headers: { Authorization: 'Bearer t' } });
    process.kill(plugin());
  });
});

describe('whom we talk to', () => {
  const ca = { 'certificate-authority': 'ca.pem' };

  it('server of another CA: refused, said to be a certificate problem, nothing is sent', async () => {
    await start({ tls: serverTls });
    await folder.write('ca.pem', pem('tls/other-ca'));
    await folder.write('config', kubeconfig(server.url, { token: 'abc' }, ca));
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(/^certificate problem with https:.*\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/);
    expect(server.asked).toEqual([]);
    expect(running.told.requested).toContain('list error');
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0: changes nothing', async () => {
    await start({ tls: serverTls });
    await folder.write('ca.pem', pem('tls/other-ca'));
    await folder.write('config', kubeconfig(server.url, {}, ca));
    // Node warns, which is not what is tested.
    process.removeAllListeners('warning');
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    expect(running.now()).toMatch(/certificate problem/);
  });

  it('server and CA file change: the new ones are used', async () => {
    await start({ tls: serverTls });
    await folder.write('ca.pem', pem('tls/ca'));
    await folder.write('config', kubeconfig(server.url, {}, ca));
    const running = watching();
    const { told } = running;
    await opened(running);
    server.setTls(renewedTls);
    server.put('policy', { data: { a: '2' } });
    server.drop();
    await told.until(() => told.states.at(-1)?.kind === 'unavailable');
    expect(running.now()).toMatch(/certificate problem/);
    await folder.write('ca.pem', renewedTls.cert);
    await opened(running, 2);
    expect(running.now()).toEqual({ policy: { a: '2' } });
  });

  it('a CA is withdrawn: no longer trusted, though the server is the same', async () => {
    await start({ tls: serverTls });
    await folder.write('ca.pem', pem('tls/ca'));
    await folder.write('config', kubeconfig(server.url, {}, ca));
    const running = watching();
    await opened(running);
    const asked = server.asked.length;
    await folder.write('ca.pem', pem('tls/other-ca'));
    server.drop();
    await running.told.until(() => running.told.states.length > 1);
    expect(running.now()).toMatch(/certificate problem/);
    expect(server.asked).toHaveLength(asked);
  });

  it('name of the server is set by the kubeconfig: that one is checked', async () => {
    await start({ tls: serverTls });
    await folder.write('ca.pem', pem('tls/ca'));
    await folder.write('config', kubeconfig(server.url, {}, { ...ca, 'tls-server-name': 'elsewhere.test' }));
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
    await folder.write('config', kubeconfig(server.url, {}, { ...ca, 'tls-server-name': 'localhost' }));
    await opened(running);
    expect(running.now()).toEqual(v1);
  });

  it('kubeconfig changes to another server: the next request goes there', async () => {
    await start();
    await folder.write('config', kubeconfig(server.url));
    const running = watching();
    await opened(running);
    const other = await startApiServer();
    other.put('policy', { data: { a: 'other' } });
    await folder.write('config', kubeconfig(`${other.url}/`));
    server.endWatches();
    await opened(running, 2);
    expect(running.now()).toEqual({ policy: { a: 'other' } });
    running.close();
    await other.close();
  });

  it('an address that accepts and says nothing: given up after 4 s', async () => {
    await start();
    const silent = createSilentServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const silentPort = (silent.address() as AddressInfo).port;
    await folder.write('config', kubeconfig(`https://127.0.0.1:${silentPort}`, {}, {}));
    const running = watching();
    await expect.poll(() => running.clock.delays()).toEqual([4000]);
    running.clock.advance(4000);
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(/no connection within 4 s/);
    running.close();
    silent.close();
  });

  const unreachable: Record<string, { readonly server: string; readonly reason: RegExp }> = {
    'nobody listens': { server: 'http://127.0.0.1:1', reason: /^http:\/\/127\.0\.0\.1:1: connection refused$/ },
    'name does not resolve': { server: 'http://nowhere.invalid', reason: /the name does not resolve/ },
    'IPv6 in brackets': {
      server: 'http://[::1]:1',
      reason: /^http:\/\/\[::1\]:1: (?:connection refused|.*EADDRNOTAVAIL)/,
    },
    'not a URL': { server: 'nonsense', reason: /Invalid URL/ },
  };
  it.each(Object.entries(unreachable))('%s: says so', async (_name, { server: to, reason }) => {
    await start();
    await folder.write('config', kubeconfig(to));
    const running = watching();
    await running.told.until(() => running.told.states.length > 0);
    expect(running.now()).toMatch(reason);
  });
});

describe('several watches', () => {
  it('share credentials: the plugin runs once', async () => {
    await start();
    await folder.write('plugin', '#!/bin/sh\necho x >> "$0.runs"\necho \'{"status":{"token":"t"}}\'');
    await folder.write('config', kubeconfig(server.url, { exec: { command: `${folder.path}/plugin` } }));
    const running = watching();
    running.cluster.watch({ kind: 'one', namespace: 'shop', name: 'other' }, running.told.watchObserver);
    await running.told.until(() => running.told.connected.length === 2);
    expect(readFileSync(`${folder.path}/plugin.runs`, 'utf8')).toBe('x\n');
  });

  it('one is closed: the other goes on', async () => {
    await start();
    await folder.write('config', kubeconfig(server.url));
    const running = watching();
    const { told, cluster } = running;
    await opened(running);
    cluster.watch({ kind: 'one', namespace: 'shop', name: 'other' }, told.watchObserver).close();
    server.put('policy', { data: { a: '2' } });
    await told.until(() => told.states.length === 2);
    expect(running.now()).toEqual({ policy: { a: '2' } });
  });
});
