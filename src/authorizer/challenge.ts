/**
 * Promises: the value of `WWW-Authenticate` (RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1), made of policy and fixed
 * words only; nothing of a request or token can reach it (EA-30).
 */
import { type ChallengeError, denyRow } from '../decision/deny-reason.ts';
import type { Stop } from '../decision/step.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import { proofAlgorithms } from '../token/dpop-proof.ts';
import { answeredSchemes, offeredSchemes, type Scheme } from './schemes.ts';

export interface ChallengeContext {
  readonly snapshot: PolicySnapshot;
  /** Undefined when no rule matched. */
  readonly rule: Rule | undefined;
  /** The scheme that the caller used, Bearer when none. */
  readonly scheme: Scheme;
}

/** The challenges of a refusal: none, or one for each scheme. */
export function challengesFor(stop: Stop, context: ChallengeContext): readonly string[] {
  const error = denyRow(stop.reason).challenge ?? (stop.status === 401 ? 'none' : undefined);
  if (error === undefined) return [];
  const offered = offeredSchemes(context.snapshot, context.rule);
  const schemes = error === 'none' ? offered : answeredSchemes(stop.reason, context.scheme, offered);
  return schemes.map((scheme) => challenge(scheme, error, context));
}

/** Errors with which the caller learns the scopes; with the others they would not help. */
const scopedErrors = new Set<ChallengeError | 'none'>([
  'none',
  'insufficient_scope',
  'insufficient_user_authentication',
]);

type Attribute = readonly [name: string, value: string];

function challenge(scheme: Scheme, error: ChallengeError | 'none', context: ChallengeContext): string {
  const { snapshot, rule } = context;
  const realm: Attribute = ['realm', snapshot.realm];
  const failure: readonly Attribute[] = error === 'none' ? [] : [['error', error]];
  const scope = rule === undefined ? '' : [...rule.require.scopes, ...rule.require.anyScope].join(' ');
  const attributes: readonly Attribute[] = [
    ...(scheme === 'Bearer' ? [realm, ...failure] : [...failure, algs, realm]),
    ...(scope !== '' && scopedErrors.has(error) ? [['scope', scope] as const] : []),
    ...(error === 'insufficient_user_authentication' && rule !== undefined ? stepUp(rule) : []),
    ...(snapshot.resourceMetadata === undefined
      ? []
      : [['resource_metadata', metadataUrl(snapshot.resourceMetadata)] as const]),
  ];
  return `${scheme} ${attributes.map(([name, value]) => `${name}="${quote(value)}"`).join(', ')}`;
}

/** RFC 9449 section 7.1. */
const algs: Attribute = ['algs', proofAlgorithms.join(' ')];

function stepUp({ require }: Rule): readonly Attribute[] {
  const attributes: Attribute[] = [];
  if (require.acr.length > 0) attributes.push(['acr_values', require.acr.join(' ')]);
  if (require.maxAuthAgeSeconds !== undefined) attributes.push(['max_age', String(require.maxAuthAgeSeconds)]);
  return attributes;
}

/** EA-31: a quoted-string of visible ASCII and space. */
function quote(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&');
}

export const metadataPath = '/.well-known/oauth-protected-resource';

/** RFC 9728 section 3.1: inserted between host and path of the resource. */
function metadataUrl(resource: string): string {
  const path = pathOf(resource);
  return resource.slice(0, resource.length - path.length) + metadataPath + path;
}

/** Path of an absolute URL; empty for an origin. */
export function pathOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash === -1 ? '' : url.slice(slash);
}
