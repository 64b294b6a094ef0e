/**
 * Promises: a realm of Keycloak as the suite needs it: a key for each algorithm, a client for each thing that is tried, one user.
 * The realm is made empty first: one that comes with `clientScopes` gets only those, and lacks all that Keycloak would give it.
 */
import type { Keycloak } from './keycloak.ts';

export const ordersApi = 'https://orders.example.com';
/** Where a login ends; nobody listens there. */
export const redirectUri = 'http://127.0.0.1:9999/callback';
export const user = { name: 'ada', password: 'lovelace' };

/** What Keycloak can sign access tokens with. */
export const keycloakAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** Clients of the realm; the secret of a confidential one is its id with `-secret` after it. */
export const clients = {
  service: 'service',
  /** Access tokens have `typ: at+jwt`. */
  rfc9068: 'rfc9068',
  /** Access tokens without audience, roles and client id. */
  lightweight: 'lightweight',
  /** May not read orders. */
  scopeless: 'scopeless',
  /** Its tokens are for another API. */
  elsewhere: 'elsewhere',
  /** Its tokens last a second. */
  short: 'short',
  dpop: 'dpop',
  /** A secret, and tokens bound to the certificate that came along. */
  certificateBound: 'certificate-bound',
  /** No secret: its certificate alone says who it is. */
  certificate: 'certificate',
  web: 'web',
  /** Public, in a browser: the code flow with PKCE is all it can do. */
  spa: 'spa',
  spaDpop: 'spa-dpop',
} as const;

export function algorithmClient(algorithm: string): string {
  return `service-${algorithm.toLowerCase()}`;
}

export interface RealmOptions {
  /** Where logout tokens of the client `web` go. */
  readonly logoutUrl?: string;
}

/** Makes the realm `name`; its issuer is returned. */
export async function createRealm(keycloak: Keycloak, name: string, options: RealmOptions = {}): Promise<string> {
  await keycloak.admin('POST', '', {
    realm: name,
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan: 300,
    defaultSignatureAlgorithm: 'RS256',
    components: { 'org.keycloak.keys.KeyProvider': keyProviders() },
  });
  for (const [scope, audience] of [
    ['orders:read', ordersApi],
    ['billing:read', 'https://billing.example.com'],
  ]) {
    await keycloak.admin('POST', `/${name}/client-scopes`, clientScope(scope ?? '', audience ?? ''));
  }
  // One by one, not as a partial import: that gives no service accounts and no default roles.
  for (const made of clientsOf(options)) await keycloak.admin('POST', `/${name}/clients`, made);
  await keycloak.admin('POST', `/${name}/users`, {
    username: user.name,
    enabled: true,
    emailVerified: true,
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'Lovelace',
    credentials: [{ type: 'password', value: user.password, temporary: false }],
  });
  return `${keycloak.url}/realms/${name}`;
}

/** A scope that a client is given, and with it the audience whose scope it is. */
function clientScope(name: string, audience: string): object {
  return {
    name,
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'false' },
    protocolMappers: [
      {
        name: `audience of ${name}`,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: {
          'included.custom.audience': audience,
          'access.token.claim': 'true',
          'id.token.claim': 'false',
          'lightweight.claim': 'false',
        },
      },
    ],
  };
}

const builtInScopes = ['basic', 'acr', 'roles', 'profile', 'email', 'web-origins'];

interface ClientSpec {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly scopes?: readonly string[];
  readonly more?: object;
}

function client(id: string, { attributes = {}, scopes = ['orders:read'], more = {} }: ClientSpec = {}): object {
  return {
    clientId: id,
    enabled: true,
    protocol: 'openid-connect',
    secret: `${id}-secret`,
    publicClient: false,
    standardFlowEnabled: false,
    serviceAccountsEnabled: true,
    fullScopeAllowed: true,
    defaultClientScopes: [...builtInScopes, 'service_account', ...scopes],
    optionalClientScopes: ['offline_access'],
    attributes,
    ...more,
  };
}

/** One that sends people to the login page. */
function loginClient(id: string, attributes: Readonly<Record<string, string>>, more: object = {}): object {
  return client(id, {
    attributes: { 'pkce.code.challenge.method': 'S256', ...attributes },
    more: {
      standardFlowEnabled: true,
      serviceAccountsEnabled: false,
      redirectUris: [redirectUri],
      defaultClientScopes: builtInScopes,
      optionalClientScopes: ['orders:read', 'offline_access'],
      ...more,
    },
  });
}

function clientsOf({ logoutUrl }: RealmOptions): readonly object[] {
  const bound = { 'tls.client.certificate.bound.access.tokens': 'true' };
  const logout =
    logoutUrl === undefined
      ? {}
      : { 'backchannel.logout.url': logoutUrl, 'backchannel.logout.session.required': 'true' };
  const isPublic = { publicClient: true };
  return [
    client(clients.service),
    client(clients.rfc9068, { attributes: { 'access.token.header.type.rfc9068': 'true' } }),
    client(clients.lightweight, { attributes: { 'client.use.lightweight.access.token.enabled': 'true' } }),
    client(clients.scopeless, {
      scopes: ['orders:read'],
      more: { defaultClientScopes: ['basic'], protocolMappers: audienceOnly },
    }),
    client(clients.elsewhere, { scopes: ['billing:read'] }),
    client(clients.short, { attributes: { 'access.token.lifespan': '1' } }),
    client(clients.dpop, { attributes: { 'dpop.bound.access.tokens': 'true' } }),
    client(clients.certificateBound, { attributes: bound }),
    client(clients.certificate, {
      // The name of test/support/tls/client.pem.
      attributes: { ...bound, 'x509.subjectdn': 'CN=envoy', 'x509.allow.regex.pattern.comparison': 'false' },
      more: { clientAuthenticatorType: 'client-x509' },
    }),
    loginClient(clients.web, logout),
    loginClient(clients.spa, {}, isPublic),
    loginClient(clients.spaDpop, { 'dpop.bound.access.tokens': 'true' }, isPublic),
    ...keycloakAlgorithms.map((algorithm) =>
      client(algorithmClient(algorithm), { attributes: { 'access.token.signed.response.alg': algorithm } }),
    ),
  ];
}

const audienceOnly = [
  {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.custom.audience': ordersApi, 'access.token.claim': 'true' },
  },
];

/** The name of the provider of the key that signs by default. */
export const defaultKeyName = 'RS256';

function keyProviders(): readonly object[] {
  return [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((algorithm) => rsaKey(algorithm)),
    provider('rsa-enc', 'rsa-enc-generated', { algorithm: 'RSA-OAEP', keySize: '2048' }),
    provider('hmac', 'hmac-generated', { algorithm: 'HS512' }),
    provider('aes', 'aes-generated', {}),
    ...['P-256', 'P-384', 'P-521'].map((curve) => provider(curve, 'ecdsa-generated', { ecdsaEllipticCurveKey: curve })),
    provider('Ed25519', 'eddsa-generated', { eddsaEllipticCurveKey: 'Ed25519' }),
  ];
}

/** A key for RSA signatures; the one with the highest priority signs. */
export function rsaKey(algorithm: string, priority = 100, name = algorithm): object {
  return provider(name, 'rsa-generated', { algorithm, keySize: '2048', priority: String(priority) });
}

function provider(name: string, providerId: string, config: Readonly<Record<string, string>>): object {
  const values = Object.entries({ priority: '100', ...config }).map(([key, value]) => [key, [value]]);
  return { name, providerId, config: Object.fromEntries(values) };
}

const keyProviderType = 'org.keycloak.keys.KeyProvider';

/** The signing keys of a realm, changed as an administrator does it. */
export class SigningKeys {
  readonly #keycloak: Keycloak;
  readonly #realm: string;
  #priority = 100;
  #current: string | undefined;

  constructor(keycloak: Keycloak, realm: string) {
    this.#keycloak = keycloak;
    this.#realm = realm;
  }

  /** A new key that signs from now on. */
  async add(): Promise<void> {
    this.#priority += 100;
    const { body } = await this.#keycloak.admin('GET', `/${this.#realm}`);
    const made = await this.#keycloak.admin('POST', `/${this.#realm}/components`, {
      ...rsaKey('RS256', this.#priority, `rotated-${this.#priority}`),
      providerType: keyProviderType,
      parentId: (body as { id: string }).id,
    });
    this.#current = new URL(made.location ?? '').pathname.replace(/^\/admin\/realms/, '');
  }

  /** The path of the provider of the key that signs. */
  async current(): Promise<string> {
    if (this.#current !== undefined) return this.#current;
    const { body } = await this.#keycloak.admin('GET', `/${this.#realm}/components?type=${keyProviderType}`);
    const found = (body as { id: string; name: string }[]).find(({ name }) => name === defaultKeyName);
    if (found === undefined) throw new Error('the realm has lost its key');
    return `/${this.#realm}/components/${found.id}`;
  }

  /** Passive: published, and signs no more. Disabled: not published. */
  async set(path: string, state: 'passive' | 'disabled'): Promise<void> {
    const { body } = await this.#keycloak.admin('GET', path);
    const component = body as { config: object };
    const config = { ...component.config, active: ['false'], enabled: [String(state === 'passive')] };
    await this.#keycloak.admin('PUT', path, { ...component, config });
  }
}
