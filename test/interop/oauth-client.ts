/**
 * Promises: what a client of an authorization server does, with nothing between it and the wire: token requests, a login as a browser goes
 * through it (pages, forms, cookies), DPoP proofs, client certificates.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as readAll } from 'node:stream/consumers';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';
import { readTestPem } from '../support/jwks-server.ts';

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

/** Names of pairs in test/support/tls. */
export type Certificate = 'client' | 'other-client';

export interface ClientOptions {
  /** A confidential client's; sent in the Authorization header. */
  readonly secret?: string;
  readonly dpop?: DpopKey;
  readonly certificate?: Certificate;
}

type Form = Readonly<Record<string, string>>;

/** A token answer of `endpoint`, or an error that holds what was answered instead. */
export async function requestToken(
  endpoint: string,
  client: string,
  form: Form,
  options: ClientOptions = {},
): Promise<TokenAnswer> {
  const { status, body } = await tokenRequest(endpoint, client, form, options);
  if (status !== 200) throw new Error(`no token: ${status} ${body}`);
  return JSON.parse(body) as TokenAnswer;
}

/** What `endpoint` answers: an error of OAuth is an answer too. */
export async function tokenRequest(
  endpoint: string,
  client: string,
  form: Form,
  { secret, dpop, certificate }: ClientOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (secret !== undefined) headers['authorization'] = `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`;
  if (dpop !== undefined) headers['dpop'] = await dpop.proof({ method: 'POST', url: endpoint });
  const body = new URLSearchParams(secret === undefined ? { client_id: client, ...form } : form);
  return send(endpoint, { method: 'POST', headers, body: body.toString(), certificate });
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly certificate?: Certificate | undefined;
}

/** One request as it is spelled, with any Host and any client certificate. */
export function send(
  url: string,
  { method = 'GET', headers = {}, body, certificate }: Sent,
): Promise<{ readonly status: number; readonly body: string }> {
  const isTls = url.startsWith('https:');
  const tls = isTls
    ? {
        ca: readTestPem('ca.pem'),
        servername: 'localhost',
        ...(certificate === undefined
          ? {}
          : { cert: readTestPem(`${certificate}.pem`), key: readTestPem(`${certificate}-key.pem`) }),
      }
    : {};
  return new Promise((resolve, reject) => {
    // Without an agent each request is a connection of its own, and the certificate that of the request.
    const sent = (isTls ? httpsRequest : httpRequest)(url, { method, headers, agent: false, ...tls }, (response) => {
      readAll(response).then((read) => resolve({ status: response.statusCode ?? 0, body: read }), reject);
    });
    sent.setTimeout(20_000, () => sent.destroy(new Error(`no answer from ${url}`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface LoginOptions extends ClientOptions {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly client: string;
  readonly redirectUri: string;
  readonly scope: string;
  /** What is typed into the fields of the forms that are shown, by their names. */
  readonly typed: Form;
  /** Further parameters of the authorization request. */
  readonly more?: Form;
}

export interface Login {
  readonly tokens: TokenAnswer;
  /** Where the browser was sent in the end, without the code. */
  readonly landing: URL;
  /** With the cookies of this login. */
  readonly browser: Browser;
}

/** The authorization code flow with PKCE, from the first redirect to the tokens. */
export async function logIn(options: LoginOptions): Promise<Login> {
  const { client, redirectUri, scope, more = {} } = options;
  const verifier = randomBytes(32).toString('base64url');
  const state = randomUUID();
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    nonce: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  });
  const browser = new Browser();
  const landing = await browser.visit(
    `${options.authorizationEndpoint}?${query.toString()}`,
    redirectUri,
    options.typed,
  );
  const code = landing.searchParams.get('code');
  if (code === null || landing.searchParams.get('state') !== state) throw new Error(`no code: ${landing.href}`);
  landing.searchParams.delete('code');
  const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  const tokens = await requestToken(options.tokenEndpoint, client, grant, options);
  return { tokens, landing, browser };
}

/** Cookies, redirects and forms: what of a browser a login page without scripts needs. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  /** Follows redirects and fills in forms until an address that begins with `goal` is to be opened. */
  async visit(start: string, goal: string, typed: Form): Promise<URL> {
    let url = new URL(start);
    let next: RequestInit = {};
    for (let hops = 0; hops < 15; hops += 1) {
      if (url.href.startsWith(goal)) return url;
      const response = await this.open(url, next);
      const location = response.headers.get('location');
      if (location === null) {
        const form = formOf(await response.text(), typed);
        if (form === undefined) throw new Error(`the login stopped at ${url.href} with status ${response.status}`);
        url = new URL(form.action, url);
        next = { method: 'POST', body: form.fields };
      } else {
        url = new URL(location, url);
        next = {};
      }
    }
    throw new Error('the login leads in circles');
  }

  async open(url: URL, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

/** The first form of a page, its fields filled in. */
function formOf(html: string, typed: Form): { readonly action: string; readonly fields: URLSearchParams } | undefined {
  const [form] = /<form[^]*?<\/form>/i.exec(html) ?? [];
  const action = form === undefined ? undefined : attribute(form, 'action');
  if (form === undefined || action === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input[^]*?>/gi)) {
    const name = attribute(input, 'name');
    if (name !== undefined) fields.set(name, typed[name] ?? attribute(input, 'value') ?? '');
  }
  return { action, fields };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag)?.[1]?.replaceAll('&amp;', '&');
}

export interface ProofOptions {
  readonly method: string;
  readonly url: string;
  /** The access token that is shown with it. */
  readonly token?: string;
  /** Default now. */
  readonly issuedAt?: number;
}

type PrivateKey = GenerateKeyPairResult['privateKey'];

/** A client's DPoP key (RFC 9449). */
export class DpopKey {
  readonly #jwk: JWK;
  readonly #privateKey: PrivateKey;

  private constructor(jwk: JWK, privateKey: PrivateKey) {
    this.#jwk = jwk;
    this.#privateKey = privateKey;
  }

  static async create(): Promise<DpopKey> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    return new DpopKey(await exportJWK(publicKey), privateKey);
  }

  async proof({ method, url, token, issuedAt }: ProofOptions): Promise<string> {
    const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
    return new SignJWT({ htm: method, htu: url, jti: randomUUID(), ...ath })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk })
      .setIssuedAt(issuedAt)
      .sign(this.#privateKey);
  }
}
