import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type JsonSchema, policyJsonSchema } from '../../../src/policy/json-schema.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { readYaml } from '../../../src/policy/yaml.ts';
import { badDocuments, head } from './bad-documents.ts';
import { invalidPlaces } from './json-schema-validator.ts';
import { compileTexts } from './policy-text.ts';

const root = join(import.meta.dirname, '../../..');
const schema = policyJsonSchema();

function valuesOf(text: string): readonly unknown[] {
  return readYaml('f', text).trees.flatMap((tree) => (tree === undefined ? [] : [tree.value]));
}

/** Texts of policies in the documentation. */
const documented = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/```ya?ml\n([^]*?)```/g)].map(([, text = '']) => text),
);

const good: readonly (readonly [string, string])[] = [
  ...documented.filter((text) => /^kind: Policy$/m.test(text)).map((text, index) => [`page ${index}`, text] as const),
  ['the demo', readFileSync(join(root, 'deploy/demo/policy.yaml'), 'utf8')],
  ['every field', readFileSync(join(import.meta.dirname, 'every-field.yaml'), 'utf8')],
];

describe('the JSON Schema of a policy', () => {
  it('is in the repository as the code says it: `npm run schema` writes it', () => {
    expect(JSON.parse(readFileSync(join(root, 'deploy/policy.schema.json'), 'utf8'))).toEqual(schema);
  });

  it.each(good)('%s, which compiles: valid', (_name, text) => {
    expect(compileTexts(text).snapshot).toBeDefined();
    expect(valuesOf(text).flatMap((value) => invalidPlaces(schema, value))).toEqual([]);
  });

  const caseFiles = globSync('test/cases/**/*.yaml', { cwd: root });
  it.each(caseFiles)('the policy of %s: valid', (file) => {
    const [cases] = valuesOf(readFileSync(join(root, file), 'utf8')) as { policy?: unknown }[];
    // A text instead of a mapping is a policy that is bad on purpose.
    const policies = [cases?.policy ?? []].flat().filter((policy) => typeof policy === 'object' && policy !== null);
    const document = (policy: object): object => ({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', ...policy });
    expect(policies.flatMap((policy) => invalidPlaces(schema, document(policy)))).toEqual([]);
  });

  it('mistakes: valid exactly when the schema of the code has nothing to say', () => {
    const seen = { valid: 0, invalid: 0 };
    for (const [name, { text, isWhole }] of Object.entries(badDocuments)) {
      for (const value of valuesOf(isWhole === true ? text : head + text)) {
        const isValid = policySchema.safeParse(value).success;
        expect(invalidPlaces(schema, value).length === 0, name).toBe(isValid);
        seen[isValid ? 'valid' : 'invalid'] += 1;
      }
    }
    expect(seen.valid).toBeGreaterThan(50);
    expect(seen.invalid).toBeGreaterThan(50);
  });

  it('every field has a text for editors', () => {
    const without: string[] = [];
    walk(schema, '');
    expect(without).toEqual([]);

    function walk(part: unknown, path: string): void {
      if (typeof part !== 'object' || part === null) return;
      const { properties = {} } = part as { properties?: Record<string, JsonSchema> };
      for (const [name, field] of Object.entries(properties)) {
        // Members of keys are those of RFC 7517.
        const isKey = path.includes('.inline');
        if (!isKey && !/^[A-Z`].{8,}\.$/.test(String(field['description']))) without.push(`${path}.${name}`);
      }
      for (const [keyword, inner] of Object.entries(part)) {
        if (keyword !== 'properties') walk(inner, path);
        else for (const [name, field] of Object.entries(properties)) walk(field, `${path}.${name}`);
      }
    }
  });
});
