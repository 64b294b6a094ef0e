/** Policies with mistakes about Scopegate as a client: tokens of its own, and questions about opaque ones. See bad-documents.ts. */
import type { BadDocument } from './bad-documents.ts';

const corp = '{ name: corp, issuer: https://idp.test, audiences: [shop] }';
const withRule = 'rules: [{ name: all, paths: [/**], require: { scopes: [read] } }]\n';
const withIssuer = `issuers: [${corp}]\n`;
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';

export const badClientDocuments: Readonly<Record<string, BadDocument>> = {
  // Opaque tokens
  'introspection without a secret, for too long, over http': {
    text: `issuers:\n  - name: corp\n    issuer: https://idp.test\n    audiences: [shop]\n    introspection: { clientId: a, uri: "http://idp.test/i", cacheTtl: 61s }\n${withRule}`,
    problems: [
      '7:20 client_authentication: expected one of `clientSecretFile`, `privateKeyFile`, or `tlsCertFile` with `tlsKeyFile`',
      '7:40 insecure_url: expected an https URL (`insecure: { allowHttp: true }` allows http on loopback)',
      '7:71 wrong_value: expected a duration from `0s` to `1m`',
    ],
  },
  'introspection beside tenants': {
    text: `${withRule}issuers: [{ name: a, provider: entra, audiences: [a], issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", tenants: [${tenant}], introspection: { clientId: a, clientSecretFile: /s } }]\n`,
    problems: [
      '4:165 introspection: `introspection` cannot stand beside `tenants`: an opaque token does not say whose it is',
    ],
  },
  'a rule that leaves open which issuer is asked': {
    text: `issuers:\n${['a', 'b']
      .map(
        (name) =>
          `  - { name: ${name}, issuer: "https://${name}.test", audiences: [x], introspection: { clientId: a, clientSecretFile: /s } }\n`,
      )
      .join(
        '',
      )}rules:\n  - { name: r, paths: [/r], require: { scopes: [s] } }\n  - { name: q, paths: [/q], require: { scopes: [s] }, issuers: [a] }\n  - { name: p, paths: [/p], access: public }\n`,
    problems: [
      '7:13 introspection: whether issuer `a` or `b` is asked about opaque tokens is open in rule `r` (list `issuers` of the rule, with one of the two)',
    ],
  },

  // Tokens of our own
  'inject of no client': {
    text: `${withIssuer}rules:\n  - name: a\n    paths: [/a]\n    hosts: [a.test]\n    require: { scopes: [a] }\n    inject: billing\nclients: [{ name: biling, issuer: corp, clientId: a, clientSecretFile: /s }]\n`,
    problems: ['9:13 unknown_client: no client is named `billing` (did you mean `biling`?)'],
  },
  'inject beside access: deny, and beside forwardToken: true': {
    text: `${withIssuer}rules:\n  - { name: a, hosts: [a.test], paths: [/a], access: deny, inject: b }\n  - { name: c, hosts: [a.test], paths: [/c], access: public, inject: b, forwardToken: true }\nclients: [{ name: b, issuer: corp, clientId: a, clientSecretFile: /s }]\n`,
    problems: [
      '5:60 access_conflict: `inject` cannot stand beside `access: deny`, which lets nothing through to an upstream',
      '6:73 inject_conflict: `forwardToken: true` cannot stand beside `inject`, which overwrites what the caller sent',
    ],
  },
  'clients that authenticate in no way, in two, by half': {
    text: `${withIssuer}rules: [{ name: r, access: deny, paths: [/r] }]\nclients:\n  - { name: a, issuer: corp, clientId: a }\n  - { name: b, issuer: corp, clientId: a, clientSecretFile: /s, privateKeyFile: /k }\n  - { name: c, issuer: corp, clientId: a, tlsCertFile: /c }\n  - { name: d, issuer: corp, clientId: a, tlsKeyFile: /k }\n`,
    problems: [
      '6:5 client_authentication: expected one of `clientSecretFile`, `privateKeyFile`, or `tlsCertFile` with `tlsKeyFile`',
      '7:65 client_authentication: a client authenticates in one way',
      '8:43 client_authentication: `tlsCertFile` needs `tlsKeyFile`',
      '9:43 client_authentication: `tlsKeyFile` needs `tlsCertFile`',
    ],
  },
  'RI-01 clients of one name, of an unknown issuer, for no resource': {
    text: `${withIssuer}rules: [{ name: r, access: deny, paths: [/r] }]\nclients:\n  - { name: a, issuer: crop, clientId: a, clientSecretFile: /s }\n  - { name: a, issuer: corp, clientId: a, clientSecretFile: /s, resource: "https://a.test/#b" }\n  - { name: b, issuer: corp, clientId: a, clientSecretFile: /s, resource: billing }\n`,
    problems: [
      '6:24 unknown_issuer: no issuer is named `crop` (did you mean `corp`?)',
      '7:13 duplicate_name: client `a` is already defined at f:6:13',
      '7:75 url: expected an absolute URI without fragment',
      '8:75 url: expected an absolute URI without fragment',
    ],
  },
};
