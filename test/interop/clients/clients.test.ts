/**
 * The clients of the field: each gets its tokens from a real Keycloak and a real oidc-provider and calls the API behind Envoy, with what it
 * needs for that, with less, and with nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Keycloak, startKeycloak } from '../keycloak.ts';
import { clients, createRealm, ordersApi, redirectUri, user } from '../keycloak-realm.ts';
import { type OidcIssuer, startOidcIssuer } from '../oidc-issuer.ts';
import { api, gist, ordersUrl, Stage } from '../stage.ts';
import { InteropTable } from '../table.ts';
import { browser, oauthlib, openidClient, passport, type RunClient, spring } from './client-programs.ts';
import { type ClientParts, clientParts } from './install.ts';
import type { Answers, Settings } from './settings.ts';

const table = new InteropTable('clients', ['client', 'issuer and what was tried', 'result']);
const realm = 'orders';
const own = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const npm = (JSON.parse(own('package.json')) as { dependencies: Readonly<Record<string, string>> }).dependencies;
const python = Object.fromEntries(
  own('requirements.txt')
    .split('\n')
    .map((line) => line.split('==')),
) as typeof npm;
const [, springBoot] = /starter-parent<\/artifactId>\s*<version>(.*)<\/version>/.exec(own('spring/pom.xml')) ?? [];
const library = 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js';
let parts: ClientParts;
let settings: Settings;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  parts = await clientParts(() => {});
  const keycloak = await startKeycloak();
  cleanUp.push(() => keycloak.stop());
  const oidc = await startOidcIssuer();
  cleanUp.push(() => oidc.stop());
  const issuer = await createRealm(keycloak, realm);
  await prepareLogins(keycloak);
  const common = { audiences: [api], insecure: { allowHttp: true } };
  const stage = await Stage.create({
    pages: {
      '/app/': own('page.html'),
      '/app/oidc-client-ts.js': readFileSync(join(parts.npm, library), 'utf8'),
    },
    issuers: [
      { ...common, name: 'keycloak', provider: 'keycloak', issuer },
      // Its clients are asked for a nonce, which they have to send with the next proof.
      { ...common, name: 'oidc', provider: 'rfc9068', issuer: oidc.url, dpop: { nonce: true } },
    ],
  });
  cleanUp.push(() => stage.stop());
  settings = settingsOf(stage, issuer, oidc);
});

afterAll(async () => {
  for (const end of cleanUp.toReversed()) await end();
});

function settingsOf(stage: Stage, issuer: string, oidc: OidcIssuer): Settings {
  const { pathname } = new URL(ordersUrl);
  const protocol = `${issuer}/protocol/openid-connect`;
  return {
    api: {
      url: `http://127.0.0.1:${stage.port}${pathname}`,
      host: new URL(api).host,
      publicUrl: ordersUrl,
      tlsPort: stage.tlsPort,
    },
    keycloak: { issuer, authorization: `${protocol}/auth`, token: `${protocol}/token` },
    oidc: { issuer: oidc.url, authorization: `${oidc.url}/auth`, token: `${oidc.url}/token` },
    ...clients,
    user,
    redirectUri,
  };
}

/** Clients of people: their tokens are always for the API, so that the scope alone decides, and a page of the API's origin may log in. */
async function prepareLogins(keycloak: Keycloak): Promise<void> {
  const audience = {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.custom.audience': ordersApi, 'access.token.claim': 'true' },
  };
  for (const name of [clients.web, clients.spa, clients.spaDpop]) {
    const { body } = await keycloak.admin('GET', `/${realm}/clients?clientId=${name}`);
    const [client] = body as { id: string }[];
    if (client === undefined) throw new Error(`the realm has no client ${name}`);
    const changed = { ...client, redirectUris: [redirectUri, `${api}/app/`], webOrigins: [api] };
    await keycloak.admin('PUT', `/${realm}/clients/${client.id}`, changed);
    await keycloak.admin('POST', `/${realm}/clients/${client.id}/protocol-mappers/models`, audience);
  }
}

const noToken = { 'no token': '401 token_missing' };
const machine = {
  'Keycloak, client credentials': '200 service',
  'Keycloak, without the scope': '403 insufficient_scope',
  'oidc-provider, client credentials': '200 service',
};

function codeFlow(client: string): Readonly<Record<string, string>> {
  return {
    'Keycloak, code + PKCE': `200 ${client}`,
    'Keycloak, code + PKCE without the scope': '403 insufficient_scope',
  };
}

interface Tried {
  readonly run: RunClient;
  /** What it tells, by the names that the programs use. */
  readonly expected: Readonly<Record<string, string>>;
}

const tried: Readonly<Record<string, Tried>> = {
  [`oidc-client-ts ${npm['oidc-client-ts']} in Chromium`]: {
    run: browser,
    expected: {
      ...noToken,
      ...codeFlow('spa'),
      'Keycloak, code + PKCE, DPoP': '200 spa-dpop',
      'Keycloak, code + PKCE, DPoP, then as Bearer': '401 sender_constraint_failed',
    },
  },
  [`Spring Security OAuth2 client, Spring Boot ${springBoot}`]: { run: spring, expected: { ...noToken, ...machine } },
  [`requests-oauthlib ${python['requests-oauthlib']}, oauthlib ${python['oauthlib']}`]: {
    run: oauthlib,
    expected: { ...noToken, ...machine, ...codeFlow('spa'), 'Keycloak, refreshed': '200 spa' },
  },
  [`passport.js ${npm['passport']}, passport-oauth2 ${npm['passport-oauth2']}`]: {
    run: passport,
    expected: { ...noToken, ...codeFlow('web') },
  },
  [`openid-client ${npm['openid-client']}`]: {
    run: openidClient,
    expected: {
      ...noToken,
      ...machine,
      ...codeFlow('spa'),
      'Keycloak, DPoP': '200 dpop',
      'Keycloak, DPoP, then as Bearer': '401 sender_constraint_failed',
      'oidc-provider, DPoP, asked for a nonce': '200 dpop',
      'oidc-provider, DPoP, then as Bearer': '401 sender_constraint_failed',
    },
  },
};

describe.each(Object.entries(tried))('%s', (name, { run, expected }) => {
  let answers: Answers;

  beforeAll(async () => {
    answers = await run(parts, settings);
  });

  for (const [what, wanted] of Object.entries(expected)) {
    table.row([name, what], wanted, async () => {
      const { status, body } = answers[what] ?? { status: 0, body: 'not tried' };
      return `${status} ${gist(body)}`;
    });
  }

  it('tells nothing that is not in the table', () => {
    expect(Object.keys(answers).toSorted()).toEqual(Object.keys(expected).toSorted());
  });
});

describe('the table', () => table.compareWithPage());
