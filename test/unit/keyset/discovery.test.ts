import { describe, expect, it } from 'vitest';
import { discoverJwksUri } from '../../../src/keyset/discovery.ts';
import { Failure, type FailureKind } from '../../../src/keyset/failure.ts';

const issuer = 'https://idp.test/realms/corp';
const openid = 'https://idp.test/realms/corp/.well-known/openid-configuration';
const oauth = 'https://idp.test/.well-known/oauth-authorization-server/realms/corp';
const jwksUri = 'https://keys.test/jwks';
const strict = { allowHttp: false, anyHost: false };
const loopback = { allowHttp: true, anyHost: false };
const metadata = { issuer, jwks_uri: jwksUri };

type Answers = Readonly<Record<string, Readonly<Record<string, unknown>> | FailureKind>>;

async function discover(answers: Answers, configured = issuer, insecure = strict) {
  const asked: string[] = [];
  const get = (url: URL) => {
    asked.push(url.href);
    const answer = answers[url.href] ?? 'status_404';
    return Promise.resolve(
      typeof answer === 'string' ? new Failure(answer) : { document: answer, maxAgeSeconds: undefined },
    );
  };
  const options = { ca: undefined, signal: new AbortController().signal };
  const found = await discoverJwksUri({ issuer: configured, insecure }, get, options);
  return { asked, found: found instanceof Failure ? found.kind : found.href };
}

describe('where it looks', () => {
  it('DI-01 OpenID metadata: used, nothing else is asked', async () => {
    expect(await discover({ [openid]: metadata })).toEqual({ asked: [openid], found: jwksUri });
  });

  it('DI-01 none there: RFC 8414, inserted before the path', async () => {
    expect(await discover({ [oauth]: metadata })).toEqual({ asked: [openid, oauth], found: jwksUri });
  });

  const forms: Record<string, readonly [issuer: string, asked: readonly string[]]> = {
    'no path': [
      'https://idp.test',
      ['https://idp.test/.well-known/openid-configuration', 'https://idp.test/.well-known/oauth-authorization-server'],
    ],
    'a slash only': [
      'https://idp.test/',
      ['https://idp.test/.well-known/openid-configuration', 'https://idp.test/.well-known/oauth-authorization-server'],
    ],
    'a path with a slash at its end': [`${issuer}/`, [openid, oauth]],
    'a port': [
      'https://idp.test:8443/a',
      [
        'https://idp.test:8443/a/.well-known/openid-configuration',
        'https://idp.test:8443/.well-known/oauth-authorization-server/a',
      ],
    ],
  };

  it.each(Object.entries(forms))('DI-01 issuer with %s', async (_name, [configured, asked]) => {
    expect((await discover({}, configured)).asked).toEqual(asked);
  });
});

describe('what it refuses', () => {
  const cases: Record<string, readonly [Answers, FailureKind]> = {
    'DI-05 neither form there: status_404': [{}, 'status_404'],
    'DI-02 another issuer: issuer_mismatch': [
      { [openid]: { ...metadata, issuer: 'https://evil.test' } },
      'issuer_mismatch',
    ],
    'DI-02 the issuer with a slash more: issuer_mismatch': [
      { [openid]: { ...metadata, issuer: `${issuer}/` } },
      'issuer_mismatch',
    ],
    'DI-02 no issuer: issuer_mismatch': [{ [openid]: { jwks_uri: jwksUri } }, 'issuer_mismatch'],
    'DI-02 a list of issuers: issuer_mismatch': [{ [openid]: { ...metadata, issuer: [issuer] } }, 'issuer_mismatch'],
    'DI-02 another issuer in both forms: issuer_mismatch': [
      { [openid]: 'status_404', [oauth]: { ...metadata, issuer: 'https://evil.test' } },
      'issuer_mismatch',
    ],
    'no jwks_uri: jwks_uri_missing': [{ [openid]: { issuer } }, 'jwks_uri_missing'],
    'DI-04 jwks_uri over http: url_refused': [
      { [openid]: { ...metadata, jwks_uri: 'http://keys.test/jwks' } },
      'url_refused',
    ],
    'DI-04 jwks_uri over http on loopback without allowHttp: url_refused': [
      { [openid]: { ...metadata, jwks_uri: 'http://127.0.0.1/jwks' } },
      'url_refused',
    ],
    'DI-04 jwks_uri with a fragment: url_refused': [
      { [openid]: { ...metadata, jwks_uri: `${jwksUri}#a` } },
      'url_refused',
    ],
    'DI-04 jwks_uri that is no URL: url_refused': [{ [openid]: { ...metadata, jwks_uri: '/jwks' } }, 'url_refused'],
    'DI-01 both fail, the first with more than 404: the first': [{ [openid]: 'status_500' }, 'status_500'],
    'DI-01 both fail, the second with more than 404: the second': [{ [oauth]: 'not_json' }, 'not_json'],
  };

  it.each(Object.entries(cases))('%s', async (_name, [answers, kind]) => {
    expect((await discover(answers)).found).toBe(kind);
  });

  it('DI-02 another issuer in the first form, the right one in the second: the second', async () => {
    const answers = { [openid]: { ...metadata, issuer: 'https://evil.test' }, [oauth]: metadata };
    expect((await discover(answers)).found).toBe(jwksUri);
  });

  it.each(['timeout', 'connect', 'dns', 'tls'] as const)('%s: the host is not asked twice', async (kind) => {
    expect(await discover({ [openid]: kind, [oauth]: metadata })).toEqual({ asked: [openid], found: kind });
  });

  const issuers: Record<string, readonly [issuer: string, insecure: typeof strict]> = {
    'DI-03 over http': ['http://127.0.0.1:1', strict],
    'DI-03 over http beyond loopback': ['http://idp.test', loopback],
    'DI-03 with a query': [`${issuer}?a=b`, strict],
    'DI-03 with an empty query': [`${issuer}?`, strict],
    'DI-03 with a fragment': [`${issuer}#a`, strict],
    'DI-03 that is no URL': ['corp', strict],
  };

  it.each(Object.entries(issuers))('an issuer %s: url_refused, nothing is asked', async (_name, [name, insecure]) => {
    expect(await discover({}, name, insecure)).toEqual({ asked: [], found: 'url_refused' });
  });
});

it('JWK-07 http on loopback with allowHttp, also for the jwks_uri: used', async () => {
  const local = 'http://127.0.0.1:8080';
  const answers = { [`${local}/.well-known/openid-configuration`]: { issuer: local, jwks_uri: `${local}/jwks` } };
  expect((await discover(answers, local, loopback)).found).toBe(`${local}/jwks`);
});
