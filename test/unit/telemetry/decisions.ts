/** Decisions and requests to be told of. */
import { Allow, type Caller, type Deny, type MetadataDocument, type Told } from '../../../src/decision/decision.ts';
import type { DenyReason } from '../../../src/decision/deny-reason.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';

export const caller: Caller = {
  issuer: 'corp',
  subject: 'ada',
  clientId: 'web',
  scopes: ['orders:read'],
  jti: 'j-1',
  kid: 'k-1',
};

export function told(known: Partial<Told> = {}): Told {
  return {
    policy: undefined,
    rule: undefined,
    path: undefined,
    host: undefined,
    caller: undefined,
    tokenCache: undefined,
    shadow: [],
    ...known,
  };
}

export function allow(known: Partial<Told> = {}): Allow {
  return new Allow('allowed', told(known), {
    setHeaders: [['x-user-id', 'ada']],
    removeHeaders: [],
    nonce: undefined,
  });
}

export function deny(reason: DenyReason, known: Partial<Told> = {}, more: Partial<Deny> = {}): Deny {
  return {
    reason,
    status: 403,
    told: told(known),
    challenges: [],
    nonce: undefined,
    detail: undefined,
    missingScopes: [],
    ...more,
  };
}

export function metadataDocument(): MetadataDocument {
  return { reason: 'resource_metadata', told: told(), body: '{}' };
}

export function request(
  more: Partial<Omit<RequestAttributes, 'headers'>> = {},
  headers: [string, string][] = [],
): RequestAttributes {
  return {
    id: '',
    method: 'GET',
    host: 'Orders.example.com:443',
    path: '/orders/7?access_token=secret',
    certificate: '',
    headers: {
      values: (name) => headers.filter(([sent]) => sent === name).map(([, value]) => value),
      underscoreNames: [],
    },
    ...more,
  };
}
