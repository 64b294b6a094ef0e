/**
 * Promises: the JSON Schema of a policy document (draft 2020-12), made from the schema that the documents are checked with, for editors
 * that complete and check while one writes. What this version does not support is no mistake of the shape, but it says so.
 * Leaves to others: everything that takes more than one value to check (lint).
 */
import { z } from 'zod';
import { policySchema } from './schema.ts';
import { type UnsupportedRow, unsupportedRows } from './unsupported.ts';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export function policyJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(policySchema, { target: 'draft-2020-12' });
  const supported = unsupportedRows.reduce<JsonSchema>((part, row) => withoutRow(part, row, row.path), schema);
  return { $schema, title: 'Scopegate policy', ...supported };
}

/** The part with the values of one row taken out, `path` from here. */
function withoutRow(part: JsonSchema, row: UnsupportedRow, [step, ...rest]: readonly string[]): JsonSchema {
  if (step === undefined) return unsupported(part, row);
  if (step === '*') return { ...part, items: withoutRow(partOf(part['items']), row, rest) };
  const properties = partOf(part['properties']);
  return { ...part, properties: { ...properties, [step]: withoutRow(partOf(properties[step]), row, rest) } };
}

function unsupported(part: JsonSchema, { except }: UnsupportedRow): JsonSchema {
  if (except !== undefined) return { ...part, enum: except };
  const description = 'Not supported by this version.';
  // An empty list says nothing, and is accepted.
  const isList = part['type'] === 'array' && part['minItems'] === undefined;
  return isList ? { description, type: 'array', maxItems: 0 } : { description, not: {} };
}

function partOf(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null) throw new Error('a row names no field of the schema');
  return Object.fromEntries(Object.entries(value));
}
