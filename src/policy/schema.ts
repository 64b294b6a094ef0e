/**
 * Promises: the shape of a policy document, whole (interface section 2). It is the one source of the types and of the checks of a
 * single value; nothing is transformed, so that it can also be written as a JSON Schema.
 * Leaves to others: places and wording of problems (document.ts), what takes two values to check (compile.ts and its stages), what
 * this version does not do yet (unsupported.ts).
 */
import { z } from 'zod';
import { denyReasons } from '../decision/deny-reason.ts';
import { algorithms } from '../token/algorithm.ts';
import { scopeToken } from './scope.ts';

/** Every reason code that a decision can have (interface section 7). */
const reasonCodes = ['allowed', 'allowed_public', 'resource_metadata', ...Object.keys(denyReasons)];

const text = z.string().min(1);
/** Names are shown in logs, metrics and headers, where a line break or an invisible character would make two names look like one. */
const name = z
  .string()
  .regex(/^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u, {
    error: 'expected a name without control characters or outer spaces',
  })
  .max(200);
const duration = z
  .string({ error: 'expected a duration such as `30s`, `5m` or `1h30m`' })
  .regex(/^(?=\d)(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/, {
    error: 'expected a duration such as `30s`, `5m` or `1h30m`',
  });
const scope = z.string().regex(scopeToken, { error: 'expected a scope, without spaces, quotes and backslashes' });
const timeMessage = 'expected a time such as `2026-11-01T00:00:00Z`';
const timestamp = z
  .string({ error: timeMessage })
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/, { error: timeMessage });
const claimPath = z.union([text, z.array(text).min(1)], {
  error: 'expected a claim path, text or a list of member names',
});

const claimHeader = z.union(
  [
    text,
    z.array(text).min(1),
    z.strictObject({
      claim: claimPath,
      required: z.boolean().optional(),
      format: z.enum(['csv', 'json', 'base64json']).optional(),
    }),
    z.null(),
  ],
  { error: 'expected a claim path, `{ claim: … }` or null' },
);
const claimHeaders = z.record(z.string(), claimHeader);

const issuer = z.strictObject({
  name,
  issuer: text,
  provider: z.enum(['generic', 'rfc9068', 'keycloak', 'auth0', 'okta', 'cognito', 'entra']).optional(),
  tenants: z.array(text).min(1).optional(),
  audiences: z.array(text).min(1).optional(),
  clientIds: z.array(text).min(1).optional(),
  jwks: z
    .strictObject({
      uri: text.optional(),
      // RFC 7517 section 5: members of the set that are not known are ignored.
      inline: z.looseObject({ keys: z.array(z.looseObject({ kty: text })).min(1) }).optional(),
      ca: text.optional(),
    })
    .optional(),
  algorithms: z
    .array(z.enum(Object.keys(algorithms), { error: algorithmMessage }))
    .min(1)
    .optional(),
  scopeClaim: claimPath.optional(),
  clockSkew: duration.optional(),
  maxLifetime: duration.optional(),
  requireSub: z.boolean().optional(),
  senderConstraint: z.enum(['none', 'dpop', 'mtls', 'any']).optional(),
  dpop: z.strictObject({ nonce: z.boolean().optional(), maxAge: duration.optional() }).optional(),
  insecure: z.strictObject({ allowHttp: z.boolean().optional(), anyHost: z.boolean().optional() }).optional(),
});

function algorithmMessage({ input }: { readonly input?: unknown }): string {
  const isSymmetric = typeof input === 'string' && /^(?:none|hs\d*)$/i.test(input);
  return isSymmetric
    ? '`none` and HS* are never accepted'
    : `expected one of ${Object.keys(algorithms)
        .map((algorithm) => `\`${algorithm}\``)
        .join(', ')}`;
}

const rule = z.strictObject({
  name,
  hosts: z.array(text).min(1).optional(),
  paths: z.array(text).min(1),
  methods: z.array(text).min(1).optional(),
  issuers: z.array(text).min(1).optional(),
  access: z.enum(['public', 'deny']).optional(),
  require: z
    .strictObject({
      scopes: z.array(scope).optional(),
      anyScope: z.array(scope).min(1).optional(),
      when: text.optional(),
      acr: z
        .array(z.string().regex(scopeToken, { error: 'expected an acr value, without spaces, quotes and backslashes' }))
        .min(1)
        .optional(),
      maxAuthAge: duration.optional(),
    })
    .optional(),
  headers: claimHeaders.optional(),
  inject: text.optional(),
  forwardToken: z.boolean().optional(),
  mode: z.enum(['enforce', 'shadow']).optional(),
});

const defaults = z.strictObject({
  headers: claimHeaders.optional(),
  realm: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, { error: 'expected at most 128 printable ASCII characters' })
    .optional(),
  pathParameters: z.enum(['reject', 'keep']).optional(),
  origins: z.array(text).min(1).optional(),
  resourceMetadata: text.optional(),
});

const client = z.strictObject({
  name,
  issuer: text,
  clientId: text,
  clientSecretFile: text.optional(),
  privateKeyFile: text.optional(),
  tlsCertFile: text.optional(),
  tlsKeyFile: text.optional(),
  scopes: z.array(scope).optional(),
  resource: text.optional(),
});

const revocation = z.strictObject({
  issuer: text.optional(),
  jti: text.optional(),
  sub: text.optional(),
  clientId: text.optional(),
  sid: text.optional(),
  kid: text.optional(),
  issuedBefore: timestamp.optional(),
  until: timestamp.optional(),
});

const policyTest = z.strictObject({
  name: text,
  request: text,
  headers: z.record(z.string(), z.string()).optional(),
  now: timestamp.optional(),
  token: z.union(
    [z.literal('none'), z.strictObject({ issuer: text, claims: z.record(z.string(), z.unknown()).optional() })],
    {
      error: 'expected `none` or `{ issuer: …, claims: … }`',
    },
  ),
  expect: z.strictObject({
    decision: z.enum(['allow', 'deny']),
    status: z.int().optional(),
    reason: z.enum(reasonCodes, { error: 'expected a reason code such as `no_rule`' }).optional(),
    rule: text.optional(),
    headers: z.record(z.string(), z.union([z.string(), z.null()], { error: 'expected text or null' })).optional(),
  }),
});

export const apiVersion = 'scopegate.dev/v1';
export const kind = 'Policy';

export const policySchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  issuers: z.array(issuer).optional(),
  rules: z.array(rule).optional(),
  defaults: defaults.optional(),
  clients: z.array(client).optional(),
  revocations: z.array(revocation).optional(),
  tests: z.array(policyTest).optional(),
});

export type PolicyContent = z.infer<typeof policySchema>;
export type IssuerContent = z.infer<typeof issuer>;
export type RuleContent = z.infer<typeof rule>;
export type DefaultsContent = z.infer<typeof defaults>;
export type RevocationContent = z.infer<typeof revocation>;
export type TestContent = z.infer<typeof policyTest>;
export type ClaimHeaderContent = z.infer<typeof claimHeader>;
export type ClaimPathContent = z.infer<typeof claimPath>;

/** For what is left of a document whose `apiVersion` or `kind` is wrong. */
export const partialPolicySchema = policySchema.partial({ apiVersion: true, kind: true });
