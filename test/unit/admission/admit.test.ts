import { describe, expect, it, vi } from 'vitest';
import { admit, type ReviewPolicy } from '../../../src/admission/admit.ts';
import type { PolicyFile } from '../../../src/policy/document.ts';
import type { Problem } from '../../../src/policy/problem.ts';

const uid = '0df28fbd-5f5f-11e8-bc74-36e6bb280816';
const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

function review(request: unknown): Record<string, unknown> {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}

function create(object: unknown, more: object = {}): Record<string, unknown> {
  return review({
    uid,
    resource: configMaps,
    operation: 'CREATE',
    namespace: 'shop',
    name: 'policy',
    object,
    ...more,
  });
}

const nothingWrong: ReviewPolicy = async () => [];

async function answer(body: unknown, reviewPolicy = nothingWrong): Promise<{ status: number; body: unknown }> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const { status, body: text } = await admit(bytes, reviewPolicy);
  return { status, body: JSON.parse(text) as unknown };
}

/** What the API server reads. */
async function responseTo(body: unknown, reviewPolicy = nothingWrong): Promise<Record<string, unknown>> {
  const answered = await answer(body, reviewPolicy);
  expect(answered).toMatchObject({ status: 200, body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' } });
  return (answered.body as { response: Record<string, unknown> }).response;
}

function problem(severity: Problem['severity'], more: Partial<Problem> = {}): Problem {
  const file = 'configmap/shop/policy/policy.yaml';
  return { severity, file, line: 3, column: 5, code: 'unknown_field', message: 'no such field', ...more };
}

describe('what is asked of the review', () => {
  const asked: Record<string, { object: object; more?: object; source?: string; files: readonly PolicyFile[] }> = {
    'every key of a document: its text under the name of its place, sorted': {
      object: { data: { 'b.yml': 'b', 'a.json': '{}', 'c.yaml': '' } },
      files: [
        { name: 'configmap/shop/policy/a.json', text: '{}' },
        { name: 'configmap/shop/policy/b.yml', text: 'b' },
        { name: 'configmap/shop/policy/c.yaml', text: '' },
      ],
    },
    'keys of other endings: not asked about': {
      object: { data: { 'notes.txt': 'x', yaml: 'x', 'policy.YAML': 'x', 'p.yaml.bak': 'x' } },
      files: [],
    },
    'no data: asked about a source without files': { object: {}, files: [] },
    'data that is null: asked about a source without files': { object: { data: null }, files: [] },
    'key `__proto__`: a key like any other': {
      object: JSON.parse('{"data":{"__proto__.yaml":"p","constructor.yaml":"c"}}') as object,
      files: [
        { name: 'configmap/shop/policy/__proto__.yaml', text: 'p' },
        { name: 'configmap/shop/policy/constructor.yaml', text: 'c' },
      ],
    },
    'update: the new object': {
      object: { data: { 'p.yaml': 'new' } },
      more: { operation: 'UPDATE', oldObject: { data: { 'p.yaml': 'old' } } },
      files: [{ name: 'configmap/shop/policy/p.yaml', text: 'new' }],
    },
    'dry run: the same': {
      object: { data: { 'p.yaml': 'x' } },
      more: { dryRun: true },
      files: [{ name: 'configmap/shop/policy/p.yaml', text: 'x' }],
    },
    'name made up by the API server: that of the object': {
      object: { metadata: { name: 'policy-x7k2p' }, data: { 'p.yaml': 'x' } },
      more: { name: '' },
      source: 'configmap/shop/policy-x7k2p',
      files: [{ name: 'configmap/shop/policy-x7k2p/p.yaml', text: 'x' }],
    },
    'as much data as Kubernetes stores: asked about': {
      object: { data: { 'p.yaml': 'x'.repeat(1_048_576) } },
      files: [{ name: 'configmap/shop/policy/p.yaml', text: 'x'.repeat(1_048_576) }],
    },
  };

  it.each(Object.entries(asked))('%s', async (_name, { object, more, source = 'configmap/shop/policy', files }) => {
    const reviewPolicy = vi.fn<ReviewPolicy>(nothingWrong);
    expect(await responseTo(create(object, more), reviewPolicy)).toEqual({ uid, allowed: true });
    expect(reviewPolicy.mock.calls).toEqual([[source, files]]);
  });
});

describe('what is none of our business', () => {
  const tooWide = ['Scopegate judges ConfigMaps only; the rules of its webhook are too wide'];
  const ignored: Record<string, { request: object; warnings?: readonly string[] }> = {
    'deletion: allowed': {
      request: { uid, resource: configMaps, operation: 'DELETE', namespace: 'shop', object: null },
    },
    'secret: allowed with a warning': {
      request: { uid, resource: { ...configMaps, resource: 'secrets' }, operation: 'CREATE', object: {} },
      warnings: tooWide,
    },
    'ConfigMap of another group: allowed with a warning': {
      request: { uid, resource: { ...configMaps, group: 'example.com' }, operation: 'CREATE', object: {} },
      warnings: tooWide,
    },
    'subresource: allowed with a warning': {
      request: { uid, resource: configMaps, subResource: 'status', operation: 'UPDATE', object: {} },
      warnings: tooWide,
    },
    'no resource: allowed with a warning': { request: { uid, operation: 'CREATE' }, warnings: tooWide },
  };

  it.each(Object.entries(ignored))('%s', async (_name, { request, warnings }) => {
    const reviewPolicy = vi.fn<ReviewPolicy>(nothingWrong);
    expect(await responseTo(review(request), reviewPolicy)).toEqual({
      uid,
      allowed: true,
      ...(warnings && { warnings }),
    });
    expect(reviewPolicy).not.toHaveBeenCalled();
  });
});

describe('what is no review: 400 in fixed words', () => {
  const notJson = 'the body is no JSON object in UTF-8';
  const notReview = 'the body is no AdmissionReview of admission.k8s.io/v1';
  const noUid = '`request.uid` is no UID';
  const noOperation = '`request.operation` is none of CREATE, UPDATE, DELETE and CONNECT';
  const noNamespace = '`request.namespace` is no name of a namespace';
  const noName = 'the name of the ConfigMap is missing or not well-formed';
  const malformed: Record<string, { body: unknown; error: string }> = {
    'nothing: not JSON': { body: '', error: notJson },
    'text: not JSON': { body: '<script>', error: notJson },
    'a list: no object': { body: '[]', error: notJson },
    'null: no object': { body: 'null', error: notJson },
    '100,000 lists in each other: no object': { body: `${'['.repeat(1e5)}${']'.repeat(1e5)}`, error: notJson },
    'JSON that is cut off: not JSON': { body: '{"apiVersion":"admission.k8s.io/v1"', error: notJson },
    'v1beta1: no review of ours': { body: { ...review({}), apiVersion: 'admission.k8s.io/v1beta1' }, error: notReview },
    'another kind: no review': { body: { ...review({}), kind: 'ConversionReview' }, error: notReview },
    'no request: said': { body: review(undefined), error: '`request` is missing' },
    'a list as request: said': { body: review([]), error: '`request` is missing' },
    'no UID: said': { body: create({}, { uid: undefined }), error: noUid },
    'number as UID: said': { body: create({}, { uid: 7 }), error: noUid },
    'UID with markup: said, not echoed': { body: create({}, { uid: '<b>' }), error: noUid },
    'UID with a line end: said, not echoed': { body: create({}, { uid: `${uid}\n` }), error: noUid },
    'UID of 65 characters: said': { body: create({}, { uid: 'a'.repeat(65) }), error: noUid },
    'no operation: said': { body: create({}, { operation: undefined }), error: noOperation },
    'operation of a prototype: said': { body: create({}, { operation: 'constructor' }), error: noOperation },
    'no object: said': { body: create(undefined), error: '`request.object` is missing' },
    'null as object: said': { body: create(null), error: '`request.object` is missing' },
    'no namespace: said': { body: create({}, { namespace: undefined }), error: noNamespace },
    'namespace with a slash: said': { body: create({}, { namespace: 'a/b' }), error: noNamespace },
    'namespace of 64 characters: said': { body: create({}, { namespace: 'a'.repeat(64) }), error: noNamespace },
    'name in capitals: said': { body: create({}, { name: 'Policy' }), error: noName },
    'name with dots that climb: said': { body: create({}, { name: '../policy' }), error: noName },
    'name of 254 characters: said': { body: create({}, { name: 'a'.repeat(254) }), error: noName },
    'no name anywhere: said': { body: create({ metadata: {} }, { name: '' }), error: noName },
    'a list as data: said': { body: create({ data: [] }), error: '`data` of the ConfigMap is no mapping' },
    'text as data: said': { body: create({ data: 'x' }), error: '`data` of the ConfigMap is no mapping' },
    'number in data: said': { body: create({ data: { 'p.yaml': 7 } }), error: 'a value of `data` is no text' },
    'key with a slash: said': {
      body: create({ data: { 'a/p.yaml': '' } }),
      error: 'a key of `data` is not well-formed',
    },
    'key that steers a terminal: said': {
      body: create({ data: { '\u001b[2Jp.yaml': '' } }),
      error: 'a key of `data` is not well-formed',
    },
    'more data than Kubernetes stores: said': {
      body: create({ data: { 'a.yaml': 'x'.repeat(1_048_575), b: 'é' } }),
      error: '`data` of the ConfigMap is larger than 1 MiB',
    },
  };

  it.each(Object.entries(malformed))('%s', async (_name, { body, error }) => {
    const reviewPolicy = vi.fn<ReviewPolicy>(nothingWrong);
    expect(await answer(body, reviewPolicy)).toEqual({ status: 400, body: { error } });
    expect(reviewPolicy).not.toHaveBeenCalled();
  });

  it('bytes that are no UTF-8: not JSON', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(await admit(bytes, nothingWrong)).toMatchObject({ status: 400, judged: undefined });
  });
});

describe('what comes of problems', () => {
  const policy = create({ data: { 'policy.yaml': 'x' } });
  const reviewed = (problems: readonly Problem[]): Promise<Record<string, unknown>> =>
    responseTo(policy, async () => problems);
  const messageOf = async (problems: readonly Problem[]): Promise<string> => {
    const { status } = await reviewed(problems);
    return (status as { message: string }).message;
  };

  it('an error: refused as invalid with its place, advice included', async () => {
    expect(await reviewed([problem('error', { hint: 'did you mean `rules`?' })])).toEqual({
      uid,
      allowed: false,
      status: {
        code: 422,
        reason: 'Invalid',
        message:
          '1 error in the policy of configmap/shop/policy:\n' +
          'configmap/shop/policy/policy.yaml:3:5: error[unknown_field]: no such field (did you mean `rules`?)',
      },
    });
  });

  it('errors and warnings: the errors only, those of other sources last', async () => {
    const other = problem('error', { file: 'configmap/shop/policy-two/a.yaml', code: 'test_failed' });
    const message = await messageOf([other, problem('warning'), problem('error', { line: 9 }), problem('error')]);
    expect(message.split('\n').map((line) => line.split(' ', 2).join(' '))).toEqual([
      '3 errors',
      'configmap/shop/policy/policy.yaml:3:5: error[unknown_field]:',
      'configmap/shop/policy/policy.yaml:9:5: error[unknown_field]:',
      'configmap/shop/policy-two/a.yaml:3:5: error[test_failed]:',
    ]);
  });

  it('more errors than anybody reads: the first 20 and how many more', async () => {
    const lines = (await messageOf(Array.from({ length: 500 }, (_, line) => problem('error', { line })))).split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.at(0)).toBe('500 errors in the policy of configmap/shop/policy:');
    expect(lines.at(-1)).toBe('and 480 more; `scopegate lint` tells all of them');
  });

  it('an error of any length: one line of at most 1,000 characters', async () => {
    const [, line = ''] = (await messageOf([problem('error', { message: 'x'.repeat(1e6) })])).split('\n');
    expect(line).toHaveLength(1000);
    expect(line).toMatch(/x…$/);
  });

  it('a cut through a character of two units: half of it is not told', async () => {
    const [, line = ''] = (await messageOf([problem('error', { message: `x${'\u{1F600}'.repeat(600)}` })])).split('\n');
    const [, odd = ''] = (await messageOf([problem('error', { message: '\u{1F600}'.repeat(600) })])).split('\n');
    expect([line.isWellFormed(), odd.isWellFormed()]).toEqual([true, true]);
  });

  it('a message that steers a terminal or ends the line: escaped', async () => {
    const message = await messageOf([problem('error', { message: 'a\u001b[31m\nb\u202e', hint: 'c\r' })]);
    expect(message.split('\n')).toHaveLength(2);
    expect(message).toContain('a\\u001b[31m\\u000ab\\u202e (c\\u000d)');
  });

  it('warnings only: allowed, one line each', async () => {
    expect(await reviewed([problem('warning'), problem('warning', { line: 4 })])).toEqual({
      uid,
      allowed: true,
      warnings: [
        'configmap/shop/policy/policy.yaml:3:5: warning[unknown_field]: no such field',
        'configmap/shop/policy/policy.yaml:4:5: warning[unknown_field]: no such field',
      ],
    });
  });

  it('more and longer warnings than an API server hands on: within its limits, and how many more', async () => {
    const many = Array.from({ length: 100 }, () => problem('warning', { message: 'y'.repeat(1000) }));
    const { warnings } = (await reviewed(many)) as { warnings: string[] };
    expect(warnings.every((line) => line.length <= 256)).toBe(true);
    expect(warnings.join('').length).toBeLessThanOrEqual(4096);
    expect(warnings.at(-1)).toBe('and 85 more warnings; `scopegate lint` tells all of them');
  });

  it('binary data: allowed with a warning that nobody reads it', async () => {
    const { warnings } = await responseTo(create({ data: {}, binaryData: { 'p.yaml': '/w==' } }));
    expect(warnings).toEqual(['configmap/shop/policy:1:1: warning[binary_data]: `binaryData` is never read']);
  });

  it.each([{}, null])('binary data that is %j: no warning', async (binaryData) => {
    expect(await responseTo(create({ binaryData }))).toEqual({ uid, allowed: true });
  });

  it('a review that fails: told to whoever asked, not answered', async () => {
    const fault = new Error('bug');
    await expect(admit(Buffer.from(JSON.stringify(policy)), () => Promise.reject(fault))).rejects.toBe(fault);
  });

  it.each([
    { problems: [problem('error')], allowed: false },
    { problems: [], allowed: true },
  ])('for the log: the source, and whether it was allowed ($allowed)', async ({ problems, allowed }) => {
    const { judged } = await admit(Buffer.from(JSON.stringify(policy)), async () => problems);
    expect(judged).toEqual({ source: 'configmap/shop/policy', allowed });
  });
});
