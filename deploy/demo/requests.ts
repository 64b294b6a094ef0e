/**
 * Promises: the demo's requests, each with what must come of it, and the tokens they carry, got from the issuer as clients get them.
 * Leaves to others: sending (send.ts) and showing (table.ts).
 */
import { billingApi, clients, ordersApi } from './issuer.ts';
import { clientCredentials, logIn } from './tokens.ts';

/** The names are what the table shows. */
export interface Tokens {
  /** ada's, by the code flow of the shop. */
  readonly 'orders:read': string;
  /** The other two are of a job of its own, by client credentials. */
  readonly 'orders:write': string;
  readonly 'reports:read': string;
  readonly expired: string;
  readonly 'other API': string;
  readonly 'ID token': string;
  /** ada's with `orders:write` written into it. */
  readonly altered: string;
  readonly garbage: string;
}

export interface DemoRequest {
  readonly method: string;
  readonly path: string;
  /** A header that the client adds, such as a forged identity. */
  readonly header?: readonly [name: string, value: string];
  readonly token?: keyof Tokens;
  readonly expected: Outcome;
}

/** What a client and the upstream see. */
export interface Outcome {
  readonly status: number;
  /** `reason` of Scopegate's answer; `-` when the request passed, `(Envoy)` when Envoy refused it before it asked. */
  readonly reason: string;
  /** Identity headers that the upstream got, `none`, or `-` when it was not called. A path that Envoy changed stands before. */
  readonly upstream: string;
}

const ada = 'x-user-id=ada x-client-id=shop';
const job = 'x-user-id=job x-client-id=job';
const orders = '/api/orders';

function passes(upstream: string): Outcome {
  return { status: 200, reason: '-', upstream };
}

function refused(status: number, reason: string): Outcome {
  return { status, reason, upstream: '-' };
}

export const requests: readonly DemoRequest[] = [
  { method: 'GET', path: orders, expected: refused(401, 'token_missing') },
  { method: 'GET', path: orders, token: 'reports:read', expected: refused(403, 'insufficient_scope') },
  { method: 'GET', path: orders, token: 'orders:read', expected: passes(ada) },
  { method: 'POST', path: orders, token: 'orders:read', expected: refused(403, 'insufficient_scope') },
  { method: 'POST', path: orders, token: 'orders:write', expected: passes(job) },
  { method: 'GET', path: `${orders}/42`, token: 'expired', expected: refused(401, 'token_expired') },
  { method: 'GET', path: `${orders}/42`, token: 'other API', expected: refused(401, 'audience_mismatch') },
  { method: 'GET', path: `${orders}/42`, token: 'ID token', expected: refused(401, 'token_type_refused') },
  { method: 'POST', path: orders, token: 'altered', expected: refused(401, 'signature_invalid') },
  { method: 'GET', path: orders, token: 'garbage', expected: refused(401, 'token_malformed') },
  { method: 'GET', path: `${orders}?access_token=…`, expected: refused(401, 'token_missing') },
  { method: 'GET', path: orders, header: ['x-user-id', 'root'], token: 'orders:read', expected: passes(ada) },
  { method: 'GET', path: '/healthz', header: ['X-User-ID', 'root'], expected: passes('none') },
  { method: 'GET', path: '/healthz', header: ['x_user_id', 'root'], expected: refused(400, '(Envoy)') },
  { method: 'GET', path: '/api/../admin/users', token: 'orders:read', expected: refused(403, 'rule_deny') },
  { method: 'GET', path: `${orders}%2f..%2fadmin`, token: 'orders:read', expected: refused(400, '(Envoy)') },
  {
    method: 'GET',
    path: `${orders}/%252e%252e/admin`,
    token: 'orders:read',
    expected: refused(400, 'request_malformed'),
  },
  { method: 'GET', path: '//api//orders', token: 'orders:read', expected: passes(`${orders} ${ada}`) },
  { method: 'GET', path: '/nowhere', token: 'orders:read', expected: refused(403, 'no_rule') },
];

/** All tokens of the demo; the expired one expires a second later. */
export async function getTokens(issuer: string): Promise<Tokens> {
  const expired = await clientCredentials(issuer, clients.shortLived, ordersApi, 'orders:read');
  const login = await logIn(issuer, clients.web, ordersApi, 'orders:read');
  return {
    'orders:read': login.accessToken,
    'orders:write': await clientCredentials(issuer, clients.service, ordersApi, 'orders:write'),
    'reports:read': await clientCredentials(issuer, clients.service, ordersApi, 'reports:read'),
    expired,
    'other API': await clientCredentials(issuer, clients.service, billingApi, 'orders:read'),
    'ID token': login.idToken,
    altered: altered(login.accessToken),
    garbage: 'not-a-token',
  };
}

function altered(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = Buffer.from(payload, 'base64url').toString().replace('orders:read', 'orders:write');
  return [header, Buffer.from(claims).toString('base64url'), signature].join('.');
}
