/**
 * Promises: all that Scopegate needs to act as an OAuth client at an issuer, valid by construction (policy/compile-clients.ts makes it), and
 * the door through which a token of its own is had.
 * Leaves to others: asking for tokens, and the files with the secrets (egress/).
 */
import type { Step } from '../decision/step.ts';
import type { ClientAuthentication } from './client-authentication.ts';
import type { Issuer } from './issuer.ts';

export interface OAuthClient {
  /** Name in the policy, logs and metrics. */
  readonly name: string;
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  /** Asked for; empty: those that the issuer gives by itself. */
  readonly scopes: readonly string[];
  /** RFC 8707; undefined: none is named. */
  readonly resource: string | undefined;
}

/**
 * An access token of the client's own, or `upstream_token_unavailable`. Answers without a promise when one is at hand; waits at most
 * `waitMs` for one.
 */
export type ResolveClientToken = (client: OAuthClient, waitMs: number) => Step<string> | Promise<Step<string>>;

/** In the place of a token where nobody gets one: policy tests and `explain`. No token has this form. */
export function tokenPlaceholder({ name }: OAuthClient): string {
  return `<access token of client ${name}>`;
}

/** For policy tests and `explain`: the token is taken to be there. Never part of `serve`. */
export const placeholderTokens: ResolveClientToken = tokenPlaceholder;
