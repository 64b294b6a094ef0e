/**
 * Promises: the access tokens of our own as `serve` gets them, with what happens to them in log and metrics. No log line holds one.
 */
import { type ClientTokens, createClientTokens } from '../egress/client-tokens.ts';
import { explainRequestFailure, type RequestFailureKind } from '../egress/failure.ts';
import { systemRequestPorts } from '../egress/ports.ts';
import { createRequestToken } from '../egress/request-token.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { OAuthClient } from '../token/oauth-client.ts';
import type { Reporting } from './reporting.ts';
import { systemTiming } from './timing.ts';

/** `policy`: the one that is active, for the names of files in the log. */
export function createSystemClientTokens(reporting: Reporting, policy: () => PolicySnapshot | undefined): ClientTokens {
  const { log, metrics, fault } = reporting;
  const requested = (client: string, result: 'ok' | RequestFailureKind): void => {
    metrics.clientTokens.requested(client, result);
    if (result === 'ok') {
      log.debug({ client }, 'access token of a client renewed');
      return;
    }
    const known = policy()?.clients.find(({ name }) => name === client);
    const about = { client, issuer: known?.issuer.name, ...(known && filesOf(known, result)) };
    log.warn({ ...about, error: result, reason: explainRequestFailure(result) }, 'no access token for a client');
  };
  const tokens = createClientTokens({
    ...systemTiming,
    request: createRequestToken(systemRequestPorts()),
    observe: { requested, fault: (_client, error) => fault(error) },
  });
  metrics.clientTokens.readAges(() =>
    [...tokens.status()].flatMap(([name, { ageSeconds }]) => (ageSeconds === undefined ? [] : [[name, ageSeconds]])),
  );
  return tokens;
}

function filesOf({ authentication }: OAuthClient, result: RequestFailureKind): { readonly files?: readonly string[] } {
  if (!result.endsWith('_unreadable')) return {};
  return {
    files:
      authentication.kind === 'certificate' ? [authentication.certFile, authentication.keyFile] : [authentication.file],
  };
}
