/** A running serve and the tests in its policy. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Serve, startServe } from '../support/serve.ts';

let folder: string;
let serve: Serve | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopegate-tests-'));
});

afterEach(async () => {
  await serve?.child.stop();
  serve = undefined;
  await rm(folder, { recursive: true });
});

/** Replaces the file in one step; the test expects `access` of its rule. */
async function write(access: 'public' | 'deny', expected: 'allow' | 'deny'): Promise<void> {
  const text = [
    'apiVersion: scopegate.dev/v1',
    'kind: Policy',
    `rules: [{ name: a, paths: [/a], access: ${access} }]`,
    'tests:',
    `  - { name: t, request: GET https://x.test/a, token: none, expect: { decision: ${expected} } }`,
    '',
  ].join('\n');
  await writeFile(join(folder, 'next'), text);
  await rename(join(folder, 'next'), join(folder, 'policy.yaml'));
}

describe('serve with a policy that has tests', { timeout: 20_000 }, () => {
  it('they fail: not active, reported with their place like any other error; mended: active', async () => {
    await write('public', 'deny');
    const file = join(folder, 'policy.yaml');
    serve = await startServe('--policy', file, '--grpc', '127.0.0.1:0');
    const refused = {
      problems: [
        `${file}:5:5: error[test_failed]: test \`t\` expects deny, and it is allow 200 allowed_public by rule a (rule a is \`access: public\`)`,
      ],
    };
    expect(await serve.logged('policy refused, no version of it is in force')).toMatchObject(refused);
    expect(await serve.readyz()).toMatchObject({
      status: 503,
      body: { policy: null, rejected: [{ problems: [{ code: 'test_failed', line: 5, column: 5 }] }] },
    });

    await write('public', 'allow');
    const { policy } = await serve.logged('policy applied');
    await serve.logged('ready');

    await write('deny', 'allow');
    await serve.logged('policy refused, its last good version stays', ({ problems }) =>
      String(problems).includes('rule_deny'),
    );
    expect(await serve.readyz()).toMatchObject({ status: 200, body: { policy, rejected: [{ source: file }] } });
  });
});
