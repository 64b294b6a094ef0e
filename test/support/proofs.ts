/**
 * Promises: DPoP proofs as a case describes them, made with node:crypto alone; also such as no library would make. The thumbprints are
 * computed here, not asked of what is tested.
 */
import {
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CaseFile, ProofSpec } from './case-file.ts';

type Members = Readonly<Record<string, unknown>>;

interface ProofKey {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: Members;
}

export interface ProvenCall {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly token: string;
}

/** The key of nonces that the subject of a case has. */
export const nonceKey = Buffer.alloc(32, 'cases');

export class ProofMaker {
  readonly #keys: ReadonlyMap<string, ProofKey>;
  readonly #nowSeconds: number;

  constructor({ proofKeys, nowSeconds }: CaseFile) {
    this.#nowSeconds = nowSeconds;
    this.#keys = new Map(Object.entries(proofKeys).map(([name, alg]) => [name, proofKey(alg)]));
  }

  /** `jkt` of a proof key (RFC 7638). */
  thumbprint(name: string): string {
    const { kty, crv, e, n, x, y } = this.#key(name).jwk;
    const members = kty === 'RSA' ? { e, kty, n } : kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y };
    return sha256(JSON.stringify(members));
  }

  make(spec: ProofSpec, { method, host, path, token }: ProvenCall): string {
    const { alg, privateKey, jwk } = this.#key(spec.key);
    const header = merged({ typ: 'dpop+jwt', alg, jwk }, spec.header);
    const claims = merged(
      {
        jti: randomUUID(),
        htm: method,
        htu: `https://${host}${path.split('?')[0]}`,
        iat: this.#nowSeconds,
        ath: sha256(token),
        nonce: spec.nonceAge === undefined ? undefined : nonceOf(this.#nowSeconds - spec.nonceAge),
      },
      spec.claims,
    );
    const input = `${encoded(header)}.${encoded(claims)}`;
    const signature = signed(Buffer.from(input), alg, privateKey);
    if (spec.signature === 'flip') signature[10]! ^= 1;
    return spec.compact.replaceAll('<proof>', `${input}.${signature.toString('base64url')}`);
  }

  #key(name: string): ProofKey {
    const key = this.#keys.get(name);
    if (key === undefined) throw new Error(`no proof key ${name}`);
    return key;
  }
}

/** A certificate of test/support/tls, as Envoy passes it on. */
export function envoyCertificate(name: string): string {
  return encodeURIComponent(certificatePem(name));
}

/** RFC 8705 section 3.1. */
export function certificateThumbprint(name: string): string {
  return createHash('sha256')
    .update(new X509Certificate(certificatePem(name)).raw)
    .digest('base64url');
}

function certificatePem(name: string): string {
  return readFileSync(new URL(`tls/${name}.pem`, import.meta.url), 'utf8');
}

function proofKey(alg: string): ProofKey {
  const { privateKey, publicKey } = alg.startsWith('Ed')
    ? generateKeyPairSync('ed25519')
    : /^[RP]S/.test(alg)
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: alg === 'ES384' ? 'P-384' : 'P-256' });
  return { alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) };
}

function signed(data: Buffer, alg: string, key: KeyObject): Buffer {
  if (alg.startsWith('Ed')) return sign(null, data, key);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  return sign(hash, data, key);
}

/** Six bytes of seconds and the first sixteen of their seal. */
function nonceOf(seconds: number): string {
  const time = Buffer.alloc(6);
  time.writeUIntBE(seconds, 0, 6);
  const seal = createHmac('sha256', nonceKey).update('scopegate dpop nonce v1').update(time).digest();
  return Buffer.concat([time, seal.subarray(0, 16)]).toString('base64url');
}

function merged(values: Members, changes: Members): Members {
  const all = Object.entries({ ...values, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined));
}

function encoded(value: Members): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
