/**
 * Promises: the shapes of single values that several parts of a policy document have, with the words for what does not fit.
 */
import { z } from 'zod';
import { scopeToken } from './scope.ts';

export const text = z.string().min(1);

/** Names are shown in logs, metrics and headers, where a line break or an invisible character would make two names look like one. */
export const name = z
  .string()
  .regex(/^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u, {
    error: 'expected a name without control characters or outer spaces',
  })
  .max(200);

const durationMessage = 'expected a duration such as `30s`, `5m` or `1h30m`';
export const duration = z
  .string({ error: durationMessage })
  .regex(/^(?=\d)(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/, { error: durationMessage });

export const scope = z
  .string()
  .regex(scopeToken, { error: 'expected a scope, without spaces, quotes and backslashes' });

export const acr = z
  .string()
  .regex(scopeToken, { error: 'expected an acr value, without spaces, quotes and backslashes' });

const timeMessage = 'expected a time such as `2026-11-01T00:00:00Z`';
export const timestamp = z
  .string({ error: timeMessage })
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/, { error: timeMessage });

export const claimPath = z.union([text, z.array(text).min(1)], {
  error: 'expected a claim path, text or a list of member names',
});
