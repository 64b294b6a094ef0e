import { expect, it } from 'vitest';
import { runProgram } from '../../../src/commands/program.ts';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';

const petShop = new URL('../openapi/pet-shop.yaml', import.meta.url).pathname;

interface Result {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

async function run(args: readonly string[], stdin = ''): Promise<Result> {
  let [out, error] = ['', ''];
  const exitCode = await runProgram(['import', ...args], {
    version: '1.2.3',
    environment: {},
    columns: undefined,
    isColored: false,
    now: () => 0,
    flush: async () => undefined,
    stdin: bytesOf(stdin),
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
    signals: { on: () => undefined, off: () => undefined },
    start: async () => {
      throw new Error('import starts nothing');
    },
  });
  return { exitCode, out, error };
}

const usage: Record<string, [args: readonly string[], error: string]> = {
  'no kind of document: said so': [
    [],
    'scopegate import: no kind of document given, such as openapi; see scopegate import --help\n',
  ],
  'an unknown kind: named': [
    ['swagger', 'x'],
    "scopegate import: unknown kind of document 'swagger', expected openapi; see scopegate import --help\n",
  ],
  'no file: said so': [
    ['openapi'],
    "scopegate import openapi: missing required argument 'FILE'; see scopegate import openapi --help\n",
  ],
  'two files: the second is named': [
    ['openapi', petShop, 'b.yaml'],
    "scopegate import openapi: unexpected argument 'b.yaml'; see scopegate import openapi --help\n",
  ],
  'an unknown option: named': [
    ['openapi', petShop, '--isuer', 'x'],
    "scopegate import openapi: unknown option '--isuer' (Did you mean --issuer?); see scopegate import openapi --help\n",
  ],
  'something else than public or deny: said so': [
    ['openapi', petShop, '--unsecured', 'allow'],
    'scopegate import openapi: --unsecured: expected public or deny; see scopegate import openapi --help\n',
  ],
  'an issuer that is no https URL: said so': [
    ['openapi', petShop, '--issuer', 'http://idp.test'],
    'scopegate import openapi: --issuer: expected an https URL; see scopegate import openapi --help\n',
  ],
  'an empty audience: said so': [
    ['openapi', petShop, '--audience', ''],
    'scopegate import openapi: --audience: expected text that is not empty; see scopegate import openapi --help\n',
  ],
  'a file that is not there: named': [
    ['openapi', '/nowhere/api.yaml'],
    'scopegate import openapi: /nowhere/api.yaml does not exist\n',
  ],
};

it.each(Object.entries(usage))('%s, exit 2, and nothing on stdout', async (_name, [args, error]) => {
  expect(await run(args)).toStrictEqual({ exitCode: 2, out: '', error });
});

it('a document: the policy alone on stdout, a report and a summary on stderr, exit 0', async () => {
  const { exitCode, out, error } = await run(['openapi', petShop, '--unsecured=public']);
  expect(exitCode).toBe(0);
  const { documents, problems } = parseDocuments({ name: 'policy.yaml', text: out });
  expect(problems).toEqual([]);
  expect(compile(documents).snapshot?.rules).toHaveLength(13);
  expect(out).toMatch(/^# yaml-language-server: \$schema=\S+\n/);
  const lines = error.trimEnd().split('\n');
  expect(lines.at(-1)).toBe(
    'scopegate import openapi: 8 rules want a token, 3 are public, 2 refused (0 without security, 2 not translated)',
  );
  expect(lines.slice(0, -1).filter((line) => !line.startsWith(`${petShop}:`))).toEqual([]);
  expect(lines).toContain(
    `${petShop}:87:3: error[path]: a policy has no word for this path, no request is allowed for its sake (a template is a whole segment, and a path has no query, \`*\` or \`;\`)`,
  );
});

it('a document on stdin with every option: what they say', async () => {
  const text = JSON.stringify({
    openapi: '3.1.0',
    components: { securitySchemes: { o: { type: 'oauth2' }, k: { type: 'apiKey' }, l: { type: 'apiKey' } } },
    paths: {
      '/a': { get: { security: [{ o: ['read'], k: [] }] }, put: {}, post: { security: [{ l: [] }] } },
    },
  });
  const options = ['--issuer', 'https://idp.test', '--audience', 'a', '--audience=b', '--unsecured', 'public'];
  const elsewhere = ['--checked-elsewhere', 'k', '--checked-elsewhere', 'l'];
  const { exitCode, out, error } = await run(['openapi', '-', ...options, ...elsewhere], text);
  expect([exitCode, error]).toEqual([
    0,
    'scopegate import openapi: 1 rules want a token, 2 are public, 0 refused (0 without security, 0 not translated)\n',
  ]);
  const [document] = parseDocuments({ name: 'policy.yaml', text: out }).documents;
  expect(document?.content).toMatchObject({
    issuers: [{ name: 'o', issuer: 'https://idp.test', audiences: ['a', 'b'] }],
    rules: [
      { name: 'get-a', issuers: ['o'], require: { scopes: ['read'] } },
      { name: 'put-a', access: 'public' },
      { name: 'post-a', access: 'public' },
    ],
  });
});

it('nothing can be translated: why on stderr, nothing on stdout, exit 1', async () => {
  expect(await run(['openapi', '-'], 'swagger: "2.0"\n')).toStrictEqual({
    exitCode: 1,
    out: '',
    error: '<stdin>:1:10: error[version]: Swagger 2.0 is not supported, convert the document to OpenAPI 3 first\n',
  });
});

it('--help: the options and the exit codes on stdout', async () => {
  const { exitCode, out, error } = await run(['openapi', '--help']);
  expect([exitCode, error]).toEqual([0, '']);
  expect(out).toMatch(/^Usage: scopegate import openapi FILE \[options\]\n/);
  for (const flag of ['--unsecured ACCESS', '--issuer URL', '--audience A', '--checked-elsewhere NAME']) {
    expect(out).toContain(`  ${flag} `);
  }
  expect(out).toContain('Exit codes: 0 a policy was written, 1 nothing could be translated, 2 bad usage');
});
