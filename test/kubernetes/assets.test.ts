/** The search for the programs, with a `go` that is a script: what it is told, and what is said when it fails. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kubernetesAssets } from './assets.ts';

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-assets-'));
  lines = [];
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'module/cmd/etcd'), { recursive: true });
  await writeFile(join(folder, 'module/go.mod'), 'module a\n\nrequire (\n\tk8s.io/kubernetes v1.37.2\n)\n');
  await writeFile(join(folder, 'module/go.sum'), '');
  await writeFile(join(folder, 'module/cmd/etcd/main.go'), 'package main\n');
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
  await chmod(join(folder, name), 0o755);
}

/** A `go` that counts its builds in the file `builds`, and builds as `text` says; `$out` is where to. */
async function fakeGo(text: string): Promise<void> {
  await program(
    'bin/go',
    `if [ "$1" = version ]; then echo go version go1.26.8 linux/amd64; exit; fi
echo "$@" >> '${folder}/builds'
while [ "$1" != -o ]; do shift; done
out=$2
${text}`,
  );
}

const works = 'for name in kube-apiserver etcd kubectl; do echo > "$out$name"; chmod 755 "$out$name"; done';

async function builds(): Promise<readonly string[]> {
  return (await readFile(join(folder, 'builds'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
}

function assets(env: NodeJS.ProcessEnv = {}): Promise<string> {
  return kubernetesAssets({
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, SCOPEGATE_CACHE: join(folder, 'cache'), ...env },
    report: (line) => lines.push(line),
    progressMs: 20,
    module: join(folder, 'module'),
  });
}

describe('KUBEBUILDER_ASSETS', () => {
  it('is used as it is, and nothing is built', async () => {
    await fakeGo(works);
    for (const name of ['kube-apiserver', 'etcd', 'kubectl']) await program(name, '');
    expect(await assets({ KUBEBUILDER_ASSETS: folder })).toBe(folder);
    expect(await builds()).toEqual([]);
  });

  it('without one of the programs: an error that names it', async () => {
    for (const name of ['kube-apiserver', 'etcd']) await program(name, '');
    await expect(assets({ KUBEBUILDER_ASSETS: folder })).rejects.toThrow(
      `KUBEBUILDER_ASSETS=${folder} lacks kubectl, or they are not executable files`,
    );
  });
});

describe('the build', () => {
  it('happens once, with a version stamp and paths cut off, and is found again', async () => {
    await fakeGo(works);
    const first = await assets();
    expect(first).toMatch(/\/cache\/kubernetes-1\.37\.2-[0-9a-f]{16}$/);
    expect(await assets()).toBe(first);
    const [build, ...more] = await builds();
    expect(more).toEqual([]);
    expect(build).toContain('-trimpath');
    expect(build).toContain('-X k8s.io/component-base/version.gitVersion=v1.37.2');
    expect(build).toContain('-X k8s.io/component-base/version.gitMinor=37');
  });

  it.each(['go.mod', 'go.sum', 'cmd/etcd/main.go'])('another %s: another folder', async (name) => {
    await fakeGo(works);
    const first = await assets();
    await writeFile(join(folder, 'module', name), '\n\tk8s.io/kubernetes v1.37.2\n');
    expect(await assets()).not.toBe(first);
    expect(await builds()).toHaveLength(2);
  });

  it('asked for by three at once: one builds, the others wait and are served', async () => {
    await fakeGo(`sleep 0.3; ${works}`);
    const [first, ...others] = await Promise.all([assets(), assets(), assets()]);
    expect(new Set(others)).toEqual(new Set([first]));
    expect(await builds()).toHaveLength(1);
    expect(lines).toContain('another process builds Kubernetes; waiting for it');
  });

  it('the first of two fails: the second tries for itself', async () => {
    await fakeGo(`if [ $(wc -l < '${folder}/builds') = 1 ]; then sleep 0.3; echo no luck >&2; exit 1; fi; ${works}`);
    const results = await Promise.allSettled([assets(), assets()]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await builds()).toHaveLength(2);
  });

  it('shows how far it is', async () => {
    await fakeGo(
      `echo 'go: downloading k8s.io/api v0.37.2' >&2; echo internal/cpu >&2; echo k8s.io/api >&2; sleep 0.3; ${works}`,
    );
    await assets();
    expect(lines).toContain('building Kubernetes: 0 min 0 s, 1 modules fetched, 2 packages compiled');
  });

  const failures: Record<string, { readonly says: string; readonly expected: string }> = {
    'no network: said so': {
      says: 'go: k8s.io/api@v0.37.2: Get "https://proxy": dial tcp: lookup proxy: no such host',
      expected: 'no network: the modules of Kubernetes could not be fetched',
    },
    'an older Go: said so': {
      says: 'go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)',
      expected: 'this Go is older than the go.mod of test/kubernetes asks for',
    },
    'a full disk: said so': { says: 'write x: no space left on device', expected: 'no space left on the disk' },
    'killed: memory is suspected': { says: 'x: signal: killed', expected: 'it needs 2.5 GB' },
    'anything else: the last line': { says: 'what is this', expected: 'Kubernetes could not be built: what is this' },
  };
  it.each(Object.entries(failures))('%s', async (_name, { says, expected }) => {
    await fakeGo(`echo '${says}' >&2; exit 1`);
    await expect(assets()).rejects.toThrow(expected);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it('without Go: an error that names the two ways out', async () => {
    await expect(assets({ PATH: join(folder, 'bin') })).rejects.toThrow(
      /Go is not installed; .*: install Go, or set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl/,
    );
  });
});
