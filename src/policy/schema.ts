/**
 * Promises: the shape of a policy document, whole (interface section 2), each field with the help that an editor shows. It is the one
 * source of the types, of the checks of a single value and of the JSON Schema; nothing is transformed.
 * Leaves to others: places and wording of problems (document.ts), what takes two values to check (compile.ts and its stages).
 */
import { z } from 'zod';
import { denyReasons } from '../decision/deny-reason.ts';
import { issuer } from './schema-issuer.ts';
import { acr, claimPath, duration, name, scope, text, timestamp } from './schema-value.ts';

/** Every reason code that a decision can have (interface section 7). */
const reasonCodes = ['allowed', 'allowed_public', 'resource_metadata', ...Object.keys(denyReasons)];

const claimHeader = z.union(
  [
    text,
    z.array(text).min(1),
    z.strictObject({
      claim: claimPath.describe(
        'The claim whose value the header gets: dots lead into it, a list names one member an item.',
      ),
      required: z.boolean().optional().describe('Without a value the request is refused with 403. Default: `false`.'),
      format: z
        .enum(['csv', 'json', 'base64json'])
        .optional()
        .describe('How lists and mappings are written. Default: `csv`, which lists and single values can be.'),
    }),
    z.null(),
  ],
  { error: 'expected a claim path, `{ claim: … }` or null' },
);
const claimHeaders = z.record(z.string(), claimHeader);

const requirement = z.strictObject({
  scopes: z.array(scope).optional().describe('All of these.'),
  anyScope: z.array(scope).min(1).optional().describe('At least one of these.'),
  when: text
    .optional()
    .describe('A condition in CEL that must be true, such as `claims.tenant == request.path.tenant`.'),
  acr: z.array(acr).min(1).optional().describe('The `acr` of the token is one of these (RFC 9470).'),
  maxAuthAge: duration.optional().describe('Longest time since the user logged in, by `auth_time` (RFC 9470).'),
});

const rule = z.strictObject({
  name: name.describe('How logs, metrics and tests call it. Unique in the whole policy.'),
  hosts: z
    .array(text)
    .min(1)
    .optional()
    .describe('Host names, or `*.` and a name for everything below it. Default: any host.'),
  paths: z
    .array(text)
    .min(1)
    .describe('Exact paths, `{name}` for one segment, a trailing `/**` for the path and all below it.'),
  methods: z.array(text).min(1).optional().describe('Methods, case-sensitive; GET does not mean HEAD. Default: any.'),
  issuers: z.array(text).min(1).optional().describe('Names of the issuers whose tokens count here. Default: all.'),
  access: z
    .enum(['public', 'deny'])
    .optional()
    .describe('`public`: no token is looked at. `deny`: always refused. Default: a token is wanted.'),
  require: requirement.optional().describe('What a token must have.'),
  headers: claimHeaders
    .optional()
    .describe('Claims as headers of the upstream request, by header name. They win over `defaults`, null removes one.'),
  inject: text
    .optional()
    .describe(
      'Name of the client in `clients` whose own access token the upstream gets, in place of what the caller sent.',
    ),
  forwardToken: z.boolean().optional().describe('`false`: the upstream does not get the token. Default: `true`.'),
  mode: z
    .enum(['enforce', 'shadow'])
    .optional()
    .describe('`shadow`: evaluated and reported, never decides. Default: `enforce`.'),
});

const defaults = z.strictObject({
  headers: claimHeaders.optional().describe('Claims as headers of the upstream request, for every rule.'),
  realm: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, { error: 'expected at most 128 printable ASCII characters' })
    .optional()
    .describe('`realm` of challenges. Default: `scopegate`.'),
  pathParameters: z
    .enum(['reject', 'keep'])
    .optional()
    .describe('A path with `;` is refused, or what follows it is part of its segment. Default: `reject`.'),
  origins: z
    .array(text)
    .min(1)
    .optional()
    .describe('What a DPoP proof may name. Default: https and the hosts that rules name.'),
  resourceMetadata: text
    .optional()
    .describe('URL, with https, of the protected resource whose metadata challenges point to (RFC 9728).'),
});

const client = z.strictObject({
  name: name.describe('How `inject` calls it.'),
  issuer: text.describe('Name of the issuer that it gets its tokens from.'),
  clientId: text.describe('Its id at that issuer.'),
  clientSecretFile: text.optional().describe('File of its secret, on the machine of `serve`.'),
  privateKeyFile: text.optional().describe('File of the key that it signs assertions with, PEM or JWK.'),
  tlsCertFile: text.optional().describe('PEM file of its certificate, for mutual TLS.'),
  tlsKeyFile: text.optional().describe('PEM file of the key of that certificate.'),
  scopes: z.array(scope).optional().describe('Scopes that it asks for. Default: those that the issuer gives.'),
  resource: text.optional().describe('The resource that its tokens are for, a URI (RFC 8707).'),
});

const revocation = z.strictObject({
  issuer: text.optional().describe('Name of the issuer of the tokens. Default: any.'),
  jti: text.optional().describe('`jti` of the token.'),
  sub: text.optional().describe('`sub` of the tokens.'),
  clientId: text.optional().describe('The client that the tokens were issued to.'),
  sid: text.optional().describe('`sid` of the tokens: the session that they belong to.'),
  kid: text.optional().describe('Id of the key that signed the tokens.'),
  issuedBefore: timestamp.optional().describe('Tokens issued before this time, and those that do not say when.'),
  until: timestamp.optional().describe('From then on the entry has no effect.'),
});

const testToken = z.strictObject({
  issuer: text.describe('Name of the issuer that the token is of.'),
  claims: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Claims beside those that a token of this issuer has; null removes one.'),
});

const expectation = z.strictObject({
  decision: z.enum(['allow', 'deny']).describe('What the request comes to.'),
  status: z.int().optional().describe('Status that the client gets; 200 when the request may pass.'),
  reason: z
    .enum(reasonCodes, { error: 'expected a reason code such as `no_rule`' })
    .optional()
    .describe('Reason code of the decision.'),
  rule: text.optional().describe('Name of the rule that decides.'),
  headers: z
    .record(z.string(), z.union([z.string(), z.null()], { error: 'expected text or null' }))
    .optional()
    .describe('Headers that the upstream gets from us; null: one that it does not get.'),
});

const policyTest = z.strictObject({
  name: text.describe('What is tested, in a few words.'),
  request: text.describe('Method and URL, such as `GET https://orders.example.com/api/orders`.'),
  headers: z.record(z.string(), z.string()).optional().describe('Further headers of the request.'),
  now: timestamp.optional().describe('When the request is made. Default: when the test runs.'),
  token: z
    .union([z.literal('none'), testToken], { error: 'expected `none` or `{ issuer: …, claims: … }`' })
    .describe('The token of the request, or `none`.'),
  expect: expectation.describe('What must come of it. What is left out may be anything.'),
});

export const apiVersion = 'scopegate.dev/v1';
export const kind = 'Policy';

export const policySchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the format.'),
  kind: z.literal(kind).describe('What the document is.'),
  issuers: z.array(issuer).optional().describe('Whose tokens count.'),
  rules: z.array(rule).optional().describe('What each request needs. What no rule allows is refused.'),
  defaults: defaults.optional().describe('What holds for every rule. At most once in the whole policy.'),
  clients: z.array(client).optional().describe('Scopegate as a client, for `inject`.'),
  revocations: z
    .array(revocation)
    .optional()
    .describe('Tokens that no longer count, at once. All fields of an entry must match.'),
  tests: z
    .array(policyTest)
    .optional()
    .describe('Requests and what must come of them. A policy that fails one is never activated.'),
});

export type PolicyContent = z.infer<typeof policySchema>;
export type IssuerContent = z.infer<typeof issuer>;
export type RuleContent = z.infer<typeof rule>;
export type DefaultsContent = z.infer<typeof defaults>;
export type ClientContent = z.infer<typeof client>;
export type RevocationContent = z.infer<typeof revocation>;
export type TestContent = z.infer<typeof policyTest>;
export type ClaimHeaderContent = z.infer<typeof claimHeader>;
export type ClaimPathContent = z.infer<typeof claimPath>;

/** For what is left of a document whose `apiVersion` or `kind` is wrong. */
export const partialPolicySchema = policySchema.partial({ apiVersion: true, kind: true });
