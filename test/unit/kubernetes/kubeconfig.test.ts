/**
 * Where credentials are looked for, and what a list of kubeconfigs means.
 */
import type { RequestOptions } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCluster } from '../../../src/kubernetes/cluster.ts';
import { buildKubeConfig, findPlace, readTexts } from '../../../src/kubernetes/kubeconfig.ts';
import { createFolder, createRecorder, type Folder } from './subject.ts';

let folder: Folder;
beforeEach(async () => {
  folder = await createFolder();
});
afterEach(() => folder.remove());

describe('findPlace', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const places: Record<
    string,
    { readonly file?: string; readonly env: Record<string, string>; readonly place: unknown }
  > = {
    'file and all else: the file': {
      file: 'f',
      env: { ...pod, KUBECONFIG: 'g' },
      place: { kind: 'files', paths: ['f'] },
    },
    'KUBECONFIG in a pod: that one': { env: { ...pod, KUBECONFIG: 'g' }, place: { kind: 'files', paths: ['g'] } },
    'KUBECONFIG with several: all': { env: { KUBECONFIG: 'g::h' }, place: { kind: 'files', paths: ['g', 'h'] } },
    'KUBECONFIG empty, in a pod: the pod': { env: { ...pod, KUBECONFIG: '' }, place: { kind: 'in-cluster', root: '' } },
    'a pod: its service account': { env: pod, place: { kind: 'in-cluster', root: '' } },
    'half a pod: nothing': { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, place: undefined },
    'a home folder: nothing, since a person was not asked for': { env: { HOME: '/root' }, place: undefined },
  };
  it.each(Object.entries(places))('%s', (_name, { file, env, place }) => {
    expect(findPlace(file, env)).toEqual(place);
  });
});

it('openCluster, nothing configured: rejects and says what to do', async () => {
  delete process.env['KUBECONFIG'];
  delete process.env['KUBERNETES_SERVICE_HOST'];
  const opening = openCluster({ kubeconfigFile: undefined, idleTimeoutMs: 1 }, createRecorder().clusterObserver);
  await expect(opening).rejects.toThrow(/--kubeconfig FILE, set KUBECONFIG, or run in a pod/);
});

describe('several kubeconfigs', () => {
  const config = (name: string, over: object = {}): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `https://${name}` } }],
      users: [{ name: 'u', user: { token: name } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      ...over,
    });

  async function build(...paths: string[]): Promise<ReturnType<typeof buildKubeConfig>> {
    const place = { kind: 'files' as const, paths: paths.map((path) => `${folder.path}/${path}`) };
    return buildKubeConfig(place, await readTexts(place));
  }

  it('one name twice: the first counts', async () => {
    await folder.write('a', config('first'));
    await folder.write('b', config('second', { 'current-context': 'x' }));
    const built = await build('a', 'b');
    expect([built.getCurrentCluster()?.server, built.getCurrentUser()?.token]).toEqual(['https://first', 'first']);
  });

  it('context, cluster and user in three files: put together', async () => {
    await folder.write(
      'a',
      JSON.stringify({ contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' }),
    );
    await folder.write('b', config('second', { users: [], contexts: [] }));
    await folder.write('c', config('third', { clusters: [], contexts: [], 'current-context': 'y' }));
    const built = await build('a', 'b', 'c');
    expect([built.getCurrentCluster()?.server, built.getCurrentUser()?.token]).toEqual(['https://second', 'third']);
  });

  it('one of them is absent: left out', async () => {
    await folder.write('b', config('second', { 'current-context': 'x' }));
    expect((await build('a', 'b')).getCurrentCluster()?.server).toBe('https://second');
  });

  it('all of them are absent: rejects', async () => {
    await expect(build('a', 'b')).rejects.toThrow(/ENOENT.*\/a'/);
  });

  it('one of them is a folder: rejects', async () => {
    await expect(readTexts({ kind: 'files', paths: [folder.path] })).rejects.toThrow(/EISDIR/);
  });

  it('context without a user: the CA is used all the same', async () => {
    await folder.write('ca.pem', 'CA');
    const clusters = [{ name: 'c', cluster: { server: 'https://a', 'certificate-authority': 'ca.pem' } }];
    await folder.write(
      'a',
      config('a', {
        clusters,
        users: [],
        contexts: [{ name: 'x', context: { cluster: 'c' } }],
        'current-context': 'x',
      }),
    );
    const options: RequestOptions = {};
    await (await build('a')).applyToHTTPSOptions(options);
    expect((options.ca as Buffer).toString()).toBe('CA');
  });

  it('user that is not there: rejects', async () => {
    await folder.write('a', config('a', { users: [], 'current-context': 'x' }));
    await expect(build('a')).rejects.toThrow(/has no user "u"/);
  });

  it('paths beside the kubeconfig: made absolute, a plain command is not', async () => {
    const user = (exec: object): object => ({ users: [{ name: 'u', user: { exec } }], 'current-context': 'x' });
    await folder.write('a', config('a', user({ command: 'bin/plugin' })));
    await folder.write('b', config('b', user({ command: 'aws' })));
    const commands = await Promise.all(
      ['a', 'b'].map(async (path) => (await build(path)).getCurrentUser()?.exec as { command: string }),
    );
    expect(commands.map(({ command }) => command)).toEqual([`${folder.path}/bin/plugin`, 'aws']);
  });
});
