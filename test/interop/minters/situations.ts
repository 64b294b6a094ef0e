/**
 * Promises: what a token may be like, right and wrong, and what the client that shows it has to be told. Each is made by every library with
 * every algorithm that it has.
 * Leaves to others: keys and signing (minter.ts).
 */
import type { Algorithm, Wanted } from './minter.ts';

export const api = 'https://orders.example.com';
/** Tokens as RFC 9068 has them; its keys say which algorithm they are for. */
export const strictIssuer = 'https://strict.minters.test';
/** Tokens of any type; its keys are the same, and do not say it. */
export const genericIssuer = 'https://generic.minters.test';
const second = 'https://billing.example.com';

/** Beyond ASCII: each library has its own way to write it, and the upstream is told one thing. */
export const clientName = (library: string): string => `${library} Zoë ✓`;

export interface Situation {
  readonly what: string;
  /** `allowed`, or status and reason. */
  readonly expected: string | ((algorithm: Algorithm) => string);
  /** Over those of a right token; undefined takes one away. */
  readonly claims?: (nowSeconds: number) => Readonly<Record<string, unknown>>;
  /** Over `typ: at+jwt` and the `kid` of the key; undefined takes one away. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The name of the key; default that of the algorithm. */
  readonly key?: (algorithm: Algorithm) => string | undefined;
  /** What is signed with; default the algorithm of the key. */
  readonly alg?: string;
  /** True: the public key is the secret. */
  readonly hasPublicSecret?: boolean;
  /** What happens to the token on the way. */
  readonly onTheWay?: (token: string, algorithm: Algorithm) => string;
}

const generic = { iss: genericIssuer };
const year = 31_536_000;

const right: readonly Situation[] = [
  { what: 'as RFC 9068 has it', expected: 'allowed' },
  { what: '`typ: application/at+jwt`', header: { typ: 'application/at+jwt' }, expected: 'allowed' },
  { what: '`aud` a list, ours second', claims: () => ({ aud: [second, api] }), expected: 'allowed' },
  { what: 'no `kid`, one key for the algorithm', header: { kid: undefined }, expected: 'allowed' },
  { what: 'no `nbf`', claims: () => ({ nbf: undefined }), expected: 'allowed' },
  { what: 'times with fractions', claims: (now) => ({ iat: now - 1.5, exp: now + 300.5 }), expected: 'allowed' },
  { what: '`exp` past, within the clock skew', claims: (now) => ({ exp: now - 2 }), expected: 'allowed' },
  {
    what: 'nested claims, large numbers',
    claims: () => ({ account: { id: 9_007_199_254_740_991, tags: ['a', { b: null }], rate: 1e-7 } }),
    expected: 'allowed',
  },
  {
    what: 'the `typ` that the library writes of itself, any type allowed',
    header: { typ: undefined },
    claims: () => generic,
    expected: 'allowed',
  },
  { what: '`typ: JWT`, any type allowed', header: { typ: 'JWT' }, claims: () => generic, expected: 'allowed' },
];

const typeRefused = '401 token_type_refused';
const claimInvalid = '401 claim_invalid';

const wrongTimes: readonly Situation[] = [
  { what: '`exp` past', claims: (now) => ({ exp: now - 600 }), expected: '401 token_expired' },
  { what: '`exp` absent', claims: () => ({ exp: undefined }), expected: claimInvalid },
  { what: '`exp` a string', claims: (now) => ({ exp: String(now + 300) }), expected: claimInvalid },
  { what: '`exp` in milliseconds', claims: (now) => ({ exp: (now + 300) * 1000 }), expected: claimInvalid },
  { what: '`exp` negative', claims: () => ({ exp: -1 }), expected: claimInvalid },
  { what: '`nbf` to come', claims: (now) => ({ nbf: now + 600 }), expected: '401 token_not_yet_valid' },
  { what: '`nbf` a string', claims: (now) => ({ nbf: String(now) }), expected: claimInvalid },
  {
    what: '`iat` to come',
    claims: (now) => ({ iat: now + 600, exp: now + year }),
    expected: '401 token_not_yet_valid',
  },
  { what: '`iat` absent', claims: () => ({ iat: undefined }), expected: claimInvalid },
  { what: '`iat` a string', claims: (now) => ({ iat: String(now) }), expected: claimInvalid },
];

const wrongAddress: readonly Situation[] = [
  { what: '`iss` of another', claims: () => ({ iss: 'https://idp.test' }), expected: '401 issuer_untrusted' },
  { what: '`iss` with a slash more', claims: () => ({ iss: `${strictIssuer}/` }), expected: '401 issuer_untrusted' },
  { what: '`iss` absent', claims: () => ({ iss: undefined }), expected: '401 issuer_untrusted' },
  { what: '`iss` a list', claims: () => ({ iss: [strictIssuer] }), expected: '401 issuer_untrusted' },
  { what: '`aud` of another API', claims: () => ({ aud: second }), expected: '401 audience_mismatch' },
  { what: '`aud` absent', claims: () => ({ aud: undefined }), expected: '401 audience_mismatch' },
  { what: '`aud` an empty list', claims: () => ({ aud: [] }), expected: '401 audience_mismatch' },
  { what: '`aud` a number', claims: () => ({ aud: 5 }), expected: claimInvalid },
  { what: '`aud` a list with a number', claims: () => ({ aud: [api, 5] }), expected: claimInvalid },
];

const wrongClaims: readonly Situation[] = [
  { what: '`sub` absent', claims: () => ({ sub: undefined }), expected: claimInvalid },
  { what: '`sub` empty', claims: () => ({ sub: '' }), expected: claimInvalid },
  { what: '`sub` a number', claims: () => ({ sub: 7 }), expected: claimInvalid },
  { what: '`client_id` absent', claims: () => ({ client_id: undefined }), expected: claimInvalid },
  { what: '`client_id` a list', claims: () => ({ client_id: ['web'] }), expected: claimInvalid },
  { what: '`jti` absent', claims: () => ({ jti: undefined }), expected: claimInvalid },
  { what: '`jti` a number', claims: () => ({ jti: 7 }), expected: claimInvalid },
  { what: '`scope` absent', claims: () => ({ scope: undefined }), expected: '403 insufficient_scope' },
  {
    what: '`scope` a longer one',
    claims: () => ({ scope: 'orders:read-all' }),
    expected: '403 insufficient_scope',
  },
  { what: '`scope` a list', claims: () => ({ scope: ['orders:read'] }), expected: claimInvalid },
  { what: '`auth_time` a string', claims: () => ({ auth_time: 'now' }), expected: claimInvalid },
  { what: '`acr` a number', claims: () => ({ acr: 2 }), expected: claimInvalid },
  { what: '`cnf` a string', claims: () => ({ cnf: 'key' }), expected: '401 sender_constraint_failed' },
  {
    what: '`cnf` of a kind that is not known',
    claims: () => ({ cnf: { kid: 'k' } }),
    expected: '401 sender_constraint_failed',
  },
];

const wrongKind: readonly Situation[] = [
  { what: '`typ: JWT` where at+jwt is required', header: { typ: 'JWT' }, expected: typeRefused },
  {
    what: '`typ: dpop+jwt`, any type allowed',
    header: { typ: 'dpop+jwt' },
    claims: () => generic,
    expected: typeRefused,
  },
  { what: '`nonce`, as in an ID token', claims: () => ({ nonce: 'n' }), expected: typeRefused },
  { what: '`token_use: id`', claims: () => ({ token_use: 'id' }), expected: typeRefused },
  { what: '`jku` in the header', header: { jku: 'https://idp.test/keys' }, expected: '401 token_malformed' },
  { what: '`crit` in the header', header: { crit: ['x'], x: 1 }, expected: '401 token_malformed' },
  { what: '`cty: JWT` in the header', header: { cty: 'JWT' }, expected: '401 token_malformed' },
];

const isRsa = (algorithm: Algorithm): boolean => /^[RP]S/.test(algorithm);
const sameSize = (algorithm: Algorithm, family: string): Algorithm => `${family}${algorithm.slice(2)}` as Algorithm;

/** A different one of the same key, or of another where no other is for it. */
function otherAlgorithm(algorithm: Algorithm): Algorithm {
  if (isRsa(algorithm)) return sameSize(algorithm, algorithm.startsWith('RS') ? 'PS' : 'RS');
  return algorithm === 'ES256' ? 'ES384' : 'ES256';
}

function withHeader(token: string, changes: Readonly<Record<string, unknown>>): string {
  return changed(token, 0, changes);
}

function changed(token: string, index: number, changes: Readonly<Record<string, unknown>>): string {
  const parts = token.split('.');
  const members = JSON.parse(Buffer.from(parts[index] ?? '', 'base64url').toString()) as object;
  parts[index] = Buffer.from(JSON.stringify({ ...members, ...changes })).toString('base64url');
  return parts.join('.');
}

const wrongKey: readonly Situation[] = [
  {
    what: 'signed by another key under the same `kid`',
    key: (algorithm) => `other ${algorithm}`,
    expected: '401 signature_invalid',
  },
  { what: '`kid` that nobody published', header: { kid: 'unknown' }, expected: '401 key_unknown' },
  {
    what: 'the key of another algorithm, under its `kid`',
    onTheWay: (token, algorithm) => withHeader(token, { kid: otherAlgorithm(algorithm) }),
    expected: '401 key_unknown',
  },
  {
    what: '`alg` changed on the way, the key is for one algorithm',
    onTheWay: (token, algorithm) => withHeader(token, { alg: otherAlgorithm(algorithm) }),
    expected: '401 key_unknown',
  },
  {
    what: '`alg` changed on the way, the key does not say what it is for',
    claims: () => generic,
    onTheWay: (token, algorithm) => withHeader(token, { alg: otherAlgorithm(algorithm) }),
    expected: (algorithm) => (isRsa(algorithm) ? '401 signature_invalid' : '401 key_unknown'),
  },
  {
    what: '`alg` changed to HS256 on the way',
    onTheWay: (token) => withHeader(token, { alg: 'HS256' }),
    expected: '401 algorithm_not_allowed',
  },
  {
    what: '`alg` changed to none on the way, the signature cut off',
    onTheWay: (token) => withHeader(token, { alg: 'none' }).replace(/[^.]*$/, ''),
    expected: '401 algorithm_not_allowed',
  },
  {
    what: '`sub` changed on the way',
    onTheWay: (token) => changed(token, 1, { sub: 'grace' }),
    expected: '401 signature_invalid',
  },
  { what: 'the signature cut off', onTheWay: (token) => token.replace(/[^.]*$/, ''), expected: '401 token_malformed' },
];

/** Made once by each library. */
const wrongAlgorithm: readonly Situation[] = [
  {
    what: 'HS256, the public JWK is the secret',
    alg: 'HS256',
    hasPublicSecret: true,
    expected: '401 algorithm_not_allowed',
  },
  { what: 'none, of the library', alg: 'none', claims: () => generic, expected: '401 algorithm_not_allowed' },
];

export const situations = [
  ...right,
  ...wrongTimes,
  ...wrongAddress,
  ...wrongClaims,
  ...wrongKind,
  ...wrongKey,
  ...wrongAlgorithm,
];

export interface Ordered {
  readonly situation: Situation;
  readonly algorithm: Algorithm;
  readonly wanted: Wanted;
}

/** Every situation with every algorithm of a library. */
export function orderFor(library: string, algorithms: readonly Algorithm[], publicSecret: string): readonly Ordered[] {
  const now = Math.floor(Date.now() / 1000);
  const all = algorithms.flatMap((algorithm) => situations.map((situation) => ({ algorithm, situation })));
  return all
    .filter(({ algorithm, situation }) => situation.alg === undefined || algorithm === algorithms[0])
    .map(({ algorithm, situation }) => ({
      algorithm,
      situation,
      wanted: {
        id: `${algorithm} ${situation.what}`,
        alg: situation.alg ?? algorithm,
        key: situation.key?.(algorithm) ?? algorithm,
        ...(situation.hasPublicSecret === true ? { secret: publicSecret } : {}),
        header: { typ: 'at+jwt', kid: algorithm, ...situation.header },
        claims: { ...claimsOf(library, now), ...situation.claims?.(now) },
      },
    }));
}

function claimsOf(library: string, now: number): Readonly<Record<string, unknown>> {
  return {
    iss: strictIssuer,
    aud: api,
    sub: 'ada',
    client_id: clientName(library),
    iat: now,
    nbf: now,
    exp: now + 600,
    jti: `${library}-1`,
    scope: 'profile orders:read',
  };
}
