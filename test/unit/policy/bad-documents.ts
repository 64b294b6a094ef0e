/**
 * Policies with mistakes, each with every problem that must be reported: `line:column code: message (hint)`.
 * `head` stands before each text but those that are about the head itself; its lines do not count.
 */
import { badClientDocuments } from './bad-client-documents.ts';

export interface BadDocument {
  readonly text: string;
  readonly problems: readonly string[];
  /** The text is the whole file. */
  readonly isWhole?: boolean;
}

export const head = 'apiVersion: scopegate.dev/v1\nkind: Policy\n';

const corp = '{ name: corp, issuer: https://idp.test, audiences: [shop] }';
const rule = '{ name: all, paths: [/**], require: { scopes: [read] } }';
const withRule = `rules: [${rule}]\n`;
const withIssuer = `issuers: [${corp}]\n`;

function issuer(fields: string): string {
  return `issuers:\n  - name: corp\n    issuer: https://idp.test\n    audiences: [shop]\n${indent(fields)}${withRule}`;
}

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';

/** `issuer`, and what comes after it, in line 4 from column 63 on. */
function entra(iss: string): string {
  return `${withRule}issuers: [{ name: a, provider: entra, audiences: [a], issuer: ${iss} }]\n`;
}

function rules(fields: string): string {
  return `${withIssuer}rules:\n  - name: orders\n    paths: [/orders]\n${indent(fields)}`;
}

function paths(path: string): string {
  return `rules:\n  - { name: p, access: deny, paths: [${path}] }\n`;
}

/** Flow mappings from line 6 on; `all` is a rule and `corp` an issuer. */
function tests(...entries: readonly string[]): string {
  return `${withIssuer}${withRule}tests:\n${entries.map((entry) => `  - { ${entry} }\n`).join('')}`;
}

function hosts(host: string): string {
  return `rules:\n  - { name: h, access: deny, paths: [/a], hosts: [${host}] }\n`;
}

function headers(entries: string): string {
  return `${withIssuer}rules:\n  - name: h\n    paths: [/a]\n    require: { scopes: [a] }\n    headers:\n${entries
    .split('\n')
    .map((line) => `      ${line}\n`)
    .join('')}`;
}

function indent(fields: string): string {
  return fields
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
}

export const badDocuments: Readonly<Record<string, BadDocument>> = {
  ...badClientDocuments,
  // The text
  'empty text': { isWhole: true, text: '', problems: ['1:1 no_document: the text holds no document'] },
  'comments only': {
    isWhole: true,
    text: '# later\n# more\n',
    problems: ['1:1 no_document: the text holds no document'],
  },
  'document marks only': {
    isWhole: true,
    text: '---\n---\n',
    problems: ['1:1 no_document: the text holds no document'],
  },
  'explicit null': { isWhole: true, text: 'null\n', problems: ['1:1 wrong_type: expected a mapping'] },
  'a list': { isWhole: true, text: '- a\n', problems: ['1:1 wrong_type: expected a mapping'] },
  'a text': { isWhole: true, text: 'hello\n', problems: ['1:1 wrong_type: expected a mapping'] },
  'unclosed bracket': {
    text: 'rules: [\n',
    problems: ['4:1 yaml: the indentation is wrong, or a bracket is not closed'],
  },
  'unclosed quote': {
    text: 'rules: "a\n',
    problems: ['4:1 yaml: a character is missing, such as `:`, `,` or a closing quote or bracket'],
  },
  'path template without quotes in a list in brackets': {
    text: 'rules:\n  - name: a\n    paths: [/api/orders, /api/orders/{id}]\n    access: deny\n',
    problems: ['5:38 yaml: a path with `{` and `}` needs quotes'],
  },
  'path templates of several parts without quotes: told once': {
    text: 'rules:\n  - name: a\n    paths: [/a/{id}/b/{c}, /d/{e}]\n    access: deny\n',
    problems: ['5:16 yaml: a path with `{` and `}` needs quotes'],
  },
  'path template without quotes in a mapping in brackets': {
    text: 'rules: [{ name: a, path: /a/{id} }]\n',
    problems: ['3:29 yaml: a path with `{` and `}` needs quotes'],
  },
  'field indented less than the one above': {
    text: 'rules:\n  - name: a\n   paths: [/a]\n    access: deny\n',
    problems: ['5:4 yaml: the indentation differs from the line above'],
  },
  'last field indented less than the one above': {
    text: 'rules:\n  - name: a\n    access: deny\n   paths: [/a]\n',
    problems: ['6:4 yaml: the indentation differs from the line above'],
  },
  'fields of require in a rule': {
    text: 'rules:\n  - { name: a, paths: [/a], access: deny, when: "true", scopes: [b], anyScope: [c], acr: [d], maxAuthAge: 5m }\n',
    problems: [
      '4:43 unknown_field: unknown field `when` (`when` belongs into `require`)',
      '4:57 unknown_field: unknown field `scopes` (`scopes` belongs into `require`)',
      '4:70 unknown_field: unknown field `anyScope` (`anyScope` belongs into `require`)',
      '4:85 unknown_field: unknown field `acr` (`acr` belongs into `require`)',
      '4:95 unknown_field: unknown field `maxAuthAge` (`maxAuthAge` belongs into `require`)',
    ],
  },
  'field of require elsewhere': {
    text: 'when: "true"\nrules: [{ name: a, paths: [/a], access: deny }]\n',
    problems: ['3:1 unknown_field: unknown field `when`'],
  },
  'tab as indentation': { text: 'rules:\n\t- a\n', problems: ['4:1 yaml: a tab cannot indent, use spaces'] },
  'two mappings on one line': {
    text: 'rules: a: b\n',
    problems: ['3:8 yaml: a mapping cannot start here, text that holds `: ` needs quotes'],
  },
  'JSON without a colon': {
    isWhole: true,
    text: '{"apiVersion" "scopegate.dev/v1"}',
    problems: ['1:15 yaml: a character is missing, such as `:`, `,` or a closing quote or bracket'],
  },
  'custom tag': { text: `${withRule}issuers: !secret [${corp}]\n`, problems: ['4:10 yaml: tags are not supported'] },
  'binary tag': {
    text: `${withRule}defaults: { realm: !!binary aGk= }\n`,
    problems: ['4:20 yaml: tags are not supported'],
  },
  'alias without anchor': { text: 'rules: *all\n', problems: ['3:8 yaml: the alias names no anchor before it'] },
  'alias inside its own anchor': {
    text: 'rules: &all [*all]\n',
    problems: ['3:14 yaml: the alias names no anchor before it'],
  },
  'alias as a key': {
    text: `${withRule}defaults: { headers: &h { x-a: a }, *h : b }\n`,
    problems: ['4:37 yaml: expected a key that is plain text'],
  },
  'merge key': {
    text: `rules:\n  - &r ${rule}\n  - { <<: *r, name: other, paths: [/b] }\n`,
    problems: ['5:7 unknown_field: unknown field `<<`'],
  },
  'YAML 1.1 directive brings no merge key and no yes': {
    isWhole: true,
    text: `%YAML 1.1\n---\n${head}rules:\n  - { name: a, paths: [/a], access: deny, forwardToken: yes }\n`,
    problems: ['6:57 wrong_type: expected `true` or `false`'],
  },
  'exponential aliases': {
    text: `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from(
      { length: 8 },
      (_, level) => `a${level + 1}: &a${level + 1} [${Array(10).fill(`*a${level}`).join(',')}]\n`,
    ).join('')}`,
    problems: ['9:10 yaml: the document is too large'],
  },
  'nesting without end': {
    text: `${withRule}tests: ${'['.repeat(200)}${']'.repeat(200)}\n`,
    problems: ['4:72 yaml: the document is nested too deeply'],
  },
  'lone surrogate': {
    text: `${withRule}defaults: { realm: "\\ud800" }\n`,
    problems: [
      '4:20 wrong_value: expected text without lone surrogates',
      '4:20 wrong_value: expected at most 128 printable ASCII characters',
    ],
  },
  'infinite number': {
    text: `${withRule}${withIssuer.replace('audiences', 'clockSkew: .inf, audiences')}`,
    problems: [
      '4:62 wrong_type: expected a duration such as `30s`, `5m` or `1h30m`',
      '4:62 wrong_value: expected a finite number',
    ],
  },
  '__proto__ as a field': {
    text: `${withRule}__proto__: { rules: [] }\n`,
    problems: ['4:1 unknown_field: `__proto__` is never a key'],
  },
  '__proto__ as a header': {
    text: headers('__proto__: sub'),
    problems: ['9:7 unknown_field: `__proto__` is never a key'],
  },
  'duplicate key': {
    text: `${withRule}rules: []\n`,
    problems: ['4:1 duplicate_key: the key is given twice in one mapping'],
  },
  'duplicate key in JSON': {
    isWhole: true,
    text: '{"apiVersion":"scopegate.dev/v1","kind":"Policy",\n "rules":[{"name":"a","name":"b","paths":["/a"],"access":"deny"}]}',
    problems: ['2:23 duplicate_key: the key is given twice in one mapping'],
  },
  'key twice, once as a number': {
    text: headers('1: a\n"1": b'),
    problems: ['10:7 duplicate_key: the key is given twice in one mapping'],
  },
  'second document is bad, both are read': {
    text: `${withRule}${withIssuer}---\napiVersion: scopegate.dev/v1\nkind: Policies\nrules: []\n`,
    problems: ['7:7 wrong_value: expected `Policy`'],
  },
  'second document is broken YAML: names of the first are not missed': {
    text: `rules: [{ name: a, paths: [/a], issuers: [corp], require: { scopes: [a] } }]\n---\nissuers: [\n`,
    problems: ['6:1 yaml: the indentation is wrong, or a bracket is not closed'],
  },

  // Fields
  'no apiVersion and no kind': {
    isWhole: true,
    text: withRule.replace('require: { scopes: [read] }', 'access: deny'),
    problems: ['1:1 missing_field: `apiVersion` is required', '1:1 missing_field: `kind` is required'],
  },
  'other apiVersion': {
    isWhole: true,
    text: `apiVersion: scopegate.dev/v2\nkind: Policy\n${paths('/a')}`,
    problems: ['1:13 wrong_value: expected `scopegate.dev/v1`'],
  },
  'unknown field at the top': {
    text: `${withRule}rule: []\n`,
    problems: ['4:1 unknown_field: unknown field `rule` (did you mean `rules`?)'],
  },
  'misspelled field': {
    text: `${withRule}issuers:\n  - name: corp\n    issuer: https://idp.test\n    audience: [shop]\n`,
    problems: ['7:5 unknown_field: unknown field `audience` (did you mean `audiences`?)'],
  },
  'unknown field without a likely meaning': {
    text: rules('require: { scopes: [a] }\nfoobar: 1'),
    problems: ['8:5 unknown_field: unknown field `foobar`'],
  },
  'unknown field with a line break': {
    text: `${withRule}"a\\nb": 1\n`,
    problems: ['4:1 unknown_field: unknown field `a?b`'],
  },
  'misspelled field deep inside': {
    text: rules('require: { scope: [a], anyScopes: [b] }'),
    problems: [
      '7:16 unknown_field: unknown field `scope` (did you mean `scopes`?)',
      '7:28 unknown_field: unknown field `anyScopes` (did you mean `anyScope`?)',
    ],
  },
  'misspelled field of a header': {
    text: headers('x-a: { claims: a }'),
    problems: ['9:14 unknown_field: unknown field `claims` (did you mean `claim`?)'],
  },
  'rule without name and paths': {
    text: `${withIssuer}rules:\n  - require: { scopes: [a] }\n`,
    problems: ['5:5 missing_field: `name` is required', '5:5 missing_field: `paths` is required'],
  },
  'rules is a mapping': { text: 'rules: { name: a }\n', problems: ['3:8 wrong_type: expected a list'] },
  'rules is empty': { text: 'rules:\n', problems: ['3:7 wrong_type: expected a list'] },
  'paths is a text': {
    text: `${withIssuer}rules:\n  - name: a\n    paths: /a\n    require: { scopes: [a] }\n`,
    problems: ['6:12 wrong_type: expected a list (put it in square brackets)'],
  },
  'paths is an empty list': {
    text: 'rules:\n  - { name: a, access: deny, paths: [] }\n',
    problems: ['4:37 wrong_value: expected at least one entry'],
  },
  'number where text is wanted': {
    text: issuer('clientIds: [web, 42, true]'),
    problems: [
      '7:22 wrong_type: expected text (put it in quotes)',
      '7:26 wrong_type: expected text (put it in quotes)',
    ],
  },
  'text where a boolean is wanted': {
    text: rules('require: { scopes: [a] }\nforwardToken: no'),
    problems: ['8:19 wrong_type: expected `true` or `false`'],
  },
  'unknown access': {
    text: rules('access: pubic'),
    problems: ['7:13 wrong_value: expected one of `public`, `deny` (did you mean `public`?)'],
  },
  'unknown provider': {
    text: issuer('provider: keyclaok'),
    problems: [
      '7:15 wrong_value: expected one of `generic`, `rfc9068`, `keycloak`, `auth0`, `okta`, `cognito`, `entra` (did you mean `keycloak`?)',
    ],
  },
  'empty name': {
    text: 'rules:\n  - { name: "", access: deny, paths: [/a] }\n',
    problems: ['4:13 wrong_value: expected a name without control characters or outer spaces'],
  },
  'name with a line break': {
    text: 'rules:\n  - { name: "a\\nb", access: deny, paths: [/a] }\n',
    problems: ['4:13 wrong_value: expected a name without control characters or outer spaces'],
  },
  'name with an outer space': {
    text: 'rules:\n  - { name: "a ", access: deny, paths: [/a] }\n',
    problems: ['4:13 wrong_value: expected a name without control characters or outer spaces'],
  },
  'number as duration': {
    text: issuer('clockSkew: 30'),
    problems: ['7:16 wrong_type: expected a duration such as `30s`, `5m` or `1h30m`'],
  },
  'duration in milliseconds': {
    text: issuer('clockSkew: 500ms'),
    problems: ['7:16 wrong_value: expected a duration such as `30s`, `5m` or `1h30m`'],
  },
  'duration in days': {
    text: issuer('maxLifetime: 1d'),
    problems: ['7:18 wrong_value: expected a duration such as `30s`, `5m` or `1h30m`'],
  },
  'duration without unit': {
    text: issuer('maxLifetime: "60"'),
    problems: ['7:18 wrong_value: expected a duration such as `30s`, `5m` or `1h30m`'],
  },
  'scope with a space': {
    text: rules('require: { scopes: ["a b"] }'),
    problems: ['7:25 wrong_value: expected a scope, without spaces, quotes and backslashes'],
  },
  'scope with a quote': {
    text: rules("require: { anyScope: ['a\"b'] }"),
    problems: ['7:27 wrong_value: expected a scope, without spaces, quotes and backslashes'],
  },
  'acr with a space': {
    text: rules('require: { scopes: [a], acr: ["a b"] }'),
    problems: ['7:35 wrong_value: expected an acr value, without spaces, quotes and backslashes'],
  },
  'realm with a line break': {
    text: `${withRule}defaults: { realm: "a\\r\\nset-cookie: b" }\n`,
    problems: ['4:20 wrong_value: expected at most 128 printable ASCII characters'],
  },
  'header value of a wrong type': {
    text: headers('x-a: 5'),
    problems: ['9:12 wrong_type: expected a claim path, `{ claim: … }` or null'],
  },
  'header without claim': {
    text: headers('x-a: { required: true }'),
    problems: ['9:12 missing_field: `claim` is required'],
  },
  'header of an unknown format': {
    text: headers('x-a: { claim: a, format: xml }'),
    problems: ['9:32 wrong_value: expected one of `csv`, `json`, `base64json`'],
  },
  'several mistakes in one rule': {
    text: rules('methods: GET\nrequire: { scopes: [a], maxAuthAge: soon }\nissuers: [crop]\nheaders: { host: sub }'),
    problems: [
      '7:14 wrong_type: expected a list (put it in square brackets)',
      '8:41 wrong_value: expected a duration such as `30s`, `5m` or `1h30m`',
      '9:15 unknown_issuer: no issuer is named `crop` (did you mean `corp`?)',
      '10:16 header_forbidden: header `host` must not be set',
    ],
  },

  // Issuers
  'two issuers with one name': {
    text: `${withRule}issuers:\n  - ${corp}\n  - { name: corp, issuer: https://other.test, audiences: [shop] }\n`,
    problems: ['6:13 duplicate_name: issuer `corp` is already defined at f:5:13'],
  },
  'two issuers with one issuer': {
    text: `${withRule}issuers:\n  - ${corp}\n  - { name: b, issuer: https://idp.test, audiences: [shop] }\n`,
    problems: ['6:24 duplicate_issuer: the same `issuer` is already given at f:5:27'],
  },
  'no audiences': {
    text: `${withRule}issuers:\n  - { name: corp, issuer: https://idp.test }\n`,
    problems: ['5:5 missing_field: `audiences` is required'],
  },
  'no audiences, and what is there is wrong: one problem': {
    text: `${withRule}issuers:\n  - { name: corp, issuer: https://idp.test, audiences: shop }\n`,
    problems: ['5:56 wrong_type: expected a list (put it in square brackets)'],
  },
  'ALG-01 HS256': {
    text: issuer('algorithms: [RS256, HS256]'),
    problems: ['7:25 wrong_value: `none` and HS* are never accepted'],
  },
  'ALG-05 none': {
    text: issuer('algorithms: [none]'),
    problems: ['7:18 wrong_value: `none` and HS* are never accepted'],
  },
  'ALG-01 nOnE': {
    text: issuer('algorithms: [nOnE]'),
    problems: ['7:18 wrong_value: `none` and HS* are never accepted'],
  },
  'unknown algorithm': {
    text: issuer('algorithms: [RS265]'),
    problems: [
      '7:18 wrong_value: expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519` (did you mean `RS256`?)',
    ],
  },
  'clock skew over five minutes': {
    text: issuer('clockSkew: 5m1s'),
    problems: ['7:16 wrong_value: expected a duration from `0s` to `5m`'],
  },
  'no lifetime at all': {
    text: issuer('maxLifetime: 0s'),
    problems: ['7:18 wrong_value: expected a duration longer than `0s`'],
  },
  'DI-03 issuer with a query': {
    text: `${withRule}issuers: [{ name: a, issuer: "https://idp.test/?a=b", audiences: [shop] }]\n`,
    problems: ['4:30 url: expected a URL without query'],
  },
  'DI-03 issuer with a fragment': {
    text: `${withRule}issuers: [{ name: a, issuer: "https://idp.test/#a", audiences: [shop] }]\n`,
    problems: ['4:30 url: expected a URL without fragment'],
  },
  'DI-03 issuer over http': {
    text: `${withRule}issuers: [{ name: a, issuer: "http://127.0.0.1:8080", audiences: [shop] }]\n`,
    problems: ['4:30 insecure_url: expected an https URL (`insecure: { allowHttp: true }` allows http on loopback)'],
  },
  'allowHttp with a host that is not loopback': {
    text: `${withRule}issuers:\n  - name: a\n    issuer: http://idp.test\n    audiences: [shop]\n    insecure: { allowHttp: true }\n`,
    problems: [
      '6:13 insecure_url: expected an https URL (`allowHttp` is for loopback, `anyHost: true` beside it lifts that limit)',
    ],
  },
  'issuer that is no URL': {
    text: `${withRule}issuers: [{ name: a, issuer: accounts.test, audiences: [shop] }]\n`,
    problems: ['4:30 url: expected an https URL'],
  },
  'issuer with credentials': {
    text: `${withRule}issuers: [{ name: a, issuer: "https://u:p@idp.test", audiences: [shop] }]\n`,
    problems: ['4:30 url: expected a URL without credentials'],
  },
  'DI-04 key set over http': {
    text: issuer('jwks: { uri: "http://idp.test/keys" }'),
    problems: ['7:18 insecure_url: expected an https URL (`insecure: { allowHttp: true }` allows http on loopback)'],
  },
  'neither uri nor inline': {
    text: issuer('jwks: {}'),
    problems: ['7:11 jwks: expected `uri` or `inline` (leave `jwks` out for discovery)'],
  },
  'uri and inline': {
    text: issuer(
      'jwks: { uri: "https://idp.test/k", inline: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] } }',
    ),
    problems: ['7:11 jwks: expected `uri` or `inline`, not both'],
  },
  'uri of a wrong type: one problem': {
    text: issuer('jwks: { uri: 5 }'),
    problems: ['7:18 wrong_type: expected text (put it in quotes)'],
  },
  'JWK-04 private key': {
    text: issuer('jwks: { inline: { keys: [{ kty: EC, crv: P-256, x: a, y: b, d: c }] } }'),
    problems: ['7:30 jwks: expected a public key, this one holds a secret'],
  },
  'JWK-04 symmetric key': {
    text: issuer('jwks: { inline: { keys: [{ kty: oct, k: abc }] } }'),
    problems: ['7:30 jwks: expected a public key, this one holds a secret'],
  },
  'key of an unknown type': {
    text: issuer('jwks: { inline: { keys: [{ kty: XYZ }] } }'),
    problems: ['7:37 wrong_value: expected one of `RSA`, `EC`, `OKP`'],
  },
  'JWK-07 kid that is no text': {
    text: issuer('jwks: { inline: { keys: [{ kid: 1, kty: OKP, crv: Ed25519, x: abc }] } }'),
    problems: ['7:30 jwks: a member of the key is missing or has the wrong type'],
  },
  'EC key without its point': {
    text: issuer('jwks: { inline: { keys: [{ kty: EC, crv: P-256 }] } }'),
    problems: ['7:30 jwks: a member of the key is missing or has the wrong type'],
  },
  'BCP-04 point off the curve': {
    text: issuer(`jwks: { inline: { keys: [{ kty: EC, crv: P-256, x: ${'A'.repeat(43)}, y: ${'B'.repeat(43)} }] } }`),
    problems: ['7:30 jwks: this is no key, its point is not on the curve'],
  },
  'ALG-02 RSA key of 24 bits': {
    text: issuer('jwks: { inline: { keys: [{ kty: RSA, n: AQAB, e: AQAB }] } }'),
    problems: ['7:30 jwks: expected an RSA key of 2048 to 8192 bits with an odd exponent of at least 65537'],
  },
  'key of an algorithm that is not supported': {
    text: issuer('jwks: { inline: { keys: [{ kty: OKP, crv: Ed448, x: abc }] } }'),
    problems: ['7:30 jwks: no supported algorithm verifies with this key'],
  },
  'JWK-02 keys for encryption alone': {
    text: issuer('jwks: { inline: { keys: [{ kty: RSA, use: enc, n: abc, e: AQAB }] } }'),
    problems: ['7:29 jwks: none of these keys is for verifying signatures (`use` is `sig` or left out)'],
  },
  'no keys': {
    text: issuer('jwks: { inline: { keys: [] } }'),
    problems: ['7:29 wrong_value: expected at least one entry'],
  },
  'ca that is no certificate': {
    text: issuer('jwks: { uri: "https://idp.test/k", ca: /etc/ca.pem }'),
    problems: ['7:44 certificate: expected PEM certificates'],
  },
  'ca that looks like a certificate and is none': {
    text: issuer(
      'jwks:\n  uri: https://idp.test/k\n  ca: |\n    -----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----',
    ),
    problems: ['9:11 certificate: expected PEM certificates'],
  },
  'ca that is a private key': {
    text: issuer('jwks:\n  ca: |\n    -----BEGIN PRIVATE KEY-----\n    AAAA\n    -----END PRIVATE KEY-----'),
    problems: ['8:11 certificate: expected PEM certificates, not a private key'],
  },
  'JWT-14 scopeClaim through the prototype': {
    text: issuer('scopeClaim: a.__proto__.b'),
    problems: ['7:17 claim_path: not a claim path, `__proto__`, `constructor` and `prototype` are refused'],
  },

  // Rules
  'more hosts times paths than a rule may have': {
    text: `rules:\n  - name: a\n    access: deny\n    hosts: [${Array.from({ length: 101 }, (_, at) => `h${at}.test`).join()}]\n    paths: [${Array.from({ length: 100 }, (_, at) => `/p${at}`).join()}]\n`,
    problems: [
      '7:12 too_many_routes: 101 hosts times 100 paths are more than 10000 routes (split the rule, or use templates)',
    ],
  },
  'two rules with one name': {
    text: `rules:\n  - { name: a, access: deny, paths: [/a] }\n  - { name: a, access: deny, paths: [/b] }\n`,
    problems: ['5:13 duplicate_name: rule `a` is already defined at f:4:13'],
  },
  'names in two documents': {
    text: `${paths('/a')}---\n${head}${paths('/b')}`,
    problems: ['9:13 duplicate_name: rule `p` is already defined at f:4:13'],
  },
  'unknown issuer': {
    text: rules('issuers: [copr]\nrequire: { scopes: [a] }'),
    problems: ['7:15 unknown_issuer: no issuer is named `copr` (did you mean `corp`?)'],
  },
  'public with what is about a token': {
    text: rules('access: public\nissuers: [corp]\nrequire: { scopes: [a] }\nheaders: { x-a: sub }'),
    problems: [
      '8:5 access_conflict: `issuers` cannot stand beside `access: public`, where no token is looked at',
      '9:5 access_conflict: `require` cannot stand beside `access: public`, where no token is looked at',
      '10:5 access_conflict: `headers` cannot stand beside `access: public`, where no token is looked at',
    ],
  },
  'deny with require': {
    text: rules('access: deny\nrequire: {}'),
    problems: ['8:5 access_conflict: `require` cannot stand beside `access: deny`, where no token is looked at'],
  },
  'no rules at all': { text: `rules: []\n${withIssuer}`, problems: ['3:8 no_rules: the policy has no rule'] },
  'no rules and no list of them': { text: withIssuer, problems: ['1:1 no_rules: the policy has no rule'] },
  'path without slash': { text: paths('a'), problems: ['4:38 path: the path does not begin with a slash'] },
  'EA-61 path with an empty segment': {
    text: paths('/a//b'),
    problems: ['4:38 path: the path holds an empty segment'],
  },
  'EA-61 path with a dot segment': { text: paths('/a/../b'), problems: ['4:38 path: the path holds a dot segment'] },
  'EA-61 path with an escaped slash': {
    text: paths('/a%2Fb'),
    problems: ['4:38 path: the path holds an escaped slash, backslash or NUL'],
  },
  'EA-62 path with an escaped letter': {
    text: paths('/%61dmin'),
    problems: ['4:38 path: the path is not in its canonical spelling (write `/admin`)'],
  },
  'EA-62 path with a lower-case escape': {
    text: paths('/a%c3%a9'),
    problems: ['4:38 path: the path is not in its canonical spelling (write `/a%C3%A9`)'],
  },
  'EA-61 path beyond ASCII': {
    text: paths('"/café/{id}"'),
    problems: [
      '4:38 path: the path holds a space, a control character or a byte outside ASCII (write `/caf%C3%A9/{id}`)',
    ],
  },
  'EA-63 path with a parameter': { text: paths('/a;v=1'), problems: ['4:38 path: the path holds `;`'] },
  'EA-64 path with a query': { text: paths('"/a?b=c"'), problems: ['4:38 path: a path has no query (write `/a`)'] },
  'template that is a part of a segment': {
    text: paths('"/a/x{id}"'),
    problems: ['4:38 template: expected `{name}` as a whole segment, not `x{id}`'],
  },
  'template without name': {
    text: paths('"/a/{}"'),
    problems: ['4:38 template: expected `{name}` as a whole segment, not `{}`'],
  },
  'template with a dash': {
    text: paths('"/a/{user-id}"'),
    problems: ['4:38 template: expected `{name}` as a whole segment, not `{user-id}`'],
  },
  'template name twice': {
    text: paths('"/a/{id}/b/{id}"'),
    problems: ['4:38 template: the name `id` is used twice in one path'],
  },
  'JWT-14 template of a reserved name': {
    text: paths('"/a/{__proto__}"'),
    problems: ['4:38 template: `__proto__` cannot be a name in a path'],
  },
  'template for several segments': {
    text: paths('"/a/{id:**}"'),
    problems: ['4:38 template: `*` stands only in a trailing `/**` (`{name}` is one segment of any text)'],
  },
  'star in the middle': {
    text: paths('"/a/*/b"'),
    problems: ['4:38 template: `*` stands only in a trailing `/**` (`{name}` is one segment of any text)'],
  },
  'two stars in the middle': {
    text: paths('"/a/**/b"'),
    problems: ['4:38 template: `*` stands only in a trailing `/**` (`{name}` is one segment of any text)'],
  },
  'star at the end of a segment': {
    text: paths('/a/b*'),
    problems: ['4:38 template: `*` stands only in a trailing `/**` (`{name}` is one segment of any text)'],
  },
  'paths of one shape in one rule': {
    text: paths('"/a/{x}", "/a/{y}"'),
    problems: ['4:48 duplicate_entry: the same entry is already in this list'],
  },
  'host with a port': {
    text: hosts('"shop.test:8443"'),
    problems: [
      '4:51 host: expected a host name without port and trailing dot, an address in its shortest form (write `shop.test`)',
    ],
  },
  'host with a trailing dot': {
    text: hosts('Shop.test.'),
    problems: [
      '4:51 host: expected a host name without port and trailing dot, an address in its shortest form (write `shop.test`)',
    ],
  },
  'host that is a URL': {
    text: hosts('"https://shop.test"'),
    problems: ['4:51 host: expected a host name, or `*.` before one'],
  },
  'host that is a star': {
    text: hosts('"*"'),
    problems: ['4:51 host: expected a host name, or `*.` before one (leave `hosts` out for any host)'],
  },
  'star inside a host': {
    text: hosts('"a.*.test"'),
    problems: ['4:51 host: expected a host name, or `*.` before one'],
  },
  'host beyond ASCII': {
    text: hosts('bücher.test'),
    problems: ['4:51 host: expected a host name, or `*.` before one'],
  },
  'host twice, in two spellings': {
    text: hosts('shop.test, SHOP.test'),
    problems: ['4:62 duplicate_entry: the same entry is already in this list'],
  },
  'star before an address': {
    text: hosts('"*.[::1]"'),
    problems: ['4:51 host: expected a host name, or `*.` before one'],
  },
  'address in a long form': {
    text: hosts('"[0:0::1]"'),
    problems: [
      '4:51 host: expected a host name without port and trailing dot, an address in its shortest form (write `[::1]`)',
    ],
  },
  'EA-49 method that is no token': {
    text: rules('require: { scopes: [a] }\nmethods: ["GET POST"]'),
    problems: ['8:15 method: `GET POST` is not a method'],
  },
  'EA-51 CONNECT': {
    text: rules('require: { scopes: [a] }\nmethods: [CONNECT]'),
    problems: ['8:15 method: CONNECT has no path and is always refused'],
  },
  'method twice': {
    text: rules('require: { scopes: [a] }\nmethods: [GET, HEAD, GET]'),
    problems: ['8:26 duplicate_entry: the same entry is already in this list'],
  },
  'equal rules: names of templates do not matter': {
    text: 'rules:\n  - { name: a, access: deny, paths: [/x, "/o/{id}"], methods: [GET, PUT] }\n  - { name: b, access: deny, paths: ["/o/{order}"], methods: [PUT, GET] }\n',
    problems: ['5:38 equal_rules: rules `a` (f:4:42) and `b` are equally specific on PUT, any host, /o/{}'],
  },
  'equal rules: both for any method and any host': {
    text: 'rules:\n  - { name: a, access: deny, paths: [/o/**] }\n  - { name: b, access: deny, paths: [/o/**] }\n',
    problems: ['5:38 equal_rules: rules `a` (f:4:38) and `b` are equally specific on any method, any host, /o/**'],
  },
  'equal rules: one host in common': {
    text: 'rules:\n  - { name: a, access: deny, paths: [/o], hosts: ["*.a.test", b.test] }\n  - { name: b, access: deny, paths: [/o], hosts: [B.test] }\n',
    problems: ['5:38 equal_rules: rules `a` (f:4:38) and `b` are equally specific on any method, b.test, /o'],
  },

  // Headers
  'EA-15 forbidden headers': {
    text: headers(
      '":path": a\nHost: a\nX-Envoy-User: a\nx_envoy_user2: a\ncontent-length: a\nproxy-authorization: a\ncookie: a\nAuthorization: a\nte: a\ndpop: a',
    ),
    problems: [
      '9:7 header_forbidden: header `:path` must not be set',
      '10:7 header_forbidden: header `host` must not be set',
      '11:7 header_forbidden: header `x-envoy-user` must not be set',
      '12:7 header_forbidden: header `x_envoy_user2` must not be set',
      '13:7 header_forbidden: header `content-length` must not be set',
      '14:7 header_forbidden: header `proxy-authorization` must not be set',
      '15:7 header_forbidden: header `cookie` must not be set',
      '16:7 header_forbidden: header `authorization` must not be set',
      '17:7 header_forbidden: header `te` must not be set',
      '18:7 header_forbidden: header `dpop` must not be set',
    ],
  },
  'header name that is no token': {
    text: headers('"x a": a'),
    problems: ['9:7 header_name: `x a` is not a header name'],
  },
  'header names that differ in case': {
    text: headers('x-a: a\nX-A: b'),
    problems: ['10:7 header_clash: some backends read `X-A` and the header at f:9:7 as one'],
  },
  'EA-13 header names that fold to one': {
    text: headers('x-user-id: a\nx_user-id: b'),
    problems: ['10:7 header_clash: some backends read `x_user-id` and the header at f:9:7 as one'],
  },
  'claim path with an empty member': {
    text: headers('x-a: a..b'),
    problems: ['9:12 claim_path: not a claim path, a member name is empty'],
  },
  'claim path that is a URL': {
    text: headers('x-a: https://acme.com/roles'),
    problems: [
      '9:12 claim_path: not a claim path (dots split a claim path; write a claim whose name is a URL as a list of one)',
    ],
  },
  'JWT-14 claim path through the prototype': {
    text: headers('x-a: { claim: [constructor, name] }'),
    problems: ['9:21 claim_path: not a claim path, `__proto__`, `constructor` and `prototype` are refused'],
  },
  'defaults twice': {
    text: `${withRule}defaults: { realm: a }\n---\n${head}defaults: { realm: b }\n`,
    problems: ['8:1 duplicate_defaults: `defaults` are already given at f:4:1'],
  },
  'EA-15 forbidden header in the defaults': {
    text: `${withRule}defaults:\n  headers: { x-envoy-a: sub, x-b: null }\n`,
    problems: [
      '5:14 header_forbidden: header `x-envoy-a` must not be set',
      '5:35 wrong_value: expected a claim path, only a rule can remove a header with null',
    ],
  },
  'PR-03 resourceMetadata over http': {
    text: `${withRule}defaults: { resourceMetadata: "http://shop.test" }\n`,
    problems: ['4:31 insecure_url: expected an https URL'],
  },
  'PR-03 resourceMetadata with a query': {
    text: `${withRule}defaults: { resourceMetadata: "https://shop.test/?a" }\n`,
    problems: ['4:31 url: expected a URL without query'],
  },
  'origin with a path': {
    text: `${withRule}defaults: { origins: [https://shop.test/a] }\n`,
    problems: ['4:23 url: expected an origin such as `https://orders.example.com`'],
  },

  'what only other issuers have': {
    text: issuer('provider: rfc9068\nsenderConstraint: dpop\ndpop: { nonce: true, maxAge: 6m }\ntenants: [a]'),
    problems: [
      '8:23 dpop_origin: nothing says which origins a DPoP proof may name (write `defaults: { origins: […] }`, or `hosts` in the rules)',
      '9:34 wrong_value: expected a duration from `1s` to `5m`',
      '10:5 tenants: `tenants` is for provider `entra` alone',
    ],
  },
  'DP-09 an issuer with DPoP, and a rule whose hosts are left out for a mistake': {
    text: `${issuer('senderConstraint: dpop')}---\n${head}rules:\n  - { name: h, access: deny, paths: [/a], hosts: shop.test }\n`,
    problems: ['13:50 wrong_type: expected a list (put it in square brackets)'],
  },
  'IDP-03 Cognito: audiences, and no clients': {
    text: `${withRule}issuers: [{ name: a, issuer: https://idp.test/us-east-1_a, provider: cognito, audiences: [web] }]\n`,
    problems: [
      '4:11 missing_field: `clientIds` is required',
      '4:79 no_audience: access tokens of `cognito` name no audience (list the clients that may call in `clientIds` instead)',
    ],
  },
  'IDP-05 Okta: the org server': {
    text: `${withRule}issuers: [{ name: a, issuer: https://acme.okta.com, provider: okta, audiences: [web] }]\n`,
    problems: [
      '4:30 provider_issuer: expected a custom authorization server of Okta, with `/oauth2/` in its issuer (tokens of the org server are for APIs of Okta alone; use `https://ORG/oauth2/default`, or a server that you added)',
    ],
  },
  'IDP-04 `{tenantid}` of another provider': {
    text: `${withRule}issuers: [{ name: a, issuer: "https://idp.test/{tenantid}", audiences: [web] }]\n`,
    problems: ['4:30 tenants: `{tenantid}` is for provider `entra` alone'],
  },
  'IDP-04 Entra: `{tenantid}` without tenants': {
    text: entra('"https://login.microsoftonline.com/{tenantid}/v2.0"'),
    problems: [
      '4:11 missing_field: `tenants` is required beside `{tenantid}` (any customer of Microsoft can have a tenant, so list those whose tokens count)',
    ],
  },
  'IDP-04 Entra: tenants without `{tenantid}`': {
    text: entra(`https://login.microsoftonline.com/${tenant}/v2.0, tenants: [${tenant}]`),
    problems: [
      '4:140 tenants: this `issuer` has one tenant (put `{tenantid}` into `issuer` where the tenant stands, or leave `tenants` out)',
    ],
  },
  'IDP-04 Entra: the placeholder as a part of a name': {
    text: entra(`"https://login.microsoftonline.com/x{tenantid}/v2.0", tenants: [${tenant}]`),
    problems: [
      '4:63 tenants: expected `{tenantid}` once, as a part of the path (such as `https://login.microsoftonline.com/{tenantid}/v2.0`)',
    ],
  },
  'IDP-04 Entra: another placeholder': {
    text: entra(`"https://login.microsoftonline.com/{tenant}/v2.0", tenants: [${tenant}]`),
    problems: [
      '4:63 tenants: expected `{tenantid}` once, as a part of the path (such as `https://login.microsoftonline.com/{tenantid}/v2.0`)',
    ],
  },
  'IDP-04 Entra: the placeholder twice': {
    text: entra(`"https://login.microsoftonline.com/{tenantid}/{tenantid}", tenants: [${tenant}]`),
    problems: [
      '4:63 tenants: expected `{tenantid}` once, as a part of the path (such as `https://login.microsoftonline.com/{tenantid}/v2.0`)',
    ],
  },
  'IDP-04 Entra: tenants that are no GUIDs, and one twice': {
    text: entra(
      `"https://login.microsoftonline.com/{tenantid}/v2.0", tenants: [acme.onmicrosoft.com, ${tenant}, ${tenant.toUpperCase()}, "*"]`,
    ),
    problems: [
      '4:126 tenants: expected the GUID of a tenant (the Directory (tenant) ID of its overview page; a domain name is not in tokens)',
      `4:186 duplicate_name: tenant \`${tenant}\` is given twice`,
      '4:224 tenants: expected the GUID of a tenant (the Directory (tenant) ID of its overview page; a domain name is not in tokens)',
    ],
  },
  'IDP-04 Entra: a tenant of two entries': {
    text: `${withRule}issuers:\n  - { name: a, issuer: "https://login.microsoftonline.com/{tenantid}/v2.0", tenants: [${tenant}], provider: entra, audiences: [a] }\n  - { name: b, issuer: https://login.microsoftonline.com/${tenant}/v2.0, provider: entra, audiences: [a] }\n`,
    problems: [`6:24 duplicate_issuer: the same \`issuer\` with tenant \`${tenant}\` is already given at f:5:24`],
  },
  'a client with an unknown field': {
    text: `${withRule}clients: [{ name: a, issuer: corp, clientID: b }]\n`,
    problems: ['4:36 unknown_field: unknown field `clientID` (did you mean `clientId`?)'],
  },

  // Conditions: each place is one inside the expression
  'condition of a wrong type, plain': {
    text: rules('require: { when: claims.a == 1 && 5 }'),
    problems: ['7:39 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, on two lines': {
    text: rules('require:\n  when: claims.a == 1\n    && 5'),
    problems: ['9:12 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, single quoted': {
    text: rules(`require: { when: 'claims.a == ''x'' && 5' }`),
    problems: ['7:44 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, double quoted': {
    text: rules('require: { when: "claims.a == \\"\\u0078\\" && 5" }'),
    problems: ['7:49 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, literal block': {
    text: rules('require:\n  when: |\n    claims.a == 1 &&\n      5'),
    problems: ['10:11 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, folded block with CRLF': {
    text: rules('require:\r\n  when: >-\r\n\r\n    claims.a == 1 &&\r\n    5'),
    problems: ['11:9 condition: `&&` wants a bool, this is an int'],
  },
  'condition of a wrong type, JSON': {
    isWhole: true,
    text: '{"apiVersion":"scopegate.dev/v1","kind":"Policy",\n"issuers":[{"name":"a","issuer":"https://a.test","audiences":["b"]}],\n"rules":[{"name":"a","paths":["/a"],\n"require":{"when":"claims.a == \\"x\\" &&\\n5"}}]}',
    problems: ['4:42 condition: `&&` wants a bool, this is an int'],
  },
  'condition behind an alias: where it is used': {
    text: `${withIssuer}rules:\n  - { name: a, paths: [/a], require: { when: &w "claims.a && 5" } }\n  - { name: b, paths: [/b], require: { when: *w } }\n`,
    problems: [
      '5:62 condition: `&&` wants a bool, this is an int',
      '6:46 condition: `&&` wants a bool, this is an int',
    ],
  },
  'condition with two mistakes': {
    text: rules('require: { when: token.scope == 1 || clams.a }'),
    problems: [
      '7:28 condition: `token` has no member `scope` (did you mean `scopes`?)',
      '7:42 condition: there is no variable `clams` (did you mean `claims`?)',
    ],
  },
  'condition that is no CEL': {
    text: rules('require: { when: claims.a = 1 }'),
    problems: ['7:31 condition: "=" means nothing here (write `==` to compare)'],
  },
  'condition with a template value that no path has': {
    text: `${withIssuer}rules:\n  - name: a\n    paths: ["/o/{order}", /o]\n    require: { when: claims.a == request.path.ordre }\n`,
    problems: ['7:47 condition: path `/o/{order}` of the rule has no `{ordre}` (did you mean `order`?)'],
  },
  'condition with a template value that one path lacks': {
    text: `${withIssuer}rules:\n  - name: a\n    paths: ["/o/{order}", /o]\n    require: { when: claims.a == request.path.order }\n`,
    problems: ['7:47 condition: path `/o` of the rule has no `{order}`'],
  },
  'condition beside a path with a mistake: not held against it': {
    text: `${withIssuer}rules:\n  - name: a\n    paths: ["/o/{order}", o]\n    require: { when: claims.a == request.path.order }\n`,
    problems: ['6:27 path: the path does not begin with a slash'],
  },
  'condition that is no text': {
    text: rules('require: { when: true }'),
    problems: ['7:22 wrong_type: expected text (put it in quotes)'],
  },

  // Revocations
  'revocation of everything': {
    text: `${withRule}revocations: [{}, { issuer: corp, until: 2027-01-01T00:00:00Z }]\n${withIssuer}`,
    problems: [
      '4:15 revocation: expected at least one of `jti`, `sub`, `clientId`, `sid`, `kid`, `issuedBefore`',
      '4:19 revocation: expected at least one of `jti`, `sub`, `clientId`, `sid`, `kid`, `issuedBefore`',
    ],
  },
  'revocation whose only field is misspelled: one problem': {
    text: `${withRule}revocations: [{ jit: a }]\n`,
    problems: ['4:17 unknown_field: unknown field `jit` (did you mean `jti`?)'],
  },
  'revocation of an unknown issuer': {
    text: `${withRule}${withIssuer}revocations: [{ issuer: copr, jti: a }]\n`,
    problems: ['5:25 unknown_issuer: no issuer is named `copr` (did you mean `corp`?)'],
  },
  'revocation with a number': {
    text: `${withRule}revocations: [{ jti: 12 }]\n`,
    problems: ['4:22 wrong_type: expected text (put it in quotes)'],
  },
  'revocation with times that are none': {
    text: `${withRule}revocations:\n  - { jti: a, until: yesterday }\n  - { issuedBefore: 2026-11-01 }\n  - { issuedBefore: "2026-11-01 00:00:00Z" }\n  - { jti: a, until: 1793491200 }\n`,
    problems: [
      '5:22 wrong_value: expected a time such as `2026-11-01T00:00:00Z`',
      '6:21 wrong_value: expected a time such as `2026-11-01T00:00:00Z`',
      '7:21 wrong_value: expected a time such as `2026-11-01T00:00:00Z`',
      '8:22 wrong_type: expected a time such as `2026-11-01T00:00:00Z`',
    ],
  },
  'revocation with times on no calendar': {
    text: `${withRule}revocations:\n  - { issuedBefore: 2026-02-30T00:00:00Z }\n  - { jti: a, until: 2026-02-28T24:00:00Z }\n`,
    problems: [
      '5:21 wrong_value: expected a time that is on the calendar and the clock',
      '6:22 wrong_value: expected a time that is on the calendar and the clock',
    ],
  },

  // Tests
  'test without what it needs': {
    text: tests('name: t'),
    problems: [
      '6:5 missing_field: `request` is required',
      '6:5 missing_field: `token` is required',
      '6:5 missing_field: `expect` is required',
    ],
  },
  'test with a token that is none': {
    text: tests('name: t, request: GET https://a.test/, token: nobody, expect: { decision: maybe }'),
    problems: [
      '6:53 wrong_type: expected `none` or `{ issuer: …, claims: … }`',
      '6:81 wrong_value: expected one of `allow`, `deny`',
    ],
  },
  'test with a token of an unknown issuer': {
    text: tests('name: t, request: GET https://a.test/, token: { issuer: crop }, expect: { decision: deny }'),
    problems: ['6:63 unknown_issuer: no issuer is named `crop` (did you mean `corp`?)'],
  },
  'tests with requests that are none': {
    text: tests(
      ...['https://a.test/', 'GET /a', 'GET ftp://a.test/', '"GET  https://a.test/a b"', '"G@T https://a.test/"'].map(
        (request, index) => `name: t${index}, request: ${request}, token: none, expect: { decision: deny }`,
      ),
    ),
    problems: [6, 7, 8, 9, 10].map(
      (line) =>
        `${line}:26 test_request: expected a method and an http or https URL (such as \`GET https://orders.example.com/api/orders\`)`,
    ),
  },
  'test with a fragment: the place of the fragment': {
    text: tests('name: t, request: "GET https://a.test/\\u0061#b", token: none, expect: { decision: deny }'),
    problems: ['6:51 test_request: no client sends the fragment of a URL (write `%23`)'],
  },
  'test with headers that contradict it': {
    text: tests(
      'name: t, request: GET https://a.test/, headers: { Host: a, Authorization: b, "x a": c, x-b: d, X-B: e }, token: { issuer: corp }, expect: { decision: deny }',
    ),
    problems: [
      '6:57 test_request: `host` is what the URL of the request names',
      '6:66 test_request: `authorization` is what `token` stands for',
      '6:84 header_name: `x a` is not a header name',
      '6:102 header_clash: the same header is already given in another case',
    ],
  },
  'test at a time on no calendar': {
    text: tests(
      'name: t, request: GET https://a.test/, now: 2026-02-29T00:00:00Z, token: none, expect: { decision: deny }',
    ),
    problems: ['6:51 wrong_value: expected a time that is on the calendar and the clock'],
  },
  'test that expects an unknown rule': {
    text: tests('name: t, request: GET https://a.test/, token: none, expect: { decision: deny, rule: al }'),
    problems: ['6:91 unknown_rule: no rule is named `al` (did you mean `all`?)'],
  },
  'test that expects a shadow rule': {
    text: `rules:\n  - { name: new, paths: [/a], access: deny, mode: shadow }\n  - ${rule}\ntests:\n  - { name: t, request: GET https://a.test/a, token: none, expect: { decision: deny, rule: new } }\n`,
    problems: ['7:92 test_expectation: rule `new` is a shadow rule, which never decides'],
  },
  'test that expects an unknown reason': {
    text: tests('name: t, request: GET https://a.test/, token: none, expect: { decision: deny, reason: token_mising }'),
    problems: ['6:93 wrong_value: expected a reason code such as `no_rule` (did you mean `token_missing`?)'],
  },
  'tests whose expectations contradict themselves': {
    text: tests(
      ...[
        'allow, reason: no_rule',
        'deny, reason: allowed_public',
        'allow, reason: allowed, status: 403',
        'allow, status: 204',
        'deny, reason: insufficient_scope, status: 401',
        'deny, reason: no_rule, status: 404',
        'deny, reason: resource_metadata, status: 403',
        'deny, status: 500',
      ].map(
        (expect, index) =>
          `name: t${index}, request: GET https://a.test/, token: none, expect: { decision: ${expect} }`,
      ),
    ),
    problems: [
      '6:95 test_expectation: reason `no_rule` is never that of decision `allow`',
      '7:94 test_expectation: reason `allowed_public` is never that of decision `deny`',
      '8:112 test_expectation: expected 200, the status of reason `allowed`',
      '9:95 test_expectation: expected 200, the status of decision `allow`',
      '10:122 test_expectation: expected 403, the status of reason `insufficient_scope`',
      '11:111 test_expectation: expected 401 or 403, the status of reason `no_rule`',
      '12:121 test_expectation: expected 200, the status of reason `resource_metadata`',
      '13:94 test_expectation: expected 200 or 400 or 401 or 403 or 503, the status of decision `deny`',
    ],
  },

  // Shadow rules
  'shadow rules that are equal among themselves': {
    text: 'rules:\n  - { name: a, paths: [/a], access: deny }\n  - { name: b, paths: [/a], access: deny, mode: shadow }\n  - { name: c, paths: [/a], access: public, mode: shadow }\n',
    problems: ['6:24 equal_rules: rules `b` (f:5:24) and `c` are equally specific on any method, any host, /a'],
  },
  'unknown mode': {
    text: 'rules:\n  - { name: a, paths: [/a], access: deny, mode: shaddow }\n',
    problems: ['4:49 wrong_value: expected one of `enforce`, `shadow` (did you mean `shadow`?)'],
  },
};
