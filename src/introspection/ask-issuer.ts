/**
 * Promises: what the issuer says of one opaque token (RFC 7662 section 2; IN-01), also as a JWT that it signed for us (RFC 9701; IN-06), or why
 * that cannot be known.
 * Leaves to others: what the answer is worth (token/introspected.ts), remembering it (issuer-introspection.ts).
 */
import { introspectionRequest } from 'oauth4webapi';
import { Stop } from '../decision/step.ts';
import { readCredentials } from '../egress/authentication.ts';
import { findEndpoint } from '../egress/authorization-server.ts';
import { oauthFailure, RequestFailure } from '../egress/failure.ts';
import { asValue, transportOptions } from '../egress/oauth-request.ts';
import type { RequestPorts } from '../egress/request-token.ts';
import type { Introspection, Issuer } from '../token/issuer.ts';
import { type JsonObject, member, parseJsonObject } from '../token/json.ts';
import type { ResolveKeys } from '../token/key.ts';
import { type EndpointOf, rememberedEndpoints } from './endpoints.ts';
import { readSignedAnswer, signedType } from './signed-answer.ts';

export type AskIssuer = (issuer: Issuer, token: string, signal: AbortSignal) => Promise<JsonObject | RequestFailure>;

export interface AskPorts extends RequestPorts {
  readonly resolveKeys: ResolveKeys;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createAskIssuer(ports: AskPorts): AskIssuer {
  const endpointOf: EndpointOf = rememberedEndpoints((question) => findEndpoint(question, ports.get), ports.now);

  return async (issuer, token, signal) => {
    const { introspection } = issuer;
    if (introspection === undefined) return new RequestFailure('endpoint_missing');
    const endpoint = await endpointOf(issuer, introspection, signal);
    if (endpoint instanceof RequestFailure) return endpoint;
    const credentials = await readCredentials(introspection.authentication, endpoint, ports.readSecret);
    if (credentials instanceof RequestFailure) return credentials;
    const connection = { insecure: issuer.insecure, ca: issuer.ca, certificate: credentials.certificate, signal };
    const server = { issuer: issuer.issuer, introspection_endpoint: endpoint.url };
    const response = await asValue(async () => {
      const options = {
        ...transportOptions(ports.post, connection),
        requestJwtResponse: introspection.signed,
        additionalParameters: { token_type_hint: 'access_token' },
      };
      return introspectionRequest(server, { client_id: introspection.clientId }, credentials.auth, token, options);
    });
    return response instanceof RequestFailure ? response : readResponse(response, issuer, introspection, ports);
  };
}

async function readResponse(
  response: Response,
  issuer: Issuer,
  introspection: Introspection,
  { resolveKeys, now }: AskPorts,
): Promise<JsonObject | RequestFailure> {
  const body = await response.text();
  const isSigned = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() === signedType;
  if (response.status === 200 && isSigned) {
    const answer = await readSignedAnswer(body, issuer, introspection.clientId, { resolveKeys, nowMs: now() });
    return answer instanceof Stop ? new RequestFailure('answer_untrusted') : answer;
  }
  const answer = parseJsonObject(Buffer.from(body));
  if (response.status !== 200) return oauthFailure(typeof answer === 'string' ? '' : String(member(answer, 'error')));
  if (typeof answer === 'string') return new RequestFailure('answer_malformed');
  // Whoever asked for a signature gets no less.
  return introspection.signed ? new RequestFailure('answer_untrusted') : answer;
}
