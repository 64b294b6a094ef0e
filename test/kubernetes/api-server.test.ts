/** The API server of these tests itself: what the others take for granted. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from './api-server.ts';
import { applyShippedRole, createNamespace, createToken } from './cluster-access.ts';

let api: ApiServer;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api?.stop());

it('kubectl and the server are of one version, and the server says so', async () => {
  const { code, stdout } = await api.kubectl(['version', '-o', 'json']);
  expect(code).toBe(0);
  const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { gitVersion?: string }>;
  expect(serverVersion?.gitVersion).toMatch(/^v1\.\d+\.\d+$/);
  expect(clientVersion?.gitVersion).toBe(serverVersion?.gitVersion);
});

it('the token of the shipped Role reads one ConfigMap, writes events there, and can do nothing else', async () => {
  const namespace = await createNamespace(api);
  await applyShippedRole(api, namespace);
  const token = await createToken(api, namespace);
  const can = async (...question: string[]): Promise<boolean> => {
    const args = ['auth', 'can-i', ...question, '-n', namespace, '--token', token];
    return (await api.kubectl(args)).stdout.trim() === 'yes';
  };
  const policy = 'configmaps/scopegate-policy';
  const answers = {
    get: await can('get', policy),
    watch: await can('watch', policy),
    change: await can('update', policy),
    other: await can('get', 'configmaps/other'),
    all: await can('list', 'configmaps'),
    secrets: await can('get', 'secrets'),
    events: await can('create', 'events.events.k8s.io'),
    readEvents: await can('list', 'events.events.k8s.io'),
  };
  expect(answers).toEqual({
    get: true,
    watch: true,
    change: false,
    other: false,
    all: false,
    secrets: false,
    events: true,
    readEvents: false,
  });
});

it('killed and started again: the same address, data and authority', async () => {
  const namespace = await createNamespace(api);
  await api.kill();
  await expect(api.request('GET', '/readyz')).rejects.toThrow('ECONNREFUSED');
  await api.restart();
  expect(await api.request('GET', `/api/v1/namespaces/${namespace}`)).toMatchObject({ metadata: { name: namespace } });
});

it('frozen and thawed: says nothing, then goes on', async () => {
  api.freeze();
  const asked = api.request('GET', '/readyz');
  const silence = new Promise((resolve) => setTimeout(resolve, 500, 'silence'));
  expect(await Promise.race([asked, silence])).toBe('silence');
  api.thaw();
  expect(await asked).toBe('ok');
});
