/**
 * jsonwebtoken as a minter: an order on standard input, what became of each of its tokens on standard output (minter.ts).
 * Argument: the folder whose `node_modules` has it.
 */
import { createPrivateKey, createSecretKey, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Made, Order, Outcome, Wanted } from './minter.ts';

interface Jsonwebtoken {
  readonly sign: (
    payload: object | string,
    key: KeyObject | null,
    options: { algorithm: string; header: object; noTimestamp?: boolean },
  ) => string;
}

const load = createRequire(join(process.argv[2] ?? '', 'package.json'));
const { sign } = load('jsonwebtoken') as Jsonwebtoken;
const order = (await json(process.stdin)) as Order;
const minted = Object.fromEntries(order.tokens.map((wanted) => [wanted.id, mint(wanted)]));
const { version } = load('jsonwebtoken/package.json') as { version: string };
process.stdout.write(JSON.stringify({ version, minted } satisfies Outcome));

function mint({ alg, claims, header, key, secret }: Wanted): Made {
  const options = { algorithm: alg, header: { ...header, alg } };
  const signer = alg === 'none' ? null : keyOf(key, secret);
  try {
    // With noTimestamp an `iat` that is there goes too.
    return { token: sign(claims, signer, { ...options, noTimestamp: !('iat' in claims) }), layer: 'jwt' };
  } catch {
    return { token: sign(JSON.stringify(claims), signer, options), layer: 'jws' };
  }
}

function keyOf(key: string, secret: string | undefined): KeyObject {
  return secret === undefined
    ? createPrivateKey(order.keys[key]?.pem ?? '')
    : createSecretKey(Buffer.from(secret, 'base64'));
}
