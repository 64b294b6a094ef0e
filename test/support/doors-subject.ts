/** Promises: Scopegate with the policy, the keys and the instant of one case file; nothing of it reads a real clock. */

import { type Authorizer, createAuthorizer } from '../../src/authorizer/authorize.ts';
import { createSenderCheck, type SenderCheck } from '../../src/authorizer/sender.ts';
import { createTokenVerifier } from '../../src/authorizer/token-verifier.ts';
import { directLane } from '../../src/authorizer/verification-lane.ts';
import { loadLanguage } from '../../src/condition/language.ts';
import type { RequestAttributes } from '../../src/decision/request.ts';
import { createClientTokens } from '../../src/egress/client-tokens.ts';
import { createRequestToken } from '../../src/egress/request-token.ts';
import { createAskIssuer } from '../../src/introspection/ask-issuer.ts';
import { createIntrospections } from '../../src/introspection/introspections.ts';
import { Failure } from '../../src/keyset/failure.ts';
import type { Get } from '../../src/keyset/fetch.ts';
import { createKeySets } from '../../src/keyset/key-sets.ts';
import { defaultRefreshOptions } from '../../src/keyset/refresh.ts';
import { compile } from '../../src/policy/compile.ts';
import { parseDocuments } from '../../src/policy/document.ts';
import { formatProblem } from '../../src/policy/problem.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { createNonceSealer } from '../../src/token/dpop-nonce.ts';
import { createLocalProofMemory } from '../../src/token/proof-memory.ts';
import type { CaseFile, Check } from './case-file.ts';
import { nonceKey, ProofMaker } from './proofs.ts';
import { type ClientRequest, clientRequest, requestAttributes } from './request-maker.ts';
import { scriptedIssuer } from './scripted-issuer.ts';
import { TokenMaker } from './tokens.ts';

// So that compiling waits for nothing.
await loadLanguage();

/** One case file made real. */
export interface Subject {
  readonly authorizer: Authorizer;
  /** Undefined: the case is about having no policy. */
  readonly snapshot: PolicySnapshot | undefined;
  /** The request of a check, with a token of its own. */
  request(check: Check): Promise<ClientRequest>;
  stop(): void;
}

/** `documents`: the policy, if it is another one than that of the case. */
export function createSubject(
  file: CaseFile,
  tokens = new TokenMaker(file),
  documents: readonly unknown[] = tokens.documents(),
): Subject {
  const snapshot = documents.length === 0 ? undefined : snapshotOf(file.name, documents);
  const nowMs = (): number => file.nowSeconds * 1000;
  const keySets = createKeySets(defaultRefreshOptions, {
    now: nowMs,
    schedule,
    random: () => 0.5,
    get: getFrom(tokens),
    observe: { fetched: ignore, ignored: ignore, changed: ignore, fault: fail },
  });
  keySets.update(snapshot?.issuers.values() ?? []);
  const requestPorts = scriptedIssuer({
    file,
    tokens,
    issuers: [...(snapshot?.issuers.keys() ?? [])],
    getElse: getFrom(tokens),
  });
  const clientTokens = createClientTokens({
    now: nowMs,
    schedule,
    random: () => 0.5,
    request: createRequestToken(requestPorts),
    observe: { requested: ignore, fault: fail },
  });
  clientTokens.update(snapshot?.clients ?? []);
  const introspections = createIntrospections({
    now: nowMs,
    schedule,
    random: () => 0.5,
    ask: createAskIssuer({ ...requestPorts, resolveKeys: keySets.resolve, now: nowMs }),
    observe: { asked: ignore, fault: fail },
  });
  const limits = { maxTokenBytes: 16_384, tokenCacheEntries: 1000 };
  const { introspect } = introspections;
  const verify = createTokenVerifier(
    { resolveKeys: keySets.resolve, introspect, lane: directLane, now: nowMs },
    limits,
  );
  const authorizer = createAuthorizer({
    policy: () => snapshot,
    verify,
    checkSender: senderOf(nowMs),
    clientToken: clientTokens.resolve,
    now: nowMs,
  });
  const makers = { tokens, proofs: new ProofMaker(file) };
  const request = async (check: Check): Promise<ClientRequest> => {
    const made = clientRequest(file, check, makers);
    if (check.proof?.usedBefore === true) await authorizer.authorize(requestAttributes({ ...made, id: 'earlier' }), 0);
    return made;
  };
  return { authorizer, snapshot, request, stop };

  function stop(): void {
    keySets.stop();
    clientTokens.stop();
    introspections.stop();
  }
}

/** The key of nonces is fixed, so that a case can carry one that is good. */
function senderOf(now: () => number): SenderCheck {
  const nonces = createNonceSealer([nonceKey]);
  return createSenderCheck({ memory: createLocalProofMemory(1000), nonces, lane: directLane, now });
}

/** Hands each request to the subject of the file that is being run. */
export class SubjectSwitch implements Authorizer {
  #current: Subject | undefined;

  use(subject: Subject | undefined): void {
    this.#current?.stop();
    this.#current = subject;
  }

  authorize(request: RequestAttributes, waitMs: number): ReturnType<Authorizer['authorize']> {
    return this.#authorizer().authorize(request, waitMs);
  }

  refuse(stop: Parameters<Authorizer['refuse']>[0]): ReturnType<Authorizer['refuse']> {
    return this.#authorizer().refuse(stop);
  }

  #authorizer(): Authorizer {
    if (this.#current === undefined) throw new Error('no case file is being run');
    return this.#current.authorizer;
  }
}

function snapshotOf(name: string, documents: readonly unknown[]): PolicySnapshot {
  const parsed = parseDocuments({ name, text: documents.map((document) => JSON.stringify(document)).join('\n---\n') });
  const compiled = compile(parsed.documents);
  const errors = [...parsed.problems, ...compiled.problems].filter(({ severity }) => severity === 'error');
  if (errors.length > 0 || compiled.snapshot === undefined) throw new Error(errors.map(formatProblem).join('\n'));
  return compiled.snapshot;
}

/** The network: what the case publishes, and a refused connection for everything else. */
function getFrom(tokens: TokenMaker): Get {
  return async (url) => {
    const document = tokens.keySetAt(url.href);
    return document === undefined ? new Failure('connect') : { document, maxAgeSeconds: undefined };
  };
}

function schedule(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}

function ignore(): void {}

function fail(issuer: string, error: unknown): void {
  throw new Error(`fault in the keys of ${issuer}`, { cause: error });
}
