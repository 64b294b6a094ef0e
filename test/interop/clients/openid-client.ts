/**
 * A program that uses openid-client to call the API: settings on standard input, what it was answered on standard output.
 * Argument: the folder whose `node_modules` has it.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Browser } from '../oauth-client.ts';
import { answerOf, fetchFromApi } from './api.ts';
import type { Answer, Answers, Endpoints, Settings } from './settings.ts';

type Fetch = (url: string, sent: RequestInit) => Promise<Response>;
type Configuration = Record<symbol, Fetch>;
interface TokenAnswer {
  readonly access_token: string;
}
interface More {
  readonly DPoP?: unknown;
}

interface OpenidClient {
  readonly customFetch: symbol;
  readonly allowInsecureRequests: unknown;
  readonly WWWAuthenticateChallengeError: new () => Error & { response: Response; cause: readonly unknown[] };
  discovery(
    server: URL,
    client: string,
    secret: string | undefined,
    auth: unknown,
    options: object,
  ): Promise<Configuration>;
  None(): unknown;
  clientCredentialsGrant(config: Configuration, form: object, more?: More): Promise<TokenAnswer>;
  getDPoPHandle(config: Configuration, pair: unknown): unknown;
  randomDPoPKeyPair(alg: string): Promise<unknown>;
  randomPKCECodeVerifier(): string;
  calculatePKCECodeChallenge(verifier: string): Promise<string>;
  randomState(): string;
  randomNonce(): string;
  buildAuthorizationUrl(config: Configuration, form: object): URL;
  authorizationCodeGrant(config: Configuration, landing: URL, checks: object): Promise<TokenAnswer>;
  fetchProtectedResource(
    config: Configuration,
    token: string,
    url: URL,
    method: string,
    ...rest: readonly [body: undefined, headers: undefined, more: More]
  ): Promise<Response>;
}

const oauth = createRequire(join(process.argv[2] ?? '', 'package.json'))('openid-client') as OpenidClient;
const settings = (await json(process.stdin)) as Settings;
const { keycloak, oidc, user, redirectUri } = settings;
const form = { scope: 'orders:read' };

async function configure({ issuer }: Endpoints, client: string, auth?: unknown): Promise<Configuration> {
  const secret = auth === undefined ? `${client}-secret` : undefined;
  const options = { execute: [oauth.allowInsecureRequests] };
  const config = await oauth.discovery(new URL(issuer), client, secret, auth, options);
  const own = config[oauth.customFetch] ?? fetch;
  config[oauth.customFetch] = (url, sent) =>
    url.startsWith(settings.api.publicUrl) ? fetchFromApi(settings, url, new Headers(sent.headers)) : own(url, sent);
  return config;
}

/** A refusal with a challenge is an error of the library, which has read the challenge. */
async function call(config: Configuration, token: string, more: More = {}): Promise<Answer> {
  const url = new URL(settings.api.publicUrl);
  try {
    return await answerOf(await oauth.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, more));
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError && error.cause.length > 0) return answerOf(error.response);
    throw error;
  }
}

async function clientCredentials(endpoints: Endpoints, client: string, wanted: object = form): Promise<Answer> {
  const config = await configure(endpoints, client);
  const { access_token } = await oauth.clientCredentialsGrant(config, wanted);
  return call(config, access_token);
}

async function bound(endpoints: Endpoints): Promise<{ readonly withProof: Answer; readonly asBearer: Answer }> {
  const config = await configure(endpoints, settings.dpop);
  const DPoP = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair('ES256'));
  const { access_token } = await oauth.clientCredentialsGrant(config, form, { DPoP });
  return { withProof: await call(config, access_token, { DPoP }), asBearer: await call(config, access_token) };
}

async function codeFlow(scope: string): Promise<Answer> {
  const config = await configure(keycloak, settings.spa, oauth.None());
  const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
  const expectedState = oauth.randomState();
  const expectedNonce = oauth.randomNonce();
  const start = oauth.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  });
  const typed = { username: user.name, password: user.password };
  const landing = await new Browser().visit(start.href, redirectUri, typed);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const { access_token } = await oauth.authorizationCodeGrant(config, landing, checks);
  return call(config, access_token);
}

const ofKeycloak = await bound(keycloak);
const ofOidc = await bound(oidc);
const answers: Answers = {
  'no token': await answerOf(await fetchFromApi(settings, settings.api.publicUrl)),
  'Keycloak, client credentials': await clientCredentials(keycloak, settings.service),
  'Keycloak, without the scope': await clientCredentials(keycloak, settings.scopeless, {}),
  'Keycloak, code + PKCE': await codeFlow('openid orders:read'),
  'Keycloak, code + PKCE without the scope': await codeFlow('openid'),
  'Keycloak, DPoP': ofKeycloak.withProof,
  'Keycloak, DPoP, then as Bearer': ofKeycloak.asBearer,
  'oidc-provider, client credentials': await clientCredentials(oidc, settings.service),
  'oidc-provider, DPoP, asked for a nonce': ofOidc.withProof,
  'oidc-provider, DPoP, then as Bearer': ofOidc.asBearer,
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
