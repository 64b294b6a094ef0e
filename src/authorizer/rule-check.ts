/**
 * Promises: whether the credentials of a request satisfy one rule that wants a token: every check of interface section 7 from the form
 * of Authorization to the headers, in that order. The same for enforcing and shadow rules; it ends in headers to set, not in an allow.
 */
import type { Header } from '../decision/decision.ts';
import type { RequestAttributes } from '../decision/request.ts';
import { type Awaitable, after, Stop } from '../decision/step.ts';
import type { Match } from '../policy/match.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { type Credential, readCredential } from '../token/bearer.ts';
import type { VerifiedToken } from '../token/verify.ts';
import { checkRequirements } from './requirements.ts';
import type { SenderCheck } from './sender.ts';
import type { GoodToken, RefusedToken, TokenVerifier } from './token-verifier.ts';

export interface RuleQuestion {
  readonly match: Match;
  readonly request: RequestAttributes;
  /** Canonical. */
  readonly host: string;
  readonly snapshot: PolicySnapshot;
  /** How long a fetch of keys may be waited for. */
  readonly waitMs: number;
}

export interface RuleOutcome {
  /** The headers to set, or the first check that failed. */
  readonly result: readonly Header[] | Stop;
  /** The scheme that was used; Bearer when none was. */
  readonly scheme: 'Bearer' | 'DPoP';
  /** Once it was verified, whatever came of it. */
  readonly token: VerifiedToken | undefined;
  readonly tokenCache: 'hit' | 'miss' | undefined;
  /** For `DPoP-Nonce` of the answer. */
  readonly nonce?: string | undefined;
}

/** Throws or rejects only for a fault of ours. */
export type RuleCheck = (question: RuleQuestion) => Awaitable<RuleOutcome>;

export interface RuleCheckPorts {
  readonly verify: TokenVerifier;
  readonly checkSender: SenderCheck;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createRuleCheck({ verify, checkSender, now }: RuleCheckPorts): RuleCheck {
  return (question) => {
    const { match, request, snapshot, waitMs } = question;
    const credential = readCredential(request.headers, queryOf(request.path));
    if (credential instanceof Stop) {
      return { result: credential, scheme: 'Bearer', token: undefined, tokenCache: undefined };
    }
    const verified = verify({ token: credential.token, rule: match.rule, snapshot, waitMs });
    return after(verified, (answer) => checkVerified(question, credential, answer));
  };

  function checkVerified(
    { match, request, host, snapshot, waitMs }: RuleQuestion,
    { scheme, token: text }: Credential,
    verified: GoodToken | RefusedToken,
  ): Awaitable<RuleOutcome> {
    const { token, cache: tokenCache } = verified;
    if ('stop' in verified) return { result: verified.stop, scheme, token, tokenCache };
    return after(checkSender({ scheme, text, token: verified.token, request, host, snapshot, waitMs }), (sender) => {
      const result = sender.stop ?? checkRequirements(match, verified.token, { request, host, nowMs: now() });
      return { result, scheme, token, tokenCache, nonce: sender.nonce };
    });
  }
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark + 1);
}
