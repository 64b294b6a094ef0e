/**
 * Promises: the JSON Schema of a policy document (draft 2020-12), made from the schema that the documents are checked with, for editors
 * that complete and check while one writes.
 * Leaves to others: everything that takes more than one value to check (lint).
 */
import { z } from 'zod';
import { policySchema } from './schema.ts';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export function policyJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(policySchema, { target: 'draft-2020-12' });
  return { $schema, title: 'Scopegate policy', ...schema };
}
