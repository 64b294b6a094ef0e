/**
 * Promises: the tables of docs/policy.md that say what the schema of the policy says: each field with its type, default and meaning.
 * `node test/support/policy-reference.ts` writes them into the document.
 * Leaves to others: what a sentence in a table cannot say, which stands around it in the document.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { policySchema } from '../../src/policy/schema.ts';

const page = new URL('../../docs/policy.md', import.meta.url);

/** Every mapping of the schema that has fields of its own, by its path. */
export function mappings(): ReadonlyMap<string, z.ZodObject> {
  const found = new Map<string, z.ZodObject>();
  collect('document', policySchema, found);
  return found;
}

function collect(path: string, schema: z.ZodObject, found: Map<string, z.ZodObject>): void {
  found.set(path, schema);
  for (const [name, field] of Object.entries(schema.shape)) {
    const inner = mappingIn(field);
    const isKnown = inner === undefined || [...found.values()].includes(inner);
    if (!isKnown && !isOpen(inner)) collect(fieldPath(path, name), inner, found);
  }
}

function fieldPath(path: string, name: string): string {
  return path === 'document' ? name : `${path}.${name}`;
}

/** A key set has members that no table can name. */
function isOpen({ def }: z.ZodObject): boolean {
  return def.catchall instanceof z.ZodUnknown;
}

/** The mapping that a field holds: itself, each item, each value, or one of several. */
function mappingIn(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodOptional) return mappingIn(schema.unwrap());
  if (schema instanceof z.ZodArray) return mappingIn(schema.element);
  if (schema instanceof z.ZodRecord) return mappingIn(schema.valueType);
  if (schema instanceof z.ZodUnion) return schema.options.map(mappingIn).find((inner) => inner !== undefined);
  return undefined;
}

export interface FieldRow {
  readonly name: string;
  readonly type: string;
  /** `required`, `none`, or what holds without it. */
  readonly fallback: string;
  readonly meaning: string;
}

/** The schema says `Default: …` or `Required.` at the end of a description. */
export function fieldRows(path: string, schema: z.ZodObject): readonly FieldRow[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const description = z.globalRegistry.get(field)?.description;
    const [, meaning = '', said, isRequired] =
      /^(.*?)(?: Default: (.*)\.| (Required)\.)?$/.exec(description ?? '') ?? [];
    if (meaning === '') throw new Error(`${fieldPath(path, name)} has no description`);
    const isOptional = field instanceof z.ZodOptional && isRequired === undefined;
    return { name, type: typeWords(field), fallback: isOptional ? (said ?? 'none') : 'required', meaning };
  });
}

export function referenceTable(path: string, schema: z.ZodObject): string {
  const rows = fieldRows(path, schema).map(
    ({ name, type, fallback, meaning }) => `| \`${name}\` | ${type} | ${fallback} | ${meaning} |`,
  );
  return ['| field | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function typeWords(schema: unknown): string {
  if (schema instanceof z.ZodOptional) return typeWords(schema.unwrap());
  if (schema instanceof z.ZodArray) return `list of ${plural(typeWords(schema.element))}`;
  if (schema instanceof z.ZodRecord) return `mapping of text to ${plural(typeWords(schema.valueType))}`;
  if (schema instanceof z.ZodUnion) return unionWords(schema.options);
  if (schema instanceof z.ZodEnum) return enumWords(schema.options.map(String));
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => `\`${String(value)}\``).join(' or ');
  if (schema instanceof z.ZodString) return textWords(schema);
  return plainWords(schema);
}

function plainWords(schema: unknown): string {
  if (schema instanceof z.ZodBoolean) return '`true` or `false`';
  if (schema instanceof z.ZodNumber) return 'whole number';
  if (schema instanceof z.ZodObject) return 'mapping';
  if (schema instanceof z.ZodNull) return 'null';
  if (schema instanceof z.ZodUnknown) return 'any value';
  throw new Error('a type that the reference has no words for');
}

function plural(words: string): string {
  return ['mapping', 'algorithm', 'claim header'].includes(words) ? `${words}s` : words;
}

/** Text or a list of text is how a claim is named, and nothing else is. */
function unionWords(options: readonly unknown[]): string {
  const words = options.map((option) => typeWords(option)).filter((word, at, all) => all.indexOf(word) === at);
  if (words.join() === 'text,list of text') return 'claim path';
  return words.includes('list of text') && words.includes('mapping') ? 'claim header' : words.join(' or ');
}

function enumWords(values: readonly string[]): string {
  if (values.includes('RS256')) return 'algorithm';
  if (values.includes('no_rule')) return 'reason code';
  const shown = values.map((value) => `\`${value}\``);
  return shown.length < 3 ? shown.join(' or ') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

/** By what it accepts: the schema has no names for its kinds of text. */
function textWords(schema: z.ZodString): string {
  const accepts = (text: string): boolean => schema.safeParse(text).success;
  if (accepts('orders')) return 'text';
  if (accepts('1h30m')) return 'duration';
  if (accepts('2026-11-01T00:00:00Z')) return 'time';
  throw new Error('a kind of text that the reference has no words for');
}

if (import.meta.main) {
  const tables = mappings();
  const text = readFileSync(page, 'utf8').replaceAll(
    /(<!-- fields: ([\w.]+) -->\n)[^]*?(\n<!-- \/fields -->)/g,
    (whole, start: string, path: string, end: string) => {
      const schema = tables.get(path);
      return schema === undefined ? whole : `${start}${referenceTable(path, schema)}${end}`;
    },
  );
  writeFileSync(page, text);
}
