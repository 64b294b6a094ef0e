/**
 * Promises: the tokens of every client that the policy injects, each isolated from the others: own token, own attempts, own pauses.
 */
import { Stop } from '../decision/step.ts';
import type { OAuthClient, ResolveClientToken } from '../token/oauth-client.ts';
import { ClientToken, type ClientTokenPorts, type ClientTokenStatus } from './client-token.ts';

export interface ClientTokens {
  readonly resolve: ResolveClientToken;
  /** Takes over the clients of a new policy: keeps the tokens of those that are as they were, drops those that are gone, asks for new ones. */
  update(clients: Iterable<OAuthClient>): void;
  /** By the client's name in the policy. */
  status(): ReadonlyMap<string, ClientTokenStatus>;
  /** Ends asking; tokens at hand keep serving. */
  stop(): void;
}

interface Entry {
  readonly identity: string;
  readonly token: ClientToken;
}

export function createClientTokens(ports: ClientTokenPorts): ClientTokens {
  let entries: ReadonlyMap<string, Entry> = new Map();
  let isStopped = false;
  // By object: a check that holds an older policy still finds the token of its client.
  const tokenOf = new WeakMap<OAuthClient, ClientToken>();

  function update(clients: Iterable<OAuthClient>): void {
    if (isStopped) return;
    const next = new Map<string, Entry>();
    for (const client of clients) {
      const identity = identityOfClient(client);
      const known = entries.get(client.name);
      const entry = known?.identity === identity ? known : { identity, token: new ClientToken(client, ports) };
      next.set(client.name, entry);
      tokenOf.set(client, entry.token);
    }
    for (const [name, entry] of entries) {
      if (next.get(name) !== entry) entry.token.stop();
    }
    entries = next;
  }

  return {
    resolve: (client, waitMs) =>
      tokenOf.get(client)?.resolve(waitMs) ??
      new Stop('upstream_token_unavailable', `client ${client.name} is not in the policy`),
    update,
    status: () => new Map([...entries].map(([name, { token }]) => [name, token.status()])),
    stop: () => {
      isStopped = true;
      for (const { token } of entries.values()) token.stop();
    },
  };
}

/** Equal for two clients exactly when they get the same token in the same way. */
export function identityOfClient({ issuer, clientId, authentication, scopes, resource }: OAuthClient): string {
  const { allowHttp, anyHost } = issuer.insecure;
  const place = [issuer.issuer, issuer.ca ?? null, allowHttp, anyHost];
  return JSON.stringify([place, clientId, authentication, scopes, resource ?? null]);
}
