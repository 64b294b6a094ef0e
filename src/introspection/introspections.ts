/**
 * Promises: the issuers that are asked about opaque tokens, each isolated from the others.
 */
import type { Introspect } from '../token/introspected.ts';
import type { Issuer } from '../token/issuer.ts';
import { type IntrospectionPorts, IssuerIntrospection } from './issuer-introspection.ts';

export interface Introspections {
  readonly introspect: Introspect;
  /** Gives up what is open, and asks no more. */
  stop(): void;
}

export function createIntrospections(ports: IntrospectionPorts): Introspections {
  const abort = new AbortController();
  // By object: with another setting of the issuer what was remembered counts no more.
  const known = new WeakMap<Issuer, IssuerIntrospection>();

  const introspect: Introspect = (issuer, token, waitMs) => {
    const found = known.get(issuer) ?? new IssuerIntrospection(issuer, ports, abort.signal);
    known.set(issuer, found);
    return found.resolve(token, waitMs);
  };

  return { introspect, stop: () => abort.abort() };
}
