/**
 * Promises: questions about opaque tokens as `serve` asks them, with what comes of them in log and metrics. No log line holds a token.
 */
import { explainRequestFailure, type RequestFailureKind } from '../egress/failure.ts';
import { systemRequestPorts } from '../egress/ports.ts';
import { createAskIssuer } from '../introspection/ask-issuer.ts';
import { createIntrospections, type Introspections } from '../introspection/introspections.ts';
import type { ResolveKeys } from '../token/key.ts';
import type { Reporting } from './reporting.ts';
import { systemTiming } from './timing.ts';

/** A failing issuer is one line in this time, not one for each request. */
const quietMs = 30_000;

export function createSystemIntrospections(reporting: Reporting, resolveKeys: ResolveKeys): Introspections {
  const { log, metrics, fault } = reporting;
  const toldAt = new Map<string, number>();
  const asked = (issuer: string, result: 'active' | 'inactive' | 'refused' | RequestFailureKind): void => {
    metrics.introspected(issuer, result);
    if (result === 'active' || result === 'inactive' || result === 'refused') return;
    const now = performance.now();
    if (now - (toldAt.get(issuer) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    toldAt.set(issuer, now);
    log.warn({ issuer, error: result, reason: explainRequestFailure(result) }, 'an opaque token cannot be asked about');
  };
  const ask = createAskIssuer({ ...systemRequestPorts(), resolveKeys, now: Date.now });
  return createIntrospections({ ...systemTiming, ask, observe: { asked, fault: (_issuer, error) => fault(error) } });
}
