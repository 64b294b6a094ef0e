/**
 * Promises: the shape of an issuer in a policy document, each field with the help that an editor shows.
 */
import { z } from 'zod';
import { algorithms } from '../token/algorithm.ts';
import { claimPath, duration, name, text } from './schema-value.ts';

const jwks = z.strictObject({
  uri: text.optional().describe('URL of the key set, with https.'),
  // RFC 7517 section 5: members of the set that are not known are ignored.
  inline: z
    .looseObject({ keys: z.array(z.looseObject({ kty: text })).min(1) })
    .optional()
    .describe('The key set itself (RFC 7517), public keys only.'),
  ca: text
    .optional()
    .describe('PEM certificates of a private CA that signed the certificate of the server the keys come from.'),
});

const insecure = z.strictObject({
  allowHttp: z.boolean().optional().describe('URLs of this issuer may be http, on loopback.'),
  anyHost: z
    .boolean()
    .optional()
    .describe('Beside `allowHttp`: on any host. Whoever is on the way can exchange the keys.'),
});

const introspection = z.strictObject({
  clientId: text.describe('The id with which Scopegate asks.'),
  clientSecretFile: text.optional().describe('File of its secret, on the machine of `serve`.'),
  privateKeyFile: text.optional().describe('File of the key that it signs assertions with, PEM or JWK.'),
  tlsCertFile: text.optional().describe('PEM file of its certificate, for mutual TLS.'),
  tlsKeyFile: text.optional().describe('PEM file of the key of that certificate.'),
  uri: text.optional().describe('URL of the endpoint, with https. Default: found by discovery on `issuer`.'),
  signed: z.boolean().optional().describe('Only answers that the issuer signs count (RFC 9701). Default: `false`.'),
  cacheTtl: duration.optional().describe('How long an answer is remembered, `0s` to `1m`. Default: `30s`.'),
});

const dpop = z.strictObject({
  nonce: z.boolean().optional().describe('Proofs must carry a nonce of ours. Default: `false`.'),
  maxAge: duration.optional().describe('Oldest accepted proof, `1s` to `5m`. Default: `60s`.'),
});

export const issuer = z.strictObject({
  name: name.describe('How rules, logs and headers call it. Unique in the whole policy.'),
  issuer: text.describe('What the `iss` of its tokens is, character by character.'),
  provider: z
    .enum(['generic', 'rfc9068', 'keycloak', 'auth0', 'okta', 'cognito', 'entra'])
    .optional()
    .describe('What its tokens look like. Default: `generic`.'),
  tenants: z
    .array(text)
    .min(1)
    .optional()
    .describe('For `entra` with `{tenantid}` in `issuer`: the GUIDs of the tenants whose tokens count.'),
  audiences: z
    .array(text)
    .min(1)
    .optional()
    .describe('One of these must be in the `aud` of a token; `cognito` has `clientIds` instead. Required.'),
  clientIds: z.array(text).min(1).optional().describe('The clients that may call. Default: any.'),
  jwks: jwks.optional().describe('Where its keys are. Default: found by discovery on `issuer`.'),
  algorithms: z
    .array(z.enum(Object.keys(algorithms), { error: algorithmMessage }))
    .min(1)
    .optional()
    .describe('Which signatures count. Default: all asymmetric ones.'),
  scopeClaim: claimPath.optional().describe('The claim that holds the scopes. Default: that of the provider.'),
  clockSkew: duration.optional().describe('How far its clock may be off, `0s` to `5m`. Default: `30s`.'),
  maxLifetime: duration.optional().describe('Tokens that were issued for longer are refused. Default: no limit.'),
  requireSub: z.boolean().optional().describe('A token without `sub` is refused. Default: `true`.'),
  senderConstraint: z
    .enum(['none', 'dpop', 'mtls', 'any'])
    .optional()
    .describe('How tokens must be bound to their sender; one with `cnf` is always checked. Default: `none`.'),
  dpop: dpop.optional().describe('What is asked of DPoP proofs.'),
  introspection: introspection
    .optional()
    .describe('How it is asked about tokens that are no JWT (RFC 7662). Default: such tokens are refused.'),
  insecure: insecure.optional().describe('What weakens the connection to the issuer. Warned about at start.'),
});

function algorithmMessage({ input }: { readonly input?: unknown }): string {
  const isSymmetric = typeof input === 'string' && /^(?:none|hs\d*)$/i.test(input);
  return isSymmetric
    ? '`none` and HS* are never accepted'
    : `expected one of ${Object.keys(algorithms)
        .map((algorithm) => `\`${algorithm}\``)
        .join(', ')}`;
}
