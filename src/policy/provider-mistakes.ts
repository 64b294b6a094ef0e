/**
 * Promises: what is usually got wrong in the settings of an issuer, one row each, with what to do. A setting that can only refuse
 * tokens is a warning, for the operator may know better; one that would let them in unchecked is an error.
 */
import type { ProviderName } from '../token/issuer.ts';
import { type Report, type Spot, within } from './report.ts';
import type { IssuerContent } from './schema.ts';
import { quote } from './wording.ts';

interface Row {
  readonly provider: ProviderName;
  /** What the row is about; `audiences` is asked one by one. */
  readonly field: 'issuer' | 'audiences' | 'jwks' | 'scopeClaim';
  readonly isMistake: (value: string, entry: IssuerContent) => boolean;
  readonly severity?: 'error';
  readonly code: 'provider_issuer' | 'provider_audience' | 'provider_keys' | 'provider_clients' | 'shared_audience';
  readonly message: (value: string) => string;
  readonly hint: string;
}

const tenantSegment = /^https:\/\/[^/]+\/(?:\{|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\/|$))/;

const rows: readonly Row[] = [
  {
    provider: 'keycloak',
    field: 'issuer',
    isMistake: (issuer) => !/^[^?#]*[^/]\/realms\/[^/]+$/.test(issuer),
    code: 'provider_issuer',
    message: () => 'no realm of Keycloak has this issuer',
    hint: 'it is `https://HOST/realms/REALM`, without a slash at its end; before version 17 `https://HOST/auth/realms/REALM`',
  },
  {
    provider: 'keycloak',
    field: 'audiences',
    isMistake: (audience) => audience === 'account',
    code: 'shared_audience',
    message: sharedAudience,
    hint: 'give the API an audience of its own by a mapper of type Audience',
  },
  {
    provider: 'auth0',
    field: 'issuer',
    isMistake: (issuer) => !issuer.endsWith('/'),
    code: 'provider_issuer',
    message: () => 'the `iss` of Auth0 ends with a slash, and this does not',
    hint: 'write `https://TENANT/`, also for a custom domain',
  },
  {
    provider: 'auth0',
    field: 'audiences',
    isMistake: (audience) => audience.endsWith('/userinfo'),
    code: 'shared_audience',
    message: sharedAudience,
    hint: 'use the identifier of the API',
  },
  {
    provider: 'okta',
    field: 'issuer',
    // IDP-05: only Okta itself may say what its own tokens mean.
    isMistake: (issuer) => !/^[^?#]*[^/]\/oauth2\/[^/]+/.test(issuer),
    severity: 'error',
    code: 'provider_issuer',
    message: () => 'expected a custom authorization server of Okta, with `/oauth2/` in its issuer',
    hint: 'tokens of the org server are for APIs of Okta alone; use `https://ORG/oauth2/default`, or a server that you added',
  },
  {
    provider: 'okta',
    field: 'issuer',
    isMistake: (issuer) => /\/oauth2\/[^/]+\//.test(issuer),
    code: 'provider_issuer',
    message: () => 'the issuer of an authorization server of Okta ends with its ID',
    hint: 'such as `https://ORG/oauth2/default`, without a slash at its end',
  },
  {
    provider: 'cognito',
    field: 'issuer',
    isMistake: (issuer) => !/^[^?#]*[^/]\/[\w-]+_\w+$/.test(issuer),
    code: 'provider_issuer',
    message: () => 'no user pool of Cognito has this issuer',
    hint: 'it is `https://cognito-idp.REGION.amazonaws.com/POOLID`, not the domain of the sign-in pages',
  },
  {
    provider: 'entra',
    field: 'issuer',
    isMistake: (issuer) => versionOf(issuer) !== undefined && !tenantSegment.test(issuer),
    code: 'provider_issuer',
    message: () => 'tokens of Entra name their tenant by its GUID, in lower case',
    hint: 'write the Directory (tenant) ID, or for several tenants `{tenantid}` and the list `tenants`',
  },
  {
    provider: 'entra',
    field: 'issuer',
    isMistake: isMixedUp,
    code: 'provider_issuer',
    message: () => 'no token of Entra has this issuer',
    hint: '`https://login.microsoftonline.com/TENANT/v2.0` for tokens of version 2, `https://sts.windows.net/TENANT/`, with a slash at its end, for version 1',
  },
  {
    provider: 'entra',
    field: 'jwks',
    isMistake: (uri, { issuer }) => versionOfKeys(uri) !== undefined && versionOfKeys(uri) !== versionOf(issuer),
    code: 'provider_keys',
    message: () => 'these are the keys of the other version of tokens',
    hint: 'leave `jwks` out: the issuer says where its keys are',
  },
  {
    provider: 'entra',
    field: 'audiences',
    isMistake: (audience) =>
      /^(?:https:\/\/graph\.microsoft\.com|00000003-0000-0000-c000-000000000000)\/?$/.test(audience),
    code: 'provider_audience',
    message: () => 'tokens for Microsoft Graph cannot be verified by anybody else',
    hint: 'let the client ask for a scope of your own API',
  },
  {
    provider: 'entra',
    field: 'audiences',
    isMistake: (audience, { issuer }) => versionOf(issuer) === 2 && /^[a-z]+:\/\//.test(audience),
    code: 'provider_audience',
    message: () => 'tokens of version 2 name the API by its client ID',
    hint: 'write the Application (client) ID, a GUID; an App ID URI is in tokens of version 1',
  },
  {
    provider: 'entra',
    field: 'scopeClaim',
    isMistake: (claim, { clientIds }) => claim === 'roles' && clientIds === undefined,
    code: 'provider_clients',
    message: () =>
      'ID tokens have `roles` too, and those of an application that is client and API at once its audience',
    hint: 'list the clients that may call in `clientIds`: an ID token names none',
  },
];

export function checkProvider(content: IssuerContent, spot: Spot, report: Report): void {
  for (const row of rows) {
    if (row.provider !== content.provider) continue;
    for (const [value, at] of valuesOf(row, content, spot)) {
      if (!row.isMistake(value, content)) continue;
      const tell = row.severity === 'error' ? report.error : report.warn;
      tell(at, row.code, row.message(value), { hint: row.hint });
    }
  }
}

function valuesOf({ field }: Row, content: IssuerContent, spot: Spot): readonly (readonly [string, Spot])[] {
  if (field === 'issuer') return [[content.issuer, within(spot, 'issuer')]];
  if (field === 'jwks') return content.jwks?.uri === undefined ? [] : [[content.jwks.uri, within(spot, 'jwks', 'uri')]];
  if (field === 'scopeClaim') {
    const { scopeClaim } = content;
    return scopeClaim === undefined ? [] : [[[scopeClaim].flat().join('.'), within(spot, 'scopeClaim')]];
  }
  return (content.audiences ?? []).map((audience, index) => [audience, within(spot, 'audiences', index)]);
}

function sharedAudience(audience: string): string {
  return `tokens of this provider have audience ${quote(audience)} whatever API they were issued for`;
}

/** Undefined: a host that has its own ways, such as that of a national cloud. */
function versionOf(issuer: string): 1 | 2 | undefined {
  if (issuer.startsWith('https://sts.windows.net/')) return 1;
  return issuer.startsWith('https://login.microsoftonline.com/') ? 2 : undefined;
}

function isMixedUp(issuer: string): boolean {
  const version = versionOf(issuer);
  if (version === undefined) return false;
  return !(version === 1 ? /^https:\/\/[^/]+\/[^/]+\/$/ : /^https:\/\/[^/]+\/[^/]+\/v2\.0$/).test(issuer);
}

function versionOfKeys(uri: string): 1 | 2 | undefined {
  const [, version] =
    /^https:\/\/login\.(?:microsoftonline\.com|windows\.net)\/[^/]+\/discovery\/(v2\.0\/)?keys/.exec(uri) ?? [];
  if (version !== undefined) return 2;
  return /^https:\/\/login\.(?:microsoftonline\.com|windows\.net)\/[^/]+\/discovery\/keys/.test(uri) ? 1 : undefined;
}
