/** What is said where Java or Maven is missing; all else about the installation is seen by its use. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keycloakHome } from './install.ts';

const known = { ...process.env };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-install-'));
  // The whole machine: no program but those that a test puts there, and nothing fetched before.
  process.env['PATH'] = folder;
  process.env['SCOPEGATE_CACHE'] = join(folder, 'cache');
});

afterEach(async () => {
  process.env['PATH'] = known['PATH'];
  if (known['SCOPEGATE_CACHE'] === undefined) delete process.env['SCOPEGATE_CACHE'];
  else process.env['SCOPEGATE_CACHE'] = known['SCOPEGATE_CACHE'];
  await rm(folder, { recursive: true });
});

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

const java = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`;

const machines: Readonly<Record<string, { programs: Readonly<Record<string, string>>; said: string }>> = {
  'no Java: what is needed': { programs: {}, said: 'Java 17 or later is needed for Keycloak: install a JDK' },
  'an older Java: which one it is': {
    programs: { java: `echo 'openjdk version "11.0.2" 2019-01-15' >&2` },
    said: 'Java 17 or later is needed for Keycloak: install a JDK (this one is Java 11)',
  },
  'no Maven: what is needed': { programs: { java }, said: 'Maven is needed to fetch Keycloak: install it' },
  'Maven fails: the line that says why': {
    programs: { java, mvn: "echo '[INFO] trying'; echo '[ERROR] no network'; echo '[ERROR] help'; exit 1" },
    said: 'mvn dependency:copy failed: [ERROR] no network',
  },
};

describe('Keycloak on a machine that lacks something', () => {
  it.each(Object.entries(machines))('%s', async (_name, { programs, said }) => {
    for (const [name, script] of Object.entries(programs)) await program(name, script);
    await expect(keycloakHome(() => {})).rejects.toThrow(
      expect.objectContaining({ name: 'SetupError', message: said }),
    );
  });
});
