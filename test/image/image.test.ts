/**
 * Promises: the image of the Dockerfile, built here from its sources and run as a cluster would run it: another user, a root that cannot
 * be written to, nothing in it but Node and the program.
 */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../../deploy/envoy/child.ts';
import { WireClient, wireAnswer } from '../support/doors-wire.ts';
import { followServe } from '../support/serve.ts';
import { type BuiltImage, buildImage, imageCommand } from './built-image.ts';

const policy = `apiVersion: scopegate.dev/v1
kind: Policy
rules:
  - { name: health, paths: [/healthz], access: public }
  - { name: internal, paths: [/internal/**], access: deny }
`;

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Left out only where somebody has said so. */
const isOff = process.env['SCOPEGATE_IMAGE_TESTS'] === 'off';

/** MiB that the program may take beside the base: 4.5 when this was written. */
const maxProgramMib = 6;
/** MiB resident with a small policy and no traffic: 86 when this was written, 109 before it was bundled. */
const maxResidentMib = 100;

describe.skipIf(isOff)('the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-'));
  let image: BuiltImage;
  let files: ReadonlyMap<string, number>;
  let added: readonly string[];

  beforeAll(async () => {
    writeFileSync(join(folder, 'policy.yaml'), policy);
    image = await buildImage(process.env);
    files = filesIn(image.root);
    const base = filesIn(image.base);
    added = [...files.keys()].filter((path) => !base.has(path));
    const [whole, program] = [mib([...files.keys()]), mib(added)];
    process.stdout.write(`image: ${whole.toFixed(1)} MiB, of which the program ${program.toFixed(1)} MiB\n`);
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await image?.remove();
  });

  function mib(paths: readonly string[]): number {
    return paths.reduce((sum, path) => sum + (files.get(path) ?? 0), 0) / 2 ** 20;
  }

  it('adds the program to its base and nothing else', () => {
    const outside = added.filter((path) => !/^\/app\/(?:dist|compile-cache)\//.test(path));
    expect(outside).toEqual(['/app/LICENSE', '/app/THIRD-PARTY-NOTICES.txt', '/app/package.json']);
    const odd = added.filter((path) => path.startsWith('/app/dist/') && !/^\/app\/dist\/[a-z0-9-]+\.js$/.test(path));
    expect(odd.filter((path) => path !== '/app/dist/proto/health/v1/health.proto')).toEqual([]);
  });

  it('is small', () => {
    expect(added.length).toBeLessThan(90);
    expect(mib(added)).toBeLessThan(maxProgramMib);
  });

  it('has no shell, no package manager, no sources and no node_modules', () => {
    const unwanted = /\/(?:(?:ba|da|a)?sh|busybox|npm|npx|corepack|yarn|apt|dpkg|apk|node_modules)(?:\/|$)|\.ts$|npmrc/;
    expect([...files.keys()].filter((path) => unwanted.test(path))).toEqual([]);
  });

  it('belongs to root and can be written to by nobody else', () => {
    const loose = added.filter((path) => {
      const { uid, mode } = lstatSync(join(image.root, path));
      return uid !== 0 || (mode & 0o022) !== 0 || (mode & 0o444) !== 0o444;
    });
    expect(loose).toEqual([]);
  });

  it('says what it is and who it runs as', () => {
    expect(image.config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['/nodejs/bin/node', '--max-semi-space-size=16', '/app/dist/main.js'],
      Cmd: ['serve'],
      Labels: {
        'org.opencontainers.image.title': 'scopegate',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    });
    expect(JSON.stringify(image.config)).not.toMatch(/npm|registry/i);
  });

  it('answers --version', async () => {
    const lines: string[] = [];
    expect(await (await runImage(['--version'], (line) => lines.push(line))).ended).toBe('exited with code 0');
    expect(lines).toEqual([version]);
  });

  it('serves a policy as user 65532 on a root that cannot be written to, and ends with 0 on SIGTERM', async () => {
    const settings = ['--policy', '/etc/scopegate/policy.yaml', '--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const { command, args } = await imageCommand(image, join(folder, 'policy.yaml'), ['serve', ...settings]);
    const serve = await followServe(command, args);
    const { child, grpc } = serve;
    await serve.logged('ready');

    expect(await serve.readyz()).toMatchObject({ status: 200 });
    expect(await decide(grpc[0] ?? '', '/healthz')).toMatchObject({ decision: 'allow', rule: 'health' });
    expect(await decide(grpc[0] ?? '', '/internal/x')).toMatchObject({
      decision: 'deny',
      status: 403,
      reason: 'rule_deny',
    });

    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    expect(/^Uid:\s+(.*)$/m.exec(status)?.[1]).toBe('65532\t65532\t65532\t65532');
    const residentMib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    process.stdout.write(`image: ${residentMib.toFixed(0)} MiB resident\n`);
    expect(residentMib).toBeLessThan(maxResidentMib);
    expect(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')).toMatch(/ \/ ro[, ]/);

    await child.stop(20_000);
    expect(await child.ended).toBe('exited with code 0');
  });

  it('reads what was compiled when it was built', async () => {
    const said: string[] = [];
    const child = await runImage(['--version'], undefined, (line) => said.push(line), [
      'NODE_DEBUG_NATIVE=COMPILE_CACHE',
    ]);
    await child.ended;
    const accepted = said.filter((line) => /code cache for ESM .*\/app\/dist\/command\.js was accepted/.test(line));
    expect(accepted).toHaveLength(1);
  });

  async function runImage(
    args: readonly string[],
    onStdout?: (line: string) => void,
    onStderr?: (line: string) => void,
    env: readonly string[] = [],
  ): Promise<Child> {
    const config = { ...image.config, Env: [...image.config.Env, ...env] };
    const { command, args: words } = await imageCommand({ ...image, config }, join(folder, 'policy.yaml'), args);
    return startChild(command, words, {
      ...(onStdout === undefined ? {} : { onStdout }),
      ...(onStderr === undefined ? {} : { onStderr }),
    });
  }
});

async function decide(address: string, path: string): Promise<ReturnType<typeof wireAnswer>> {
  const client = new WireClient(address);
  const request = { id: '1', method: 'GET', host: 'orders.test', path, headers: [], token: '', certificate: '' };
  try {
    return wireAnswer(request, await client.ask(request, 'map'));
  } finally {
    client.close();
  }
}

/** Every file and link with its size in bytes. */
function filesIn(root: string): ReadonlyMap<string, number> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  return new Map(paths.map((path) => [path.slice(root.length), lstatSync(path).size]));
}
