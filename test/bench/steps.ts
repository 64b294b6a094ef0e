/**
 * Promises: the steps of a check, each by itself, on the bytes that Envoy sends for a usual request.
 */
import { setImmediate as nextTurn } from 'node:timers';
import { createAuthorizer } from '../../src/authorizer/authorize.ts';
import { createTokenVerifier } from '../../src/authorizer/token-verifier.ts';
import { createVerificationLane } from '../../src/authorizer/verification-lane.ts';
import { createCheck } from '../../src/check.ts';
import type { RequestAttributes } from '../../src/decision/request.ts';
import { Stop } from '../../src/decision/step.ts';
import { readCheckRequest } from '../../src/envoy/check-request.ts';
import { writeCheckResponse } from '../../src/envoy/check-response.ts';
import { createKeySets } from '../../src/keyset/key-sets.ts';
import { systemPorts } from '../../src/keyset/ports.ts';
import { compile } from '../../src/policy/compile.ts';
import { parseDocuments } from '../../src/policy/document.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { createDecisionLog, type DecisionLogOptions } from '../../src/telemetry/decision-log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { encodeCheckRequest } from '../support/proto-types.ts';
import { checkRequest } from '../support/request-maker.ts';
import { algorithms, type BenchAlgorithm, type BenchTokens, createTokens, policyText } from './mesh/tokens.ts';

export interface Step {
  readonly name: string;
  readonly turns: number;
  readonly run: () => unknown;
}

const silent = (): void => {};

function snapshotOf(tokens: BenchTokens, rules: number): PolicySnapshot {
  const { snapshot } = compile(parseDocuments({ name: 'policy', text: policyText(tokens.keys, rules) }).documents);
  if (snapshot === undefined) throw new Error('not a good policy');
  return snapshot;
}

function bytesOf(token: string): Buffer {
  const headers = [
    ['user-agent', 'bench/1.0'],
    ['accept', 'application/json'],
    ['authorization', `Bearer ${token}`],
    ['x-forwarded-for', '10.0.0.7'],
  ] as const;
  const request = { id: '1', method: 'GET', host: 'api.bench.test', path: '/api/orders/123', certificate: '' };
  return encodeCheckRequest(checkRequest({ ...request, headers, token }, 'list'));
}

function read(bytes: Buffer): RequestAttributes {
  const request = readCheckRequest(bytes);
  if (request instanceof Stop) throw new Error(request.reason);
  return request;
}

async function keySetsOf(snapshot: PolicySnapshot): Promise<ReturnType<typeof createKeySets>> {
  const ports = systemPorts({ fetched: silent, ignored: silent, changed: silent, fault: silent });
  const times = { refreshMs: 300_000, minRefreshMs: 30_000, cooldownMs: 30_000, maxStaleMs: 86_400_000 };
  const keySets = createKeySets(times, ports);
  keySets.update(snapshot.issuers.values());
  while (![...keySets.status().values()].every(({ hasKeys }) => hasKeys)) {
    await new Promise((resolve) => nextTurn(resolve));
  }
  return keySets;
}

/** A whole check, with metrics; `mode` of the decision log, whose lines are made and dropped. */
async function checkOf(snapshot: PolicySnapshot, mode: DecisionLogOptions['mode'], tokenCacheEntries = 1000) {
  const keySets = await keySetsOf(snapshot);
  const lane = createVerificationLane({
    now: () => performance.now(),
    nextTurn: (task) => void nextTurn(task),
  });
  const introspect = (): Promise<Stop> => Promise.resolve(new Stop('keys_unavailable'));
  const limits = { maxTokenBytes: 16_384, tokenCacheEntries };
  const verify = createTokenVerifier({ resolveKeys: keySets.resolve, introspect, lane, now: Date.now }, limits);
  const authorizer = createAuthorizer({
    policy: () => snapshot,
    verify,
    checkSender: () => ({ stop: undefined, nonce: undefined }),
    clientToken: () => new Stop('keys_unavailable'),
    now: Date.now,
  });
  const metrics = createMetrics();
  const log = createDecisionLog(
    { mode, sample: 1, linesPerSecond: Number.POSITIVE_INFINITY, logSubjects: false },
    { now: () => performance.now(), random: Math.random, write: (line) => JSON.stringify(line), dropped: silent },
  );
  const check = createCheck({
    authorizer,
    monotonicMs: () => performance.now(),
    observe: (request, decision, elapsedMs) => {
      metrics.checkDone(decision, elapsedMs / 1000);
      log(request, decision, elapsedMs * 1000);
    },
    onFault: (fault) => {
      throw fault;
    },
  });
  return { check, authorizer, keySets };
}

export async function steps(): Promise<readonly Step[]> {
  const tokens = await createTokens();
  const [few, many] = [snapshotOf(tokens, 10), snapshotOf(tokens, 10_000)];
  const [token = ''] = await tokens.make('ES256', 1);
  const bytes = bytesOf(token);
  const request = read(bytes);
  const off = await checkOf(few, 'off');
  const denied = await checkOf(few, 'denied');
  const all = await checkOf(few, 'all');
  const decision = await off.authorizer.authorize(request, 100);
  if (decision.reason !== 'allowed') throw new Error(decision.reason);
  const match = ({ routes }: PolicySnapshot): unknown => routes.match('api.bench.test', '/api/orders/123', 'GET');
  return [
    { name: 'decode', turns: 20_000, run: () => readCheckRequest(bytes) },
    { name: 'match, 10 rules', turns: 20_000, run: () => match(few) },
    { name: 'match, 10,000 rules', turns: 20_000, run: () => match(many) },
    { name: 'authorize, hot token', turns: 10_000, run: () => off.authorizer.authorize(request, 100) },
    { name: 'encode', turns: 20_000, run: () => writeCheckResponse(decision, request) },
    { name: 'check, hot token, decision log off', turns: 10_000, run: () => off.check(bytes, 100) },
    { name: 'check, hot token, decision log at its default', turns: 10_000, run: () => denied.check(bytes, 100) },
    { name: 'check, hot token, decision log of all', turns: 5000, run: () => all.check(bytes, 100) },
    ...(await Promise.all(algorithms.map((algorithm) => verifying(tokens, few, algorithm)))).flat(),
  ];
}

/** A token that is seen for the first time, beside nothing but the verification of its signature by node:crypto. */
async function verifying(tokens: BenchTokens, snapshot: PolicySnapshot, algorithm: BenchAlgorithm): Promise<Step[]> {
  const made = await tokens.make(algorithm, 500);
  const messages = made.map(bytesOf);
  const { check } = await checkOf(snapshot, 'denied', 0);
  const bare = tokens.verifier(algorithm);
  const signed = made.map((token) => bare.parts(token));
  let at = 0;
  const next = <T>(list: readonly T[]): T => {
    at = (at + 1) % list.length;
    const one = list[at];
    if (one === undefined) throw new Error('there is nothing to measure');
    return one;
  };
  return [
    { name: `node:crypto verify ${algorithm}`, turns: 500, run: () => bare.verify(next(signed)) },
    { name: `check, first sight of ${algorithm}`, turns: 500, run: () => check(next(messages), 1000) },
  ];
}
