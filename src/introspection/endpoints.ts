/**
 * Promises: the introspection endpoint of each issuer, found by discovery and remembered for a while: it is asked for more often than it
 * moves. What could not be found is looked for again.
 */
import type { Endpoint, EndpointQuestion } from '../egress/authorization-server.ts';
import { RequestFailure } from '../egress/failure.ts';
import type { Introspection, Issuer } from '../token/issuer.ts';

export type EndpointOf = (
  issuer: Issuer,
  introspection: Introspection,
  signal: AbortSignal,
) => Promise<Endpoint | RequestFailure>;

const rememberedMs = 600_000;

interface Known {
  readonly endpoint: Promise<Endpoint | RequestFailure>;
  readonly untilMs: number;
}

export function rememberedEndpoints(
  find: (question: EndpointQuestion) => Promise<Endpoint | RequestFailure>,
  now: () => number,
): EndpointOf {
  const known = new WeakMap<Issuer, Known>();

  return async (issuer, { uri, authentication }, signal) => {
    if (uri !== undefined) return { url: uri, methods: undefined, signingAlgorithms: undefined };
    const remembered = known.get(issuer);
    if (remembered !== undefined && now() < remembered.untilMs) return remembered.endpoint;
    const hasCertificate = authentication.kind === 'certificate';
    const endpoint = find({ issuer, name: 'introspection', hasCertificate, signal });
    known.set(issuer, { endpoint, untilMs: now() + rememberedMs });
    const found = await endpoint;
    if (found instanceof RequestFailure) known.delete(issuer);
    return found;
  };
}
