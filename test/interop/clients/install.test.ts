/** What is said where a program is missing that minters or clients need; all else about the installation is seen by its use. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { minterPrograms } from '../minters/install.ts';
import { clientParts } from './install.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-install-'));
  // The whole machine: no program but those that a test puts there, and nothing fetched before.
  vi.stubEnv('PATH', folder);
  vi.stubEnv('SCOPEGATE_CACHE', join(folder, 'cache'));
  vi.stubEnv('CHROMIUM_BIN', '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

interface Machine {
  readonly install: (report: (line: string) => void) => Promise<unknown>;
  /** Programs by name, as scripts of a shell. */
  readonly programs: Readonly<Record<string, string>>;
  readonly said: string;
}

const java = { java: `echo 'openjdk version "17.0.15" 2025-04-15' >&2` };
const npm = { npm: '' };
const python3 = { python3: 'echo Python 3.11.7' };
/** As if the client of Spring had been built. */
const mvn = { mvn: 'for last; do :; done; /bin/mkdir "${last%/*}/target"; : >"${last%/*}/target/client-1.jar"' };
const needPython = 'Python 3.10 or later is needed for tokens of PyJWT and for requests-oauthlib: install it, with pip';

const machines: Readonly<Record<string, Machine>> = {
  'minters without npm': {
    install: minterPrograms,
    programs: java,
    said: 'npm is needed for the issuers that the interop suite starts',
  },
  'minters without Python': { install: minterPrograms, programs: { ...java, ...npm }, said: needPython },
  'minters without pip': {
    install: minterPrograms,
    programs: { ...java, ...npm, python3: 'echo "python3: No module named pip" >&2; exit 1' },
    said: 'python3 pip failed: python3: No module named pip',
  },
  'minters without Maven': {
    install: minterPrograms,
    programs: { ...java, ...npm, ...python3 },
    said: 'Maven is needed to fetch Keycloak: install it',
  },
  'minters without Go': {
    install: minterPrograms,
    programs: { ...java, ...npm, ...python3, mvn: '' },
    said: 'Go 1.24 or later is needed for tokens of golang-jwt: install it',
  },
  'clients without Python': { install: clientParts, programs: npm, said: needPython },
  'clients without Chromium, and no Debian': {
    install: clientParts,
    programs: { ...java, ...npm, ...python3, ...mvn },
    said: 'no Chromium for the tests (spawn apt-get ENOENT): install chromium, or set CHROMIUM_BIN',
  },
  'clients without Chromium, and Debian does not answer': {
    install: clientParts,
    programs: { ...java, ...npm, ...python3, ...mvn, 'apt-get': 'echo "E: no network" >&2; exit 100' },
    said: 'no Chromium for the tests (E: no network): install chromium, or set CHROMIUM_BIN',
  },
};

describe('on a machine that lacks something', () => {
  it.each(Object.entries(machines))('%s: it is said', async (_name, { install, programs, said }) => {
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder, name), 0o755);
    }
    await expect(install(() => {})).rejects.toThrow(expect.objectContaining({ name: 'SetupError', message: said }));
  });
});
