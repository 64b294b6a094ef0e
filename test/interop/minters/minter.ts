/**
 * Promises: tokens signed by a library in a process of its own, all of an order at once, with keys that are made here.
 * Leaves to others: where the libraries come from (install.ts), what is ordered (situations.ts).
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../../../deploy/envoy/config.ts';
import { type JsonProgram, runJsonProgram } from '../json-program.ts';

/** What a minter reads. */
export interface Order {
  readonly keys: Readonly<Record<string, { readonly pem: string; readonly jwk: JsonObject }>>;
  readonly tokens: readonly Wanted[];
}

export interface Wanted {
  readonly id: string;
  /** Also `HS256` with `secret` for its key, and `none`. */
  readonly alg: string;
  /** A name among the keys. */
  readonly key: string;
  /** Base64. */
  readonly secret?: string;
  /** Over what the library writes itself; `alg` is not among them. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What it writes: each token by its id. */
export interface Outcome {
  readonly version: string;
  readonly minted: Readonly<Record<string, Made>>;
}

export interface Made {
  readonly token: string;
  /** `jws`: its JWT layer refuses these claims, and what is below signs any bytes. */
  readonly layer: 'jwt' | 'jws';
}

export async function mint(program: JsonProgram, order: Order): Promise<Outcome> {
  return (await runJsonProgram(program, order)) as Outcome;
}

/** The algorithms that a token may have, and what a key for each of them is. */
const keyKinds = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'ed25519',
  Ed25519: 'ed25519',
} as const;

export type Algorithm = keyof typeof keyKinds;

export const algorithms = Object.keys(keyKinds) as readonly Algorithm[];

export interface MintingKeys {
  /** One for each algorithm under its name, and under `other NAME` one that is not published. */
  readonly keys: Order['keys'];
  /** As an issuer publishes them: `kid` and `alg` are the name of the algorithm. */
  readonly published: readonly JsonObject[];
  /** A public key as a JWK, in base64: what an attacker has in the place of a secret. */
  readonly publicSecret: string;
}

export function makeKeys(): MintingKeys {
  const pairs = algorithms.map((name) => ({ name, own: keyPair(name), other: keyPair(name) }));
  const keys = pairs.flatMap(({ name, own, other }) => [
    [name, privateForms(own.privateKey)],
    [`other ${name}`, privateForms(other.privateKey)],
  ]);
  const published = pairs.map(({ name, own }) => publicJwk(name, own.publicKey));
  const publicSecret = Buffer.from(JSON.stringify(published[0])).toString('base64');
  return { keys: Object.fromEntries(keys) as Order['keys'], published, publicSecret };
}

function keyPair(algorithm: Algorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const kind = keyKinds[algorithm];
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: kind });
}

function privateForms(key: KeyObject): Order['keys'][string] {
  return { pem: String(key.export({ format: 'pem', type: 'pkcs8' })), jwk: jwkOf(key) };
}

function publicJwk(name: string, key: KeyObject): JsonObject {
  return { ...jwkOf(key), kid: name, alg: name, use: 'sig' };
}

function jwkOf(key: KeyObject): JsonObject {
  return key.export({ format: 'jwk' }) as JsonObject;
}
