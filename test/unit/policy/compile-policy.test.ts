import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { compilePolicy } from '../../../src/policy/compile-policy.ts';
import { type ParsedFile, parseDocuments } from '../../../src/policy/document.ts';

const corp = { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] };
const open = { name: 'open', paths: ['/open'], access: 'public' };
const conditional = { name: 'tenant', paths: ['/a'], require: { when: 'claims.tenant == "a"' } };
const mistaken = { name: 'mistaken', paths: ['/a'], require: { when: 'claims.tenant = "a"' } };

const documents = (name: string, content: object): ParsedFile['documents'] =>
  parseDocuments({ name, text: JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...content }) })
    .documents;

const loaded = vi.fn<() => void>();
let compiled: typeof compilePolicy;

/** Modules as a process has them that has just started. */
beforeEach(async () => {
  loaded.mockClear();
  vi.resetModules();
  vi.doMock('@bufbuild/cel', (original) => {
    loaded();
    return original<object>();
  });
  ({ compilePolicy: compiled } = await import('../../../src/policy/compile-policy.ts'));
});

describe('the language of conditions', () => {
  it('no document has a condition: not loaded', async () => {
    const { snapshot } = await compiled(documents('a.yaml', { issuers: [corp], rules: [open] }));
    expect(snapshot?.rules).toHaveLength(1);
    expect(loaded).not.toHaveBeenCalled();
  });

  it('a condition in the last of several documents: loaded, and compiled', async () => {
    const all = [
      ...documents('a.yaml', { issuers: [corp], rules: [open] }),
      ...documents('b.yaml', { rules: [conditional] }),
    ];
    const { snapshot } = await compiled(all);
    expect(snapshot?.rules.find(({ name }) => name === 'tenant')?.require.condition).toHaveProperty('evaluate');
    expect(loaded).toHaveBeenCalledOnce();
  });

  it('a policy without conditions before: the next one may have the first', async () => {
    const first = await compiled(documents('a.yaml', { issuers: [corp], rules: [open] }));
    const second = await compiled(documents('a.yaml', { issuers: [corp], rules: [open, conditional] }), first.snapshot);
    expect(second.snapshot?.rules).toHaveLength(2);
  });

  it('a condition with a mistake: told as ever', async () => {
    const { problems } = await compiled(documents('a.yaml', { issuers: [corp], rules: [mistaken] }));
    expect(problems).toMatchObject([{ severity: 'error', code: 'condition' }]);
  });

  it('a condition in a document that has other mistakes: checked all the same', async () => {
    const { problems } = await compiled(
      documents('a.yaml', { issuers: [corp], rules: [mistaken, { name: 'b', paths: 7 }] }),
    );
    expect(problems).toMatchObject([{ severity: 'error', code: 'condition' }]);
  });

  it('every field that the schema has, conditions among them: nothing is asked of the language before it is there', async () => {
    const text = readFileSync(new URL('every-field.yaml', import.meta.url), 'utf8');
    const { snapshot } = await compiled(parseDocuments({ name: 'every-field.yaml', text }).documents);
    expect(snapshot?.rules.some(({ require }) => require.condition !== undefined)).toBe(true);
  });

  it('cannot be loaded: a fault, and no policy', async () => {
    vi.doMock('@bufbuild/cel', () => {
      throw new Error('not there');
    });
    await expect(compiled(documents('a.yaml', { issuers: [corp], rules: [conditional] }))).rejects.toThrow();
  });
});
