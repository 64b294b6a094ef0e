/**
 * Promises: the endpoints of the issuers of one case as an OAuth client finds them: metadata by discovery, and tokens for clients whose
 * secret is that of the case. Each issuer is at the URL of its identifier.
 */

import type { FormAnswer, Post } from '../../src/egress/post.ts';
import type { RequestPorts } from '../../src/egress/request-token.ts';
import type { Get } from '../../src/keyset/fetch.ts';
import type { CaseFile } from './case-file.ts';

export interface Script {
  readonly file: CaseFile;
  /** Identifiers of the issuers, those of the policy that is in force. */
  readonly issuers: readonly string[];
  /** For URLs of another kind. */
  readonly getElse: Get;
}

export function scriptedIssuer({ file, issuers, getElse }: Script): RequestPorts {
  return {
    get: async (url, options) => {
      const issuer = issuers.find((known) => url.href === `${known}/.well-known/openid-configuration`);
      return issuer === undefined ? getElse(url, options) : { document: metadataOf(issuer), maxAgeSeconds: undefined };
    },
    post: postOf(file, issuers),
    readSecret: async (name) => (name.startsWith('/secrets/') ? `secret of ${name}\n` : undefined),
  };
}

function metadataOf(issuer: string): Record<string, string> {
  return { issuer, token_endpoint: `${issuer}/token` };
}

function postOf(file: CaseFile, issuers: readonly string[]): Post {
  return async ({ url, headers, body }): Promise<FormAnswer> => {
    const issuer = issuers.find((known) => url === `${known}/token`);
    if (issuer === undefined) throw new Error(`nobody is at ${url}`);
    const { status, json } = tokenAnswer(file, headers['authorization'] ?? '', new URLSearchParams(body));
    return { status, contentType: 'application/json', body: JSON.stringify(json) };
  };
}

/** A token that tells what was asked for: client, scopes and resource, in characters that a token may have. */
function tokenAnswer(file: CaseFile, credentials: string, form: URLSearchParams): { status: number; json: object } {
  // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
  const pair = Buffer.from(credentials.replace(/^Basic /, ''), 'base64').toString();
  const [client = '', secret] = pair.split(':').map((part) => new URLSearchParams(`=${part}`).get('') ?? '');
  if (secret === undefined || form.get('grant_type') !== 'client_credentials') {
    return { status: 401, json: { error: 'invalid_client' } };
  }
  const override = file.tokenAnswers[client];
  if (override !== undefined) return { status: override['error'] === undefined ? 200 : 400, json: override };
  const about = [client, form.get('scope') ?? '', form.get('resource') ?? ''].filter((part) => part !== '');
  const access_token = ['own', ...about.map((part) => part.replaceAll(/[^A-Za-z0-9]/g, '-'))].join('.');
  return { status: 200, json: { access_token, token_type: 'Bearer', expires_in: 300 } };
}
