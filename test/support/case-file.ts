/**
 * Promises: the case files under test/cases/ as checked data; an unknown field, a name without a requirement id or a word of no
 * meaning is an error that names the file. Tags: `!now -30` seconds from the file's instant, `!times [n, text]`, `!nested n`,
 * `!members n`, `!latin1 "text"` for bytes that are no UTF-8.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CollectionTag, isScalar, parse, parseDocument, type ScalarTag, YAMLSeq } from 'yaml';
import { z } from 'zod';

export const doorNames = ['function', 'wire', 'envoy'] as const;
export type DoorName = (typeof doorNames)[number];

const members = z.record(z.string(), z.unknown());
const text = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const headerValue = z.union([z.string(), z.instanceof(Uint8Array)]);

const keySpec = z.strictObject({
  alg: z.string(),
  kid: z.string().optional(),
  /** Whose key set holds it; default: the first issuer of the policy. */
  issuer: z.string().optional(),
  curve: z.string().optional(),
  modulusLength: z.number().optional(),
  /** False: no key set holds it. */
  published: z.boolean().default(true),
  /** Members of the published JWK to replace; null removes one. */
  jwk: members.default({}),
});

const tokenSpec = z.strictObject({
  /** Name in the policy; default: its first issuer. */
  issuer: z.string().optional(),
  /** Default: the first key of the issuer. */
  key: z.string().optional(),
  /** How to sign, and `alg` of the header; default: as the key says. */
  alg: z.string().optional(),
  /** Members that replace what is filled in; null removes one. */
  claims: members.default({}),
  header: members.default({}),
  /** Instead of JSON made of the members, which may be named in it as `<claims>` and `<header>`. */
  payloadText: z.string().optional(),
  headerText: z.string().optional(),
  textEncoding: z.enum(['utf8', 'latin1']).default('utf8'),
  /** Claims that are put in when the signature is made. */
  changedAfterSigning: members.optional(),
  signature: z.enum(['empty', 'flip', 'slack', 'der', 'zero', 'order']).optional(),
  saltLength: z.number().optional(),
  /** What of the public key is used as the secret of HS*. */
  hmacSecret: z.enum(['pem', 'der', 'jwk']).optional(),
  /** The whole token is brought to this length. */
  bytes: z.number().optional(),
  compact: z.string().default('<header>.<payload>.<signature>'),
  /** The name of a proof key, whose thumbprint is `cnf.jkt`. */
  boundTo: z.string().optional(),
  /** A certificate of test/support/tls, whose thumbprint is `cnf["x5t#S256"]`. */
  boundToCertificate: z.string().optional(),
});

const proofSpec = z.strictObject({
  key: z.string().default('p'),
  /** Members that replace what is filled in; null removes one. */
  claims: members.default({}),
  header: members.default({}),
  /** Seconds since its nonce was given; absent: no nonce. */
  nonceAge: z.number().optional(),
  signature: z.literal('flip').optional(),
  /** The value of the header; `<proof>` stands for the proof. */
  compact: z.string().default('<proof>'),
  /** How often the header is sent. */
  count: z.number().default(1),
  /** It was used for the same request before, which Envoy gave another id. */
  usedBefore: z.boolean().default(false),
});
const proof = z.union([z.literal('valid').transform(() => proofSpec.parse({})), proofSpec]);
const token = z.union([z.literal('none'), z.literal('valid').transform(() => tokenSpec.parse({})), tokenSpec]);

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1)]).transform((value) => [value].flat());
const fullExpectation = z.strictObject({
  decision: z.enum(['allow', 'deny', 'answer']),
  /** Several where the contract leaves it open. */
  status: oneOrMore(z.number()).default([200]),
  reason: oneOrMore(z.string()).default(['allowed']),
  rule: z.string().optional(),
});
const expectation = z.union([z.string().transform(readExpectation).pipe(fullExpectation), fullExpectation]);

const check = z.strictObject({
  name: z.string().regex(/^(([A-Z]{2,4}\d*|O21)-\d+ )+\S/, 'begins with requirement ids'),
  request: z.union([z.string().transform(readRequest), z.strictObject({ method: z.string(), path: z.string() })]),
  host: z.string().optional(),
  headers: z
    .union([z.array(z.tuple([z.string(), headerValue])), z.record(z.string(), headerValue).transform(Object.entries)])
    .default([]),
  /** Whole values of Authorization, instead of scheme and token; `<token>` stands for the token here, in headers and in the request. */
  authorization: text.optional(),
  /** `none`: no Authorization although there is a token. */
  scheme: z.string().default('Bearer'),
  token: token.optional(),
  /** The DPoP proof that goes along. */
  proof: proof.optional(),
  /** A certificate of test/support/tls that the client shows to Envoy; not through the door of Envoy, whose listener asks for none. */
  certificate: z.string().optional(),
  expect: expectation,
  /** Values of WWW-Authenticate; `error_description` need not be named. */
  challenge: text.optional(),
  /** Members of the JSON body. */
  body: members.optional(),
  /** What the upstream sees; `absent` or a value, or a list of values. */
  upstream: z.record(z.string(), text).default({}),
  /** Members of the dynamic metadata; `absent` or a value. */
  metadata: members.default({}),
  doors: z.array(z.enum(doorNames)).default([...doorNames]),
  http: z.union([z.literal(1), z.literal(2)]).default(1),
  /** What a client sees of Envoy where it is not our answer as it is. */
  envoy: z.strictObject({ status: z.number(), headers: z.record(z.string(), z.string()).default({}) }).optional(),
});

const policyDocument = z.looseObject({
  issuers: z
    .array(
      z.looseObject({
        name: z.string(),
        issuer: z.string(),
        audiences: z.array(z.string()).optional(),
        clientIds: z.array(z.string()).optional(),
        /** Absent: the keys of the case stand in the document. With a `uri` they are published there; if there are none, nothing is. */
        jwks: z.looseObject({ uri: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

const defaultNow = '2026-11-24T12:00:00Z';
const caseFile = z.strictObject({
  about: z.string(),
  now: z.iso.datetime().default(defaultNow),
  policy: z.union([z.literal('none').transform(() => []), oneOrMore(policyDocument)]),
  keys: z.record(z.string(), keySpec).default({ k1: keySpec.parse({ alg: 'ES256', kid: 'k1' }) }),
  /** The keys of proofs by name, each with its algorithm. */
  proofKeys: z.record(z.string(), z.string()).default({ p: 'ES256' }),
  /** What the token endpoints answer to a client, by its id, instead of a token. */
  tokenAnswers: z.record(z.string(), members).default({}),
  /** What the issuers say of opaque tokens, by token: members that replace what is filled in, null removes one; or a whole answer. */
  opaque: z
    .record(
      z.string(),
      z.union([
        z.strictObject({ status: z.number().default(200), text: z.string(), contentType: z.string().optional() }),
        z.strictObject({ signed: tokenSpec }),
        z.strictObject({ claims: members }),
      ]),
    )
    .default({}),
  /** Of checks that name none. */
  token: token.default('none'),
  checks: z.array(check).min(1),
});

export type KeySpec = z.output<typeof keySpec>;
export type TokenSpec = z.output<typeof tokenSpec>;
export type ProofSpec = z.output<typeof proofSpec>;
export type Check = z.output<typeof check>;
export type PolicyDocument = z.output<typeof policyDocument>;
export interface CaseFile extends z.output<typeof caseFile> {
  /** Path below test/cases/. */
  readonly name: string;
  readonly nowSeconds: number;
}

/** Every case file, in the order of their names. */
export function loadCaseFiles(): CaseFile[] {
  const folder = fileURLToPath(new URL('../cases/', import.meta.url));
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.toSorted().map((file) => parseCaseFile(relative(folder, file), readFileSync(file, 'utf8')));
}

export function parseCaseFile(name: string, source: string): CaseFile {
  const instant: unknown = parseDocument(source, { logLevel: 'silent' }).get('now');
  const nowSeconds = Date.parse(typeof instant === 'string' ? instant : defaultNow) / 1000;
  const result = caseFile.safeParse(parse(source, { customTags: customTags(nowSeconds) }));
  if (!result.success) throw new Error(`test/cases/${name}: ${z.prettifyError(result.error)}`);
  const names = result.data.checks.map((one) => one.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) throw new Error(`test/cases/${name}: two checks are named "${twice}"`);
  return { ...result.data, name, nowSeconds };
}

/** `deny 401 token_expired`, `deny 401 a or b`, `allow`, `allow allowed_public`. */
function readExpectation(words: string): unknown {
  const [decision, ...rest] = words.split(' ');
  if (decision !== 'deny') return { decision, reason: rest.length === 0 ? ['allowed'] : rest };
  return { decision, status: Number(rest[0]), reason: rest.slice(1).filter((word) => word !== 'or') };
}

/** `METHOD /path`, or `METHOD https://host/path`. The path is kept as it is written. */
function readRequest(line: string): { method: string; path: string; host?: string } {
  const space = line.indexOf(' ');
  const [method, target] = [line.slice(0, space), line.slice(space + 1)];
  const url = /^https:\/\/([^/]*)(\/.*)$/.exec(target);
  return url === null ? { method, path: target } : { method, host: url[1]!, path: url[2]! };
}

function customTags(nowSeconds: number): (ScalarTag | CollectionTag)[] {
  function scalar(tag: string, resolve: (source: string) => unknown): ScalarTag {
    return { tag, resolve };
  }
  return [
    scalar('!now', (source) => nowSeconds + Number(source)),
    scalar('!nested', (source) => JSON.parse('['.repeat(Number(source)) + ']'.repeat(Number(source)))),
    scalar('!members', (source) => Object.fromEntries(Array.from({ length: Number(source) }, (_, n) => [`m${n}`, n]))),
    scalar('!latin1', (source) => new Uint8Array(Buffer.from(source, 'latin1'))),
    {
      tag: '!times',
      collection: 'seq',
      resolve: (node) => {
        const items =
          node instanceof YAMLSeq ? node.items.map((item) => (isScalar(item) ? item.value : undefined)) : [];
        return String(items[1]).repeat(Number(items[0]));
      },
    },
  ];
}
