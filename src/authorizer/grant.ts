/**
 * Promises: what an allow says of a token under a rule, made once for as long as token, rule and policy are the same objects: it depends
 * on nothing else where the request brings nothing of its own into it.
 * Leaves to others: whether the token is good now (token-verifier.ts), which is asked for every request.
 */
import type { Caller, Changes, Header } from '../decision/decision.ts';
import type { RequestHeaders } from '../decision/request.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { VerifiedToken } from '../token/verify.ts';
import { headersToRemove } from './identity-headers.ts';

/** Everything that the rule wants of the request was found good. */
export interface GrantRequest {
  /** Undefined: the rule wants none. */
  readonly token: VerifiedToken | undefined;
  readonly rule: Rule;
  readonly snapshot: PolicySnapshot;
  /** Of the client. */
  readonly headers: RequestHeaders;
  readonly setHeaders: readonly Header[];
  /** For the client's next proof. */
  readonly nonce: string | undefined;
}

interface Grant {
  readonly rule: Rule;
  readonly changes: Changes;
}

export function newChanges({ snapshot, rule, headers, setHeaders, nonce }: GrantRequest): Changes {
  return { setHeaders, removeHeaders: headersToRemove(snapshot, rule, headers, setHeaders), nonce };
}

/**
 * One grant a token, that of the rule that was asked for last: so it is bounded like the token cache, and what that forgets is forgotten
 * here. `setHeaders` come of the token's claims alone.
 */
export function createGrants(): (request: GrantRequest) => Changes {
  let known = new WeakMap<VerifiedToken, Grant>();
  let policy: PolicySnapshot | undefined;

  return (request) => {
    const { token, rule, snapshot, headers, setHeaders, nonce } = request;
    if (token === undefined || nonce !== undefined || headers.underscoreNames.length > 0) return newChanges(request);
    if (policy !== snapshot) {
      // Grants hold rules, and with them a policy that nobody needs any more.
      policy = snapshot;
      known = new WeakMap();
    }
    const grant = known.get(token);
    if (grant?.rule === rule && grant.changes.setHeaders === setHeaders) return grant.changes;
    const changes = { ...newChanges(request), encoding: { isKnown: false, bytes: undefined } };
    known.set(token, { rule, changes });
    return changes;
  };
}

const callers = new WeakMap<VerifiedToken, Caller>();

export function callerOf(token: VerifiedToken): Caller {
  const known = callers.get(token);
  if (known !== undefined) return known;
  const { issuer, claims, kid } = token;
  const { subject, clientId, scopes, jti } = claims;
  const made = { issuer: issuer.name, subject, clientId, scopes, jti, kid };
  callers.set(token, made);
  return made;
}
