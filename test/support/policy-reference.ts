/**
 * Promises: what the schema of the policy says of each field, in the words of docs/policy.md: name, type, and whether it is required.
 * Leaves to others: what a field means, which only the document says.
 */
import { z } from 'zod';
import { policySchema } from '../../src/policy/schema.ts';

export interface FieldRow {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
}

/** Fields and values that the schema knows and this version refuses; `refusals` in docs.test.ts shows that it does. */
export const unsupportedFields: Readonly<Record<string, readonly string[]>> = {
  document: ['clients'],
  issuers: ['tenants', 'dpop'],
  rules: ['inject'],
};
export const unsupportedValues: ReadonlySet<string> = new Set(
  'keycloak auth0 okta cognito entra dpop mtls any'.split(' '),
);

/** Required by the compiler, since whether it is depends on another field. */
const requiredBesides: Readonly<Record<string, readonly string[]>> = { issuers: ['audiences'] };

/** Every mapping of the schema that has fields of its own, by its path. */
export function mappings(): ReadonlyMap<string, z.ZodObject> {
  const found = new Map<string, z.ZodObject>();
  collect('document', policySchema, found);
  return found;
}

function collect(path: string, schema: z.ZodObject, found: Map<string, z.ZodObject>): void {
  found.set(path, schema);
  for (const [name, field] of Object.entries(schema.shape)) {
    if (unsupportedFields[path]?.includes(name) === true) continue;
    const inner = mappingIn(field);
    const isKnown = inner === undefined || [...found.values()].includes(inner);
    if (!isKnown && !isOpen(inner)) collect(path === 'document' ? name : `${path}.${name}`, inner, found);
  }
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

export function fieldRows(path: string, schema: z.ZodObject): readonly FieldRow[] {
  return Object.entries(schema.shape)
    .filter(([name]) => unsupportedFields[path]?.includes(name) !== true)
    .map(([name, field]) => ({
      name,
      type: typeWords(field),
      isRequired: !(field instanceof z.ZodOptional) || requiredBesides[path]?.includes(name) === true,
    }));
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
  const words = options.map(typeWords).filter((word, at, all) => all.indexOf(word) === at);
  if (words.join() === 'text,list of text') return 'claim path';
  return words.includes('list of text') && words.includes('mapping') ? 'claim header' : words.join(' or ');
}

function enumWords(values: readonly string[]): string {
  if (values.includes('RS256')) return 'algorithm';
  if (values.includes('no_rule')) return 'reason code';
  const known = values.filter((value) => !unsupportedValues.has(value)).map((value) => `\`${value}\``);
  return known.length < 3 ? known.join(' or ') : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
}

/** By what it accepts: the schema has no names for its kinds of text. */
function textWords(schema: z.ZodString): string {
  const accepts = (text: string): boolean => schema.safeParse(text).success;
  if (accepts('orders')) return 'text';
  if (accepts('1h30m')) return 'duration';
  if (accepts('2026-11-01T00:00:00Z')) return 'time';
  throw new Error('a kind of text that the reference has no words for');
}
