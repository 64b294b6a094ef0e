/**
 * Promises: how an issuer is asked about its opaque tokens (RFC 7662), and that no rule leaves open whom to ask.
 */
import type { Introspection } from '../token/issuer.ts';
import { compileAuthentication } from './compile-authentication.ts';
import type { CompiledIssuer } from './compile-issuers.ts';
import type { CompiledRule } from './compile-rules.ts';
import { durationSeconds } from './duration.ts';
import { type Report, type Spot, within } from './report.ts';
import type { IssuerContent } from './schema.ts';
import { quote } from './wording.ts';

const defaultCacheTtl = '30s';
/** IN-04: for so long a token that was revoked may still pass. */
const maxCacheSeconds = 60;

export function compileIntrospection(
  { introspection, tenants = [] }: IssuerContent,
  spot: Spot,
  report: Report,
): Introspection | undefined {
  if (introspection === undefined) return undefined;
  const authentication = compileAuthentication(introspection, spot, report);
  const cacheSeconds = durationSeconds(introspection.cacheTtl ?? defaultCacheTtl);
  if (cacheSeconds > maxCacheSeconds) {
    report.error(within(spot, 'cacheTtl'), 'wrong_value', 'expected a duration from `0s` to `1m`');
  }
  if (tenants.length > 0) {
    const message = '`introspection` cannot stand beside `tenants`: an opaque token does not say whose it is';
    report.error(spot, 'introspection', message, { part: 'key' });
  }
  if (authentication === undefined) return undefined;
  const { clientId, uri, signed = false } = introspection;
  return { clientId, authentication, uri, signed, cacheSeconds };
}

/** A token that is shown to the wrong issuer is a token that somebody else has. */
export function checkIntrospectors(
  rules: readonly CompiledRule[],
  issuers: readonly CompiledIssuer[],
  report: Report,
): void {
  const introspecting = new Set(issuers.flatMap(({ issuer }) => (issuer.introspection ? [issuer.name] : [])));
  for (const { rule, spot } of rules) {
    if (rule.access !== 'token') continue;
    const [first, second] = [...introspecting].filter((name) => rule.issuers?.has(name) ?? true);
    if (first === undefined || second === undefined) continue;
    const message = `whether issuer ${quote(first)} or ${quote(second)} is asked about opaque tokens is open`;
    const hint = 'list `issuers` of the rule, with one of the two';
    report.error(within(spot, 'name'), 'introspection', `${message} in rule ${quote(rule.name)}`, { hint });
  }
}
