/** What a process of `serve` loads of the language of conditions, and when; asked of Node, which loads it. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followServe, mainFile, type Serve } from '../support/serve.ts';

let folder: string;
let serve: Serve | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-conditions-'));
});

afterEach(async () => {
  await serve?.child.stop();
  serve = undefined;
  await rm(folder, { recursive: true });
});

/** Tells of every module on stderr, before it is loaded. */
const telling = `data:text/javascript,${encodeURIComponent(
  `import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => { process.stderr.write('loads ' + url + '\\n'); return next(url, context); } });`,
)}`;

/** Nothing is signed by it. */
const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', use: 'sig' };
const issuer = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'], jwks: { inline: { keys: [key] } } };
const open = { name: 'open', paths: ['/open'], access: 'public' };
const conditional = { name: 'tenant', paths: ['/t'], require: { when: 'claims.tenant == "a"' } };

/** A policy whose own tests ask its condition: it is in force only when that is evaluated. */
const withCondition = {
  issuers: [issuer],
  rules: [open, conditional],
  tests: ['a', 'b'].map((tenant) => ({
    name: `tenant ${tenant}`,
    request: 'GET https://shop.test/t',
    token: { issuer: 'corp', claims: { sub: 'ada', tenant } },
    expect: { decision: tenant === 'a' ? 'allow' : 'deny' },
  })),
};

async function write(policy: object): Promise<void> {
  await writeFile(join(folder, 'next'), JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...policy }));
  await rename(join(folder, 'next'), join(folder, 'policy.json'));
}

async function start(): Promise<Serve> {
  const listeners = ['--grpc', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-format', 'json'];
  const policy = ['--policy', join(folder, 'policy.json')];
  return followServe(process.execPath, ['--import', telling, mainFile, 'serve', ...policy, ...listeners]);
}

/** The modules that were loaded: of the sources, or the file of the bundle that holds them. */
function loaded({ entries }: Serve, pattern: RegExp): readonly unknown[] {
  return entries.map(({ line }) => line).filter((line) => typeof line === 'string' && pattern.test(line));
}

const language = /^loads file:.*(?:\/src\/condition\/compile-condition\.ts|\/condition\.js|\/@bufbuild\/.*)$/;
const anything = /^loads file:.*\/(?:src\/sidecar\/sidecar\.ts|serve\.js)$/;

describe('the language of conditions', { timeout: 20_000 }, () => {
  it('a policy without one: not loaded; the first that comes later: loaded, and in force', async () => {
    await write({ rules: [open] });
    serve = await start();
    const { policy: first } = await serve.logged('policy applied');
    await serve.logged('ready');
    expect(loaded(serve, anything)).toHaveLength(1);
    expect(loaded(serve, language)).toEqual([]);

    await write(withCondition);
    await serve.logged('policy applied', ({ policy }) => policy !== first);
    expect(loaded(serve, language)).not.toEqual([]);
  });

  it('the policy at start has one: in force from the first check', async () => {
    await write(withCondition);
    serve = await start();
    expect(await serve.logged('policy applied')).toMatchObject({ rules: 2 });
    await serve.logged('ready');
    expect(loaded(serve, language)).not.toEqual([]);
  });
});
