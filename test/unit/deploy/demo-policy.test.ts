import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { parseDocuments } from '../../../src/policy/document.ts';

it('the policy of the demo: good as it stands in the repository, with a warning of plain http', () => {
  const text = readFileSync(new URL('../../../deploy/demo/policy.yaml', import.meta.url), 'utf8');
  const { documents, problems } = parseDocuments({ name: 'policy.yaml', text });
  const compiled = compile(documents);
  expect([...problems, ...compiled.problems].map(({ severity, code }) => [severity, code])).toEqual([
    ['warning', 'insecure'],
  ]);
  expect(compiled.snapshot?.rules).toHaveLength(4);
});
