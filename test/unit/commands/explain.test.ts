import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addExplain } from '../../../src/commands/explain.ts';

const now = Date.parse('2026-11-24T12:00:00Z') / 1000;
const issuer = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] };
let folder: string;
let token: string;
let keySet: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-explain-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }];
  keySet = JSON.stringify({ keys });
  const claims = { iss: issuer.issuer, aud: 'shop', sub: 'ada', scope: 'r', iat: now, exp: now + 300 };
  const signed = [{ alg: 'ES256', kid: 'k1' }, claims].map(part).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  token = `${signed}.${signature.toString('base64url')}`;
  const rules = [
    { name: 'read', paths: ['/a'], methods: ['GET'], require: { scopes: ['r'] }, headers: { 'x-user': 'sub' } },
    { name: 'write', paths: ['/a'], methods: ['POST'], require: { scopes: ['w'] } },
    { name: 'open', paths: ['/open'], access: 'public' },
  ];
  const head = { apiVersion: 'scopegate.dev/v1', kind: 'Policy' };
  const inline = { ...issuer, jwks: { inline: { keys } } };
  write('policy.yaml', JSON.stringify({ ...head, issuers: [inline], rules }));
  const failing = { name: 't', request: 'GET https://shop.test/open', token: 'none', expect: { decision: 'deny' } };
  write('failing-tests.yaml', JSON.stringify({ ...head, issuers: [inline], rules, tests: [failing] }));
  write(
    'unreachable.yaml',
    JSON.stringify({ ...head, issuers: [{ ...issuer, jwks: { uri: 'https://127.0.0.1:1/keys' } }], rules }),
  );
  const other = { name: 'other', issuer: 'https://other.test', audiences: ['x'], jwks: { inline: { keys } } };
  write('two-issuers.yaml', JSON.stringify({ ...head, issuers: [inline, other], rules }));
  write('bad.yaml', '{ "apiVersion": "scopegate.dev/v1", "kind": "Policy", "rulez": [] }');
  write('token.txt', `Bearer ${token}\r\n`);
  write('empty.txt', '\n');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function part(members: object): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url');
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

interface Result {
  exitCode: number | undefined;
  out: string;
  error: string;
}

/** `@` before a name stands for the folder of the test. */
async function run(args: readonly string[], stdin = ''): Promise<Result> {
  const result: Result = { exitCode: undefined, out: '', error: '' };
  const ports = {
    writeOut: (text: string) => {
      result.out += text;
    },
    writeError: (text: string) => {
      result.error += text;
    },
    stdin: (async function* chunks() {
      yield Buffer.from(stdin);
    })(),
    isColored: false,
    now: () => now * 1000,
  };
  const program = new Command('scopegate').exitOverride();
  addExplain(program, ports, (code) => {
    result.exitCode = code;
  });
  const [command] = program.commands;
  command?.configureOutput({ writeErr: ports.writeError, writeOut: ports.writeOut }).exitOverride();
  const paths = args.map((arg) => arg.replace(/^(@?)~/, `$1${folder}/`));
  await program.parseAsync(['explain', ...paths], { from: 'user' }).catch(() => {
    result.exitCode = 2;
  });
  result.error = result.error.replaceAll(`${folder}/`, '');
  return result;
}

const policy = ['--policy', '~policy.yaml'];
const get = ['--request', 'GET https://shop.test/a'];

const answers: Record<string, [args: readonly string[], exitCode: number, first: string, stdin?: () => string]> = {
  'a token in a file, with its scheme and a line end: verified with the keys of the policy': [
    [...policy, ...get, '--token', '@~token.txt'],
    0,
    'ALLOW allowed by rule read',
  ],
  'a token on stdin': [[...policy, ...get, '--token', '-'], 0, 'ALLOW allowed by rule read', () => `${token}\n`],
  'an altered token: refused': [
    [...policy, ...get, '--token', '-'],
    3,
    'DENY 401 signature_invalid by rule read',
    () => token.replace(/\.[^.]*$/, `.${'A'.repeat(86)}`),
  ],
  'a token of an hour later: expired': [
    [...policy, ...get, '--token', '@~token.txt', '--now', '2026-11-24T14:00:00+01:00'],
    3,
    'DENY 401 token_expired by rule read',
  ],
  'claims: what a token has besides is filled in': [
    [...policy, ...get, '--claims', '{"sub":"ada","scope":"r"}'],
    0,
    'ALLOW allowed by rule read',
  ],
  'claims that lack a scope': [
    [...policy, '--request', 'POST https://shop.test/a', '--claims', '{"sub":"ada","scope":"r"}'],
    3,
    'DENY 403 insufficient_scope by rule write',
  ],
  'claims of the issuer that is named': [
    ['--policy', '~two-issuers.yaml', ...get, '--claims', '{"sub":"ada","scope":"r"}', '--issuer', 'other'],
    0,
    'ALLOW allowed by rule read',
  ],
  'no credentials': [[...policy, ...get], 3, 'DENY 401 token_missing by rule read'],
  'a public rule': [[...policy, '--request', 'GET https://shop.test/open?x=1'], 0, 'ALLOW allowed_public by rule open'],
  'a URL without path: the root': [[...policy, '--request', 'GET https://shop.test'], 3, 'DENY 401 no_rule'],
  'EA-61 a path beyond ASCII: refused as from the mesh': [
    [...policy, '--request', 'GET https://shop.test/é'],
    3,
    'DENY 400 request_malformed',
  ],
  'EA-40 Authorization and a token: two credentials': [
    [...policy, ...get, '--header', 'Authorization: Bearer x', '--token', '@~token.txt'],
    3,
    'DENY 400 credentials_malformed by rule read',
  ],
  'EA-32 a gRPC caller: no status that Envoy would translate': [
    [...policy, '--request', 'POST https://shop.test//a', '--header', 'content-type: application/grpc'],
    3,
    'DENY 401 request_malformed',
  ],
  'a policy whose tests fail: explained all the same': [
    ['--policy', '~failing-tests.yaml', '--request', 'GET https://shop.test/open'],
    0,
    'ALLOW allowed_public by rule open',
  ],
  'keys that cannot be fetched: 503, and the failure is named': [
    ['--policy', '~unreachable.yaml', ...get, '--token', '@~token.txt'],
    3,
    'DENY 503 keys_unavailable by rule read',
  ],
};

it.each(Object.entries(answers))('%s', async (_name, [args, exitCode, first, stdin]) => {
  const { out, error, ...result } = await run(args, stdin?.());
  expect([result.exitCode, out.split('\n')[0], error]).toEqual([exitCode, first, '']);
  expect(out).not.toContain(token.split('.')[2]);
  if (first.includes('keys_unavailable'))
    expect(out).toMatch(/keys from https:\/\/127\.0\.0\.1:1\/keys; fetch: no connection, or it broke \(connect\)/);
});

const mistakes: Record<string, [args: readonly string[], error: string]> = {
  'no policy': [get, 'error: --policy FILE is required'],
  'no request': [policy, "error: --request 'METHOD URL' is required"],
  'a request without a host': [
    [...policy, '--request', 'GET /a'],
    'error: --request: expected a method and an http or https URL',
  ],
  'a fragment': [
    [...policy, '--request', 'GET https://shop.test/a#b'],
    'error: --request: no client sends the fragment',
  ],
  'a header that is none: not repeated': [
    [...policy, ...get, '--header', 'secret'],
    'error: --header: expected "name: value"\n',
  ],
  'an instant without a zone': [
    [...policy, ...get, '--now', '2026-11-24T12:00:00'],
    'error: --now: expected an instant',
  ],
  'an instant that is none': [
    [...policy, ...get, '--now', '2026-13-24T12:00:00Z'],
    'error: --now: expected an instant',
  ],
  'token and claims': [
    [...policy, ...get, '--token', 'x', '--claims', '{}'],
    'error: --token and --claims exclude each other',
  ],
  'an issuer without claims': [[...policy, ...get, '--issuer', 'corp'], 'error: --issuer goes with --claims'],
  'policy and token on stdin': [
    ['--policy', '-', ...get, '--token', '-'],
    'error: --policy - and --token - cannot both be stdin',
  ],
  'an argument too many': [[...policy, ...get, 'x'], "error: unexpected argument 'x'"],
  'an absent policy': [['--policy', '~no.yaml', ...get], 'scopegate explain: no.yaml does not exist\n'],
  'an absent token': [
    [...policy, ...get, '--token', '@~no.txt'],
    'scopegate explain: --token: no.txt does not exist\n',
  ],
  'a file without a token': [
    [...policy, ...get, '--token', '@~empty.txt'],
    'scopegate explain: --token: empty.txt holds no token\n',
  ],
  'claims that are no object': [
    [...policy, ...get, '--claims', '[]'],
    'scopegate explain: --claims: not a JSON object\n',
  ],
  'JWT-01 a claim twice': [
    [...policy, ...get, '--claims', '{"a":1,"a":2}'],
    'scopegate explain: --claims: a member twice in one object\n',
  ],
  'two issuers and none named': [
    ['--policy', '~two-issuers.yaml', ...get, '--claims', '{}'],
    'scopegate explain: --issuer: the policy has several issuers: corp, other\n',
  ],
  'an unknown issuer': [
    [...policy, ...get, '--claims', '{}', '--issuer', 'crop'],
    'scopegate explain: --issuer: the policy has no issuer of that name (did you mean `corp`?)\n',
  ],
  'a policy with errors: as lint prints them': [
    ['--policy', '~bad.yaml', ...get],
    'bad.yaml:1:55: error[unknown_field]: unknown field `rulez` (did you mean `rules`?)\nscopegate explain: the policy cannot be used: 1 error\n',
  ],
};

it.each(Object.entries(mistakes))('%s: exit 2, one clear line, nothing on stdout', async (_name, [args, wanted]) => {
  const { exitCode, out, error } = await run(args);
  expect([exitCode, out]).toEqual([2, '']);
  expect(error.slice(0, wanted.length)).toBe(wanted);
});

it.each([
  ['JWS-02 a signature that is no base64url', () => token.replace(/\.[^.]*$/, '.A'), 'signature form'],
  ['JWS-02 a payload that is no base64url', () => token.replace(/\.[^.]*\./, '.A.'), 'form'],
])('%s: the check of its form', async (_name, altered, check) => {
  const { out } = await run([...policy, ...get, '--token', '-', '--json'], altered());
  expect(JSON.parse(out)).toMatchObject({
    reason: 'token_malformed',
    steps: expect.arrayContaining([expect.objectContaining({ check, result: 'fail' })]),
  });
});

it('a token on the command line: works, with a hint that it shows', async () => {
  const { exitCode, out, error } = await run([...policy, ...get, '--token', token]);
  expect([exitCode, out.split('\n')[0]]).toEqual([0, 'ALLOW allowed by rule read']);
  expect(error).toBe(
    'scopegate explain: --token: a token on the command line shows in process lists; use @FILE or -\n',
  );
});

it('JWK-01 keys where the policy says: fetched once, and for no request that needs none', async () => {
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.setHeader('content-type', 'application/json');
    response.end(keySet);
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;
  const fetched = { ...issuer, jwks: { uri: `http://127.0.0.1:${port}/keys` }, insecure: { allowHttp: true } };
  const rules = [
    { name: 'read', paths: ['/a'] },
    { name: 'open', paths: ['/open'], access: 'public' },
  ];
  const shadow = { name: 'trial', paths: ['/open'], mode: 'shadow', require: { scopes: ['w'] } };
  const head = { apiVersion: 'scopegate.dev/v1', kind: 'Policy' };
  write('fetched.yaml', JSON.stringify({ ...head, issuers: [fetched], rules: [...rules, shadow] }));
  const args = ['--policy', '~fetched.yaml', '--token', '@~token.txt'];
  try {
    const missing = await run([...args, '--request', 'GET https://shop.test/gone']);
    expect([missing.exitCode, fetches]).toEqual([3, 0]);
    const allowed = await run([...args, ...get]);
    expect([allowed.exitCode, fetches]).toEqual([0, 1]);
    const open = await run([...args, '--request', 'GET https://shop.test/open']);
    expect(open.out).toContain('  trial  would deny: insufficient_scope\n');
  } finally {
    server.close();
  }
});

describe('--json', () => {
  it('interface section 6: one document', async () => {
    const { out } = await run([...policy, ...get, '--token', '@~token.txt', '--json', '--show-claims']);
    expect(JSON.parse(out)).toMatchObject({
      decision: 'allow',
      status: 200,
      reason: 'allowed',
      rule: 'read',
      headers: { set: { 'x-user': { claim: 'sub', value: 'ada' } }, removed: expect.arrayContaining(['x_user']) },
      token: { state: 'verified', issuer: 'corp' },
      answer: null,
    });
    expect(JSON.parse(out)).toHaveProperty('steps.21', expect.objectContaining({ check: 'headers', result: 'pass' }));
  });

  it('of a refusal: the answer of Envoy', async () => {
    const { exitCode, out } = await run([...policy, ...get, '--json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      decision: 'deny',
      status: 401,
      headers: { set: {}, removed: [] },
      answer: {
        status: 401,
        grpcCode: 16,
        headers: [
          ['www-authenticate', 'Bearer realm="scopegate", scope="r"'],
          ['cache-control', 'no-store'],
          ['content-type', 'application/json'],
        ],
      },
    });
  });
});
