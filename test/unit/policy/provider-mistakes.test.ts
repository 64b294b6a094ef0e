import { describe, expect, it } from 'vitest';
import { compileTexts, snapshotOf, textOf } from './policy-text.ts';

const rules = [{ name: 'all', paths: ['/**'], require: { scopes: ['a'] } }];
const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const other = '5a4a0d4c-7a3b-4e0e-9f3e-6d2a54e0d7b9';

function problemsOf(issuer: Record<string, unknown>): readonly string[] {
  const { problems } = compileTexts(textOf({ issuers: [{ name: 'corp', audiences: ['shop'], ...issuer }], rules }));
  return problems.map(({ severity, code }) => `${severity} ${code}`);
}

const v2 = `https://login.microsoftonline.com/${tenant}/v2.0`;
const v1 = `https://sts.windows.net/${tenant}/`;
const warned = ['warning provider_issuer'];
const cognito = { provider: 'cognito', audiences: undefined, clientIds: ['web'] };

const cases: Record<string, [issuer: Record<string, unknown>, expected: readonly string[]]> = {
  'IDP-02 a realm: right': [{ provider: 'keycloak', issuer: 'https://kc.test/realms/shop' }, []],
  'IDP-02 a realm under /auth: right': [{ provider: 'keycloak', issuer: 'https://kc.test/auth/realms/shop' }, []],
  'IDP-02 a realm with a slash: told': [{ provider: 'keycloak', issuer: 'https://kc.test/realms/shop/' }, warned],
  'IDP-02 the server without a realm: told': [{ provider: 'keycloak', issuer: 'https://kc.test' }, warned],
  'IDP-02 audience account: told': [
    { provider: 'keycloak', issuer: 'https://kc.test/realms/shop', audiences: ['account', 'shop'] },
    ['warning shared_audience'],
  ],
  'IDP-06 a tenant with its slash: right': [{ provider: 'auth0', issuer: 'https://acme.eu.auth0.com/' }, []],
  'IDP-06 a tenant without its slash: told': [{ provider: 'auth0', issuer: 'https://acme.eu.auth0.com' }, warned],
  'IDP-06 the audience of userinfo: told': [
    { provider: 'auth0', issuer: 'https://a.auth0.com/', audiences: ['shop', 'https://a.auth0.com/userinfo'] },
    ['warning shared_audience'],
  ],
  'IDP-05 an authorization server: right': [{ provider: 'okta', issuer: 'https://acme.okta.com/oauth2/default' }, []],
  'IDP-05 the org server: refused': [{ provider: 'okta', issuer: 'https://acme.okta.com' }, ['error provider_issuer']],
  'IDP-05 the org server with a slash: refused': [
    { provider: 'okta', issuer: 'https://acme.okta.com/' },
    ['error provider_issuer'],
  ],
  'IDP-05 no ID of a server: refused': [
    { provider: 'okta', issuer: 'https://acme.okta.com/oauth2/' },
    ['error provider_issuer'],
  ],
  'IDP-05 a host of that name: refused': [{ provider: 'okta', issuer: 'https://oauth2/x' }, ['error provider_issuer']],
  'IDP-05 a server with a slash: told': [{ provider: 'okta', issuer: 'https://acme.okta.com/oauth2/x/' }, warned],
  'IDP-03 a user pool: right': [
    { ...cognito, issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_A1b2C3d4E' },
    [],
  ],
  'IDP-03 the domain of the sign-in pages: told': [
    { ...cognito, issuer: 'https://acme.auth.eu-central-1.amazoncognito.com' },
    warned,
  ],
  'IDP-03 audiences beside clients: refused': [
    { ...cognito, issuer: 'https://c.test/eu-central-1_A', audiences: ['web'] },
    ['error no_audience'],
  ],
  'IDP-03 no clients: refused': [
    { ...cognito, issuer: 'https://c.test/eu-central-1_A', clientIds: undefined },
    ['error missing_field'],
  ],
  'IDP-04 version 2: right': [{ provider: 'entra', issuer: v2 }, []],
  'IDP-04 version 1: right': [{ provider: 'entra', issuer: v1, audiences: ['api://orders'] }, []],
  'IDP-04 a national cloud: right': [
    { provider: 'entra', issuer: `https://login.microsoftonline.us/${tenant}/v2.0` },
    [],
  ],
  'IDP-04 neither version: told': [
    { provider: 'entra', issuer: `https://login.microsoftonline.com/${tenant}/` },
    warned,
  ],
  'IDP-04 version 2 with a slash: told': [{ provider: 'entra', issuer: `${v2}/` }, warned],
  'IDP-04 version 1 without its slash: told': [{ provider: 'entra', issuer: v1.slice(0, -1) }, warned],
  'IDP-04 version 1 with the end of 2: told': [{ provider: 'entra', issuer: `${v1}v2.0` }, warned],
  'IDP-04 common: told': [{ provider: 'entra', issuer: 'https://login.microsoftonline.com/common/v2.0' }, warned],
  'IDP-04 a domain name: told': [
    { provider: 'entra', issuer: 'https://sts.windows.net/acme.onmicrosoft.com/' },
    warned,
  ],
  'IDP-04 a GUID in upper case: told': [
    { provider: 'entra', issuer: `https://sts.windows.net/${tenant.toUpperCase()}/` },
    warned,
  ],
  'IDP-04 keys of the other version: told': [
    { provider: 'entra', issuer: v1, jwks: { uri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys` } },
    ['warning provider_keys'],
  ],
  'IDP-04 keys of version 1 for 2: told': [
    { provider: 'entra', issuer: v2, jwks: { uri: 'https://login.windows.net/common/discovery/keys' } },
    ['warning provider_keys'],
  ],
  'IDP-04 keys of its own version, of one application: right': [
    {
      provider: 'entra',
      issuer: v2,
      jwks: { uri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys?appid=1` },
    },
    [],
  ],
  'IDP-04 Graph as an audience: told': [
    { provider: 'entra', issuer: v2, audiences: ['00000003-0000-0000-c000-000000000000'] },
    ['warning provider_audience'],
  ],
  'IDP-04 an App ID URI in version 2: told': [
    { provider: 'entra', issuer: v2, audiences: ['api://orders'] },
    ['warning provider_audience'],
  ],
  'IDP-04 OC-01 roles for scopes, of any client: told': [
    { provider: 'entra', issuer: v2, scopeClaim: 'roles' },
    ['warning provider_clients'],
  ],
  'IDP-04 OC-01 the same, the claim as a list: told': [
    { provider: 'entra', issuer: v2, scopeClaim: ['roles'] },
    ['warning provider_clients'],
  ],
  'IDP-04 roles for scopes, of clients that are listed: right': [
    { provider: 'entra', issuer: v2, scopeClaim: 'roles', clientIds: ['web'] },
    [],
  ],
  'IDP-04 another claim for scopes: right': [{ provider: 'entra', issuer: v2, scopeClaim: 'groups' }, []],
  'another provider: nothing of these is told': [{ issuer: 'https://sts.windows.net', audiences: ['account'] }, []],
};

it.each(Object.entries(cases))('%s', (_name, [issuer, expected]) => {
  expect(problemsOf(issuer)).toEqual(expected);
});

describe('IDP-04 tenants', () => {
  const template = 'https://login.microsoftonline.com/{tenantid}/v2.0';
  const entry = { name: 'many', provider: 'entra', issuer: template, audiences: ['shop'] };

  it('one exact issuer for each, of one name, in lower case', () => {
    const { issuers } = snapshotOf({ issuers: [{ ...entry, tenants: [tenant, other.toUpperCase()] }], rules });
    expect([...issuers].map(([iss, { name, issuer, tenant: of }]) => [iss, name, issuer, of])).toEqual([
      [v2, 'many', v2, tenant],
      [v2.replace(tenant, other), 'many', v2.replace(tenant, other), other],
    ]);
  });

  it('an exact issuer: its tenant is the one in it', () => {
    const { issuers } = snapshotOf({ issuers: [{ ...entry, issuer: v1 }], rules });
    expect(issuers.get(v1)?.tenant).toBe(tenant);
  });

  it('a GUID in the issuer of another provider: no tenant', () => {
    const { issuers } = snapshotOf({ issuers: [{ ...entry, provider: 'generic', issuer: v2 }], rules });
    expect(issuers.get(v2)?.tenant).toBeUndefined();
  });

  it('an entry that no rule uses: told once', () => {
    const issuers = [
      { ...entry, tenants: [tenant, other] },
      { name: 'corp', issuer: 'https://idp.test', audiences: ['shop'] },
    ];
    const { problems } = compileTexts(textOf({ issuers, rules: [{ ...rules[0], issuers: ['corp'] }] }));
    expect(problems.map(({ code }) => code)).toEqual(['unused_issuer']);
  });
});
