/**
 * Promises: an explanation from a policy, a request line and claims, at one instant.
 */

import { createAuthorizer } from '../../../src/authorizer/authorize.ts';
import { uncheckedSender } from '../../../src/authorizer/sender.ts';
import { createUnsignedVerifier, type TokenVerifier } from '../../../src/authorizer/token-verifier.ts';
import type { Stop } from '../../../src/decision/step.ts';
import { explain } from '../../../src/explanation/explain.ts';
import type { ExplainedStep, Explanation } from '../../../src/explanation/explanation.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { mintToken } from '../../../src/token/minted-token.ts';
import { placeholderTokens } from '../../../src/token/oauth-client.ts';

export const now = 1_800_000_000;

export interface Asked {
  readonly request?: string;
  /** Undefined: no credentials. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly scheme?: string;
  readonly showClaims?: boolean;
  /** What a signed token is refused for. */
  readonly stop?: Stop | undefined;
}

export function explainClaims(snapshot: PolicySnapshot, asked: Asked = {}): Promise<Explanation> {
  const [method = '', url = ''] = (asked.request ?? 'GET https://shop.test/a').split(' ');
  const [, host = '', path = ''] = /^https:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  const [issuer] = snapshot.issuers.values();
  const token = asked.claims && issuer && `${asked.scheme ?? 'Bearer'} ${mintToken(issuer, asked.claims, now)}`;
  const headers = {
    values: (name: string) => (name === 'authorization' && token !== undefined ? [token] : []),
    underscoreNames: [],
  };
  const limits = { maxTokenBytes: 16_384 };
  const question = {
    request: { id: '', method, host, path, headers, certificate: '' },
    snapshot,
    nowMs: now * 1000,
    ...limits,
    isSigned: asked.stop !== undefined,
    showClaims: asked.showClaims ?? false,
  };
  const { stop } = asked;
  const verify: TokenVerifier =
    stop === undefined
      ? createUnsignedVerifier(() => now * 1000, limits)
      : () => Promise.resolve({ stop, token: undefined, cache: undefined });
  const authorizer = createAuthorizer({
    policy: () => snapshot,
    verify,
    checkSender: uncheckedSender,
    clientToken: placeholderTokens,
    now: () => now * 1000,
  });
  return explain(question, authorizer, 0);
}

/** The check that decided, or the one of that name. */
export function stepOf({ steps }: Explanation, check?: string): ExplainedStep | undefined {
  return steps.find((step) => (check === undefined ? step.result === 'fail' : step.check === check));
}
