/**
 * Promises: the endpoints of the issuers of one case as an OAuth client finds them: metadata by discovery, and tokens for clients whose
 * secret is that of the case. Each issuer is at the URL of its identifier.
 */

import { RequestFailure } from '../../src/egress/failure.ts';
import type { FormAnswer, Post } from '../../src/egress/post.ts';
import type { RequestPorts } from '../../src/egress/request-token.ts';
import type { Get } from '../../src/keyset/fetch.ts';
import type { CaseFile } from './case-file.ts';
import type { TokenMaker } from './tokens.ts';

export interface Script {
  readonly file: CaseFile;
  readonly tokens: TokenMaker;
  /** Identifiers of the issuers, those of the policy that is in force. */
  readonly issuers: readonly string[];
  /** For URLs of another kind. */
  readonly getElse: Get;
}

export function scriptedIssuer({ file, tokens, issuers, getElse }: Script): RequestPorts {
  return {
    get: async (url, options) => {
      const issuer = issuers.find((known) => url.href === `${known}/.well-known/openid-configuration`);
      return issuer === undefined ? getElse(url, options) : { document: metadataOf(issuer), maxAgeSeconds: undefined };
    },
    post: postOf({ file, tokens, issuers }),
    readSecret: async (name) => (name.startsWith('/secrets/') ? `secret of ${name}\n` : undefined),
  };
}

function metadataOf(issuer: string): Record<string, string> {
  return { issuer, token_endpoint: `${issuer}/token`, introspection_endpoint: `${issuer}/introspect` };
}

function postOf({ file, tokens, issuers }: Omit<Script, 'getElse'>): Post {
  return async ({ url, headers, body }) => {
    const asked = issuers.find((known) => url === `${known}/introspect`);
    if (asked !== undefined) return introspected({ file, tokens, issuer: asked }, headers, new URLSearchParams(body));
    const issuer = issuers.find((known) => url === `${known}/token`);
    if (issuer === undefined) return new RequestFailure('connect');
    const { status, json } = tokenAnswer(file, headers['authorization'] ?? '', new URLSearchParams(body));
    return { status, contentType: 'application/json', body: JSON.stringify(json) };
  };
}

/** A token that tells what was asked for: client, scopes and resource, in characters that a token may have. */
function tokenAnswer(file: CaseFile, credentials: string, form: URLSearchParams): { status: number; json: object } {
  const [client, secret] = basicPair(credentials);
  if (secret === undefined || form.get('grant_type') !== 'client_credentials') {
    return { status: 401, json: { error: 'invalid_client' } };
  }
  const override = file.tokenAnswers[client];
  if (override !== undefined) return { status: override['error'] === undefined ? 200 : 400, json: override };
  const about = [client, form.get('scope') ?? '', form.get('resource') ?? ''].filter((part) => part !== '');
  const access_token = ['own', ...about.map((part) => part.replaceAll(/[^A-Za-z0-9]/g, '-'))].join('.');
  return { status: 200, json: { access_token, token_type: 'Bearer', expires_in: 300 } };
}

/** RFC 6749 section 2.3.1: both are form-encoded before they are joined. */
function basicPair(credentials: string): [client: string, secret: string | undefined] {
  const pair = Buffer.from(credentials.replace(/^Basic /, ''), 'base64').toString();
  const [client = '', secret] = pair.split(':').map((part) => new URLSearchParams(`=${part}`).get('') ?? '');
  return [client, secret];
}

interface Introspected {
  readonly file: CaseFile;
  readonly tokens: TokenMaker;
  /** Its identifier. */
  readonly issuer: string;
}

/** IN-01: who asks without credentials is told nothing. */
function introspected(
  { file, tokens, issuer }: Introspected,
  headers: Readonly<Record<string, string>>,
  form: URLSearchParams,
): FormAnswer {
  const json = 'application/json';
  const [, secret] = basicPair(headers['authorization'] ?? '');
  if (secret === undefined) return { status: 401, contentType: json, body: '{"error":"invalid_client"}' };
  const known = file.opaque[form.get('token') ?? ''];
  if (known === undefined) return { status: 200, contentType: json, body: '{"active":false}' };
  if ('text' in known) return { status: known.status, contentType: known.contentType ?? json, body: known.text };
  if ('signed' in known) {
    return { status: 200, contentType: 'application/token-introspection+jwt', body: tokens.make(known.signed) };
  }
  const entry = file.policy.flatMap(({ issuers = [] }) => issuers).find((one) => one.issuer === issuer);
  const filledIn = {
    active: true,
    iss: issuer,
    aud: entry?.audiences?.[0],
    sub: 'ada',
    client_id: 'web',
    token_type: 'Bearer',
    iat: file.nowSeconds,
    exp: file.nowSeconds + 300,
  };
  const answer = Object.entries({ ...filledIn, ...known.claims }).filter(([, value]) => value !== null);
  return { status: 200, contentType: json, body: JSON.stringify(Object.fromEntries(answer)) };
}
