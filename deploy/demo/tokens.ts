/**
 * Promises: tokens as clients get them, over HTTP from the issuer: by client credentials, and by the authorization code flow
 * with PKCE that a browser would go through.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { redirectUri } from './issuer.ts';

const tokenAnswer = z.object({ access_token: z.string(), id_token: z.string().optional() });

/** An access token for a service of its own. */
export async function clientCredentials(
  issuer: string,
  client: string,
  resource: string,
  scope: string,
): Promise<string> {
  const answer = await askForToken(issuer, client, { grant_type: 'client_credentials', resource, scope });
  return answer.access_token;
}

/** Logs the demo's only user in at `client`; the ID token is what that client learns, the access token what it may do. */
export async function logIn(
  issuer: string,
  client: string,
  resource: string,
  scope: string,
): Promise<{ readonly accessToken: string; readonly idToken: string }> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `openid ${scope}`,
    resource,
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const landing = await followRedirects(`${issuer}/auth?${query.toString()}`);
  const code = landing.searchParams.get('code');
  if (code === null) throw new Error(`the login ended without a code: ${landing.search}`);
  const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  const answer = await askForToken(issuer, client, grant);
  if (answer.id_token === undefined) throw new Error('the login ended without an ID token');
  return { accessToken: answer.access_token, idToken: answer.id_token };
}

async function askForToken(issuer: string, client: string, form: Record<string, string>) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the OAuth server gave no token: ${text}`);
  return tokenAnswer.parse(JSON.parse(text));
}

/** What a browser does: keeps cookies and follows redirects, here until they lead to the client. */
async function followRedirects(start: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let hops = 0; hops < 10; hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`the login stopped with status ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(redirectUri)) return url;
  }
  throw new Error('the login led in circles');
}
