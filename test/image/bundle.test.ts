/**
 * Promises: the bundle is the whole program in few files, loads only what a process needs, and says whose work it contains.
 * Leaves to others: that it behaves: the tests of the wire and of Envoy run on it by SCOPEGATE_MAIN.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../deploy/image/bundle.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'scopegate-'));
const dist = join(folder, 'out/dist');

beforeAll(() => bundle(join(folder, 'out')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files that are read when `file` is imported, itself included. */
function readWith(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(dist, file), 'utf8');
  for (const [, next = ''] of text.matchAll(/^(?:import|export)\b[^;]*?"\.\/([^"]+)";$/gm)) readWith(next, found);
  return found;
}

const textOf = (files: Iterable<string>): string =>
  [...files].map((file) => readFileSync(join(dist, file), 'utf8')).join('\n');

describe('the bundle', () => {
  it('needs nothing but Node', () => {
    const foreign = [
      ...textOf(readdirSync(dist).filter((file) => file.endsWith('.js'))).matchAll(/^import\b[^;]*?"([^"]+)";$/gm),
    ]
      .map(([, from = '']) => from)
      .filter((from) => !from.startsWith('./') && !from.startsWith('node:'));
    expect(foreign.filter((from) => !isBuiltin(from))).toEqual([]);
  });

  it('help and mistakes: two files of less than 200 KiB', () => {
    const files = readWith('main.js');
    expect([...files].toSorted()).toEqual(['command.js', 'main.js']);
    expect(textOf(files).length).toBeLessThan(200 * 1024);
  });

  it('serve from a file: neither the Kubernetes client nor the other commands are read', () => {
    const text = textOf(readWith('sidecar.js'));
    expect(text).not.toMatch(/class KubeConfig\b|class OpenIDConnectAuth\b|function importOpenapi\b/);
  });

  it('serve: what most policies need no part of is read when it is asked for', () => {
    const text = textOf(readWith('sidecar.js'));
    expect(text).not.toMatch(/class RE2JS\b|function celEnv\b|class Http2SubchannelConnector\b/);
    expect(textOf(readWith('compile-condition.js'))).toMatch(/class RE2JS\b|RE2JS = class/);
    expect(text).not.toMatch(/from "node:(?:https|tls|child_process)"|__require\("(?:assert|https|zlib)"\)/);
    expect([...readWith('compile-condition.js')]).not.toContain('serve.js');
    expect([...readWith('grpc-js-transport.js')]).not.toContain('tools.js');
  });

  it('lint: what serves is not read', () => {
    expect([...readWith('lint.js')]).not.toContain('serve.js');
  });

  it('the Kubernetes client: its generated API and undici are not bundled, its ways to authenticate are', () => {
    const text = textOf(readWith('cluster.js'));
    for (const name of [
      'KubeConfig',
      'ExecAuth',
      'OpenIDConnectAuth',
      'AzureAuth',
      'GoogleCloudPlatformAuth',
      'FileAuth',
    ]) {
      expect(text).toMatch(new RegExp(`class ${name}\\b|var ${name} = class`));
    }
    expect(text).not.toMatch(/V1Pod\b|class ProxyAgent extends/);
  });

  it('names of functions stay, so that a stack can be read', () => {
    expect(textOf(['serve.js'])).toMatch(/^async function startSidecar\(/m);
  });

  it('every package of it is told of, with its licence', () => {
    const notices = readFileSync(join(folder, 'out/THIRD-PARTY-NOTICES.txt'), 'utf8');
    const told = new Set(
      [...notices.matchAll(/^((?:@[a-z0-9-]+\/)?[a-z0-9.-]+) \d+\.\d+\.\S+\nLicence: \S/gm)].map(([, name]) => name),
    );
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    expect(Object.keys(dependencies).filter((name) => !told.has(name))).toEqual([]);
    // Brought by those.
    expect([...told]).toEqual(expect.arrayContaining(['protobufjs', 'openid-client', 'js-yaml']));
    expect([...told]).not.toContain('undici');
    expect(notices).toContain('Permission is hereby granted, free of charge');
  });

  it('lints, tests and explains as the sources do', async () => {
    const policy = join(folder, 'policy.yaml');
    writeFileSync(
      policy,
      'apiVersion: scopegate.dev/v1\nkind: Policy\nrules: [{ name: a, paths: [/a], access: public }]\n',
    );
    const commands = [
      ['--version'],
      ['--help'],
      ['lint', policy],
      ['test', policy],
      ['explain', '--policy', policy, '--request', 'GET https://x.test/a'],
      ['import', 'openapi', '--help'],
    ];
    for (const command of commands) {
      const [bundled, source] = [join(dist, 'main.js'), 'src/main.ts'].map((main) =>
        run(process.execPath, [main, ...command]),
      );
      expect((await bundled)?.stdout).toBe((await source)?.stdout);
    }
  });
});
