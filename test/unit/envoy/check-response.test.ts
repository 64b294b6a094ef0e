import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allow, type Decision, type Deny, type Told } from '../../../src/decision/decision.ts';
import { type DenyReason, type DenyStatus, denyReasons, denyRow } from '../../../src/decision/deny-reason.ts';
import type { RequestAttributes } from '../../../src/decision/request.ts';
import { writeCheckResponse } from '../../../src/envoy/check-response.ts';
import { decodeCheckResponse } from '../../support/proto-types.ts';

const told: Told = {
  policy: '0123456789abcdef',
  rule: 'orders-read',
  path: '/a',
  host: 'h',
  caller: { issuer: 'corp', subject: 'ada', clientId: 'web', scopes: ['a', 'b'], jti: 'j', kid: 'k' },
  tokenCache: 'hit',
  shadow: [{ rule: 'next', decision: 'deny', reason: 'insufficient_scope' }],
};

const reasons = Object.keys(denyReasons) as DenyReason[];

function deny(reason: DenyReason, over: Partial<Deny> = {}): Deny {
  const status = denyRow(reason).http;
  return { reason, status, told, challenges: [], nonce: undefined, detail: undefined, missingScopes: [], ...over };
}

function requestWith(method: string, contentType?: string): RequestAttributes {
  const values = (name: string): string[] => (name === 'content-type' && contentType ? [contentType] : []);
  return { id: '', method, host: 'h', path: '/', certificate: '', headers: { values, underscoreNames: [] } };
}

const encode = (decision: Decision, request?: RequestAttributes) =>
  decodeCheckResponse(writeCheckResponse(decision, request));

function headerOf(response: ReturnType<typeof encode>, name: string): (string | undefined)[] {
  const headers = response.denied_response?.headers ?? [];
  return headers.filter(({ header }) => header.key === name).map(({ header }) => header.value);
}

describe('an allow', () => {
  const allow = new Allow('allowed', told, {
    setHeaders: [['x-user-id', 'ada']],
    removeHeaders: ['x_user_id', 'x-tenant'],
    nonce: 'fresh',
  });
  const response = encode(allow);

  it('EA-01: code 0 and an ok_response, no denied_response', () => {
    expect(response.status).toEqual({});
    expect(response.ok_response).toBeDefined();
    expect(response.denied_response).toBeUndefined();
  });

  it('EA-10: every header with append false and OVERWRITE_IF_EXISTS_OR_ADD', () => {
    expect(response.ok_response?.headers).toEqual([
      { header: { key: 'x-user-id', value: 'ada' }, append: {}, append_action: 2 },
    ]);
  });

  it('EA-12: headers_to_remove as given', () => {
    expect(response.ok_response?.headers_to_remove).toEqual(['x_user_id', 'x-tenant']);
  });

  it('EA-19: dynamic metadata in field 4', () => {
    const text = (value: string) => ({ stringValue: value });
    const list = (values: object[]) => ({ listValue: { values } });
    expect(response.dynamic_metadata).toEqual({
      fields: {
        reason: text('allowed'),
        rule: text('orders-read'),
        policy: text('0123456789abcdef'),
        issuer: text('corp'),
        subject: text('ada'),
        client_id: text('web'),
        scopes: list([text('a'), text('b')]),
        shadow: list([
          {
            structValue: {
              fields: { rule: text('next'), decision: text('deny'), reason: text('insufficient_scope') },
            },
          },
        ]),
      },
    });
  });

  it('an object of the shape of an allow: refused, since the Allow class did not make it', () => {
    const { reason, setHeaders, removeHeaders } = allow;
    const forged = { reason, told, setHeaders, removeHeaders, challenges: [], status: 403 } as unknown as Decision;
    expect(() => encode(forged)).toThrow();
  });
});

describe('a refusal', () => {
  it.each(reasons)('EA-01 EA-04 %s: code 7 or 16 with a denied_response', (reason) => {
    const response = encode(deny(reason));
    const status = denyRow(reason).http;
    expect(response.status?.code).toBe(status === 401 ? 16 : 7);
    expect(response.denied_response?.status?.code).toBe(status);
    expect(response.ok_response).toBeUndefined();
  });

  it.each(reasons)('EA-33 EA-34 %s: a JSON body under 512 bytes, not stored', (reason) => {
    const response = encode(deny(reason));
    const body = response.denied_response?.body ?? '';
    expect(Buffer.byteLength(body)).toBeLessThan(512);
    expect(JSON.parse(body)).toMatchObject({
      reason,
      error: expect.any(String),
      error_description: expect.any(String),
    });
    expect(headerOf(response, 'content-type')).toEqual(['application/json']);
    expect(headerOf(response, 'cache-control')).toEqual(['no-store']);
  });

  it.each<[DenyReason, DenyStatus | undefined, string]>([
    ['token_missing', undefined, 'unauthorized'],
    ['token_expired', undefined, 'invalid_token'],
    ['insufficient_scope', undefined, 'insufficient_scope'],
    ['no_rule', undefined, 'forbidden'],
    ['no_rule', 401, 'unauthorized'],
    ['request_malformed', undefined, 'invalid_request'],
    ['keys_unavailable', undefined, 'unavailable'],
  ])('%s with status %s: error %s in the body', (reason, status, error) => {
    const response = encode(deny(reason, status === undefined ? {} : { status }));
    expect(JSON.parse(response.denied_response?.body ?? '')).toMatchObject({ error });
  });

  it('BT-05: the challenges, one header entry each', () => {
    const response = encode(deny('token_missing', { challenges: ['Bearer realm="a"', 'DPoP realm="a"'] }));
    expect(headerOf(response, 'www-authenticate')).toEqual(['Bearer realm="a"', 'DPoP realm="a"']);
  });

  it('EA-02: 503 carries Retry-After, the others do not', () => {
    expect(headerOf(encode(deny('internal_error')), 'retry-after')).toEqual(['5']);
    expect(headerOf(encode(deny('no_rule')), 'retry-after')).toEqual([]);
  });

  it('EA-33 HEAD: no body', () => {
    const response = encode(deny('no_rule'), requestWith('HEAD'));
    expect(response.denied_response?.body ?? '').toBe('');
    expect(headerOf(response, 'content-type')).toEqual([]);
  });

  it.each(['application/grpc', 'application/grpc+proto', 'Application/GRPC-web'])(
    'EA-32 %s: plain text, and 401 where HTTP gets 400',
    (contentType) => {
      const response = encode(deny('credentials_malformed'), requestWith('POST', contentType));
      expect(response.status?.code).toBe(16);
      expect(response.denied_response?.status?.code).toBe(401);
      expect(response.denied_response?.body).toBe('The credentials are malformed or sent more than once');
      expect(headerOf(response, 'content-type')).toEqual(['text/plain']);
    },
  );

  it('PR-01 the metadata document: status 200, and a refusal for Envoy all the same', () => {
    const response = encode({ reason: 'resource_metadata', told, body: '{"resource":"https://a"}' });
    expect(response.status?.code).toBe(7);
    expect(response.denied_response).toMatchObject({ status: { code: 200 }, body: '{"resource":"https://a"}' });
  });

  it('EA-19 scopes past the cap: left out of the metadata', () => {
    const scopes = Array.from({ length: 1000 }, (_, at) => `scope-number-${at}`);
    const caller = { issuer: 'corp', subject: 'ada', clientId: 'web', scopes, jti: undefined, kid: undefined };
    const response = encode(deny('no_rule', { told: { ...told, caller } }));
    expect(response.dynamic_metadata).toHaveProperty('fields.subject');
    expect(response.dynamic_metadata).not.toHaveProperty('fields.scopes');
  });
});

describe('writeCheckResponse', () => {
  it('any headers, of any length: what the reference codec reads back', () => {
    const name = fc.stringMatching(/^[a-z-]{1,40}$/);
    const value = fc.string({ unit: 'binary', maxLength: 5000 }).filter((text) => text !== '');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.array(name), (set, remove) => {
        const response = encode(
          new Allow('allowed', told, { setHeaders: set, removeHeaders: remove, nonce: undefined }),
        );
        const read = (response.ok_response?.headers ?? []).map(({ header }) => [header.key, header.value]);
        expect(read).toEqual(set);
        expect(response.ok_response?.headers_to_remove ?? []).toEqual(remove);
      }),
    );
  });
});
