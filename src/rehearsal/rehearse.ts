/**
 * Promises: the tests of a policy run through the authorizer that decides for the mesh, with tokens made up and not signed, each at one
 * instant. Other work goes on between two tests. Never rejects: what throws is an answer, and one that no test can expect.
 * Leaves to others: what follows from a failure (test-check.ts), how it is shown (report/).
 */
import { setImmediate } from 'node:timers/promises';
import { type Authorizer, createAuthorizer } from '../authorizer/authorize.ts';
import { uncheckedSender } from '../authorizer/sender.ts';
import { createUnsignedVerifier } from '../authorizer/token-verifier.ts';
import { Allow, type Decision } from '../decision/decision.ts';
import type { RequestAttributes } from '../decision/request.ts';
import type { PolicySnapshot, PolicyTest } from '../policy/snapshot.ts';
import { issuerFor, mintToken } from '../token/minted-token.ts';
import { placeholderTokens } from '../token/oauth-client.ts';
import type { Outcome, Rehearsal } from './rehearsal.ts';
import { whyDecided, whyFaulty } from './why.ts';

/** `nowMs`, in milliseconds since the epoch, is the instant of every test that names none. */
export async function rehearse(snapshot: PolicySnapshot, nowMs: number): Promise<readonly Rehearsal[]> {
  const issuers = Map.groupBy(snapshot.issuers.values(), ({ name }) => name);
  const rehearsals: Rehearsal[] = [];
  for (const test of snapshot.tests) {
    const instantMs = test.nowMs ?? nowMs;
    const issuer = test.token && issuerFor(test.token.claims, issuers.get(test.token.issuer) ?? []);
    const token = issuer && mintToken(issuer, test.token?.claims ?? {}, instantMs / 1000);
    rehearsals.push(await rehearseOne(test, requestOf(test, token), { snapshot, nowMs: instantMs }));
    await setImmediate();
  }
  return rehearsals;
}

interface Stage {
  readonly snapshot: PolicySnapshot;
  readonly nowMs: number;
}

async function rehearseOne(test: PolicyTest, request: RequestAttributes, stage: Stage): Promise<Rehearsal> {
  try {
    const decision = await authorizerOn(stage).authorize(request, 0);
    const actual = outcomeOf(decision);
    return { test, passed: isExpected(test, actual), actual, why: whyDecided(decision, test, stage.snapshot.rules) };
  } catch (fault) {
    const told = { rule: undefined, headers: new Map<string, string>() };
    const actual: Outcome = { decision: 'deny', status: 503, reason: 'internal_error', ...told };
    return { test, passed: false, actual, why: whyFaulty(fault) };
  }
}

function authorizerOn({ snapshot, nowMs }: Stage): Authorizer {
  const now = (): number => nowMs;
  // The size of a token is limited by the process, not by the policy: the same test must not pass here and fail there.
  const verify = createUnsignedVerifier(now, { maxTokenBytes: Number.POSITIVE_INFINITY });
  const checkSender = uncheckedSender;
  return createAuthorizer({ policy: () => snapshot, verify, checkSender, clientToken: placeholderTokens, now });
}

function requestOf({ method, host, target, headers }: PolicyTest, token: string | undefined): RequestAttributes {
  const sent = new Map(Object.entries(headers));
  if (token !== undefined) sent.set('authorization', `Bearer ${token}`);
  return {
    id: '',
    method,
    host,
    path: target,
    headers: {
      values: (name) => [sent.get(name)].filter((value) => value !== undefined),
      underscoreNames: [...sent.keys()].filter((name) => name.includes('_')),
    },
    certificate: '',
  };
}

function outcomeOf(decision: Decision): Outcome {
  const { reason, told } = decision;
  if (Allow.isAllow(decision)) {
    return { decision: 'allow', status: 200, reason, rule: told.rule, headers: new Map(decision.setHeaders) };
  }
  // A document of ours (RFC 9728) is a deny to Envoy: the upstream is not called.
  const status = 'status' in decision ? decision.status : 200;
  return { decision: 'deny', status, reason, rule: told.rule, headers: new Map() };
}

/** What a test says nothing about may be anything. */
function isExpected({ expect }: PolicyTest, { decision, status, reason, rule, headers }: Outcome): boolean {
  return (
    expect.decision === decision &&
    (expect.status ?? status) === status &&
    (expect.reason ?? reason) === reason &&
    (expect.rule ?? rule) === rule &&
    Object.entries(expect.headers).every(([name, value]) => (headers.get(name) ?? null) === value)
  );
}
