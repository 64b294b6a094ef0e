/** jose as a minter: an order on standard input, what became of each of its tokens on standard output (minter.ts). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { json } from 'node:stream/consumers';
import { CompactSign, importPKCS8, SignJWT, UnsecuredJWT } from 'jose';
import type { Made, Order, Outcome, Wanted } from './minter.ts';

/** What a critical header member is called, to be refused. */
const unknownExtension = 'x';
const order = (await json(process.stdin)) as Order;
const minted: Record<string, Made> = {};
for (const wanted of order.tokens) minted[wanted.id] = await mint(wanted);
const packageFile = createRequire(import.meta.url).resolve('jose/package.json');
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
process.stdout.write(JSON.stringify({ version, minted } satisfies Outcome));

async function mint({ alg, claims, header, key, secret }: Wanted): Promise<Made> {
  if (alg === 'none') return { token: new UnsecuredJWT(claims).encode(), layer: 'jwt' };
  const signer =
    secret === undefined ? await importPKCS8(order.keys[key]?.pem ?? '', alg) : Buffer.from(secret, 'base64');
  const members = { ...header, alg };
  try {
    return { token: await new SignJWT(claims).setProtectedHeader(members).sign(signer), layer: 'jwt' };
  } catch {
    const jws = new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(members);
    return { token: await jws.sign(signer, { crit: { [unknownExtension]: true } }), layer: 'jws' };
  }
}
