/**
 * Promises: keys and tokens as a case describes them, made with node:crypto alone: nothing of what is tested takes part, and
 * tokens that no library would make can be made.
 */
import { constants, createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { CaseFile, KeySpec, PolicyDocument, TokenSpec } from './case-file.ts';
import { certificateThumbprint, type ProofMaker } from './proofs.ts';

type Members = Readonly<Record<string, unknown>>;

interface Key {
  readonly name: string;
  readonly spec: KeySpec;
  readonly issuer: string;
  readonly privateKey: KeyObject | undefined;
  readonly publicKey: KeyObject | undefined;
  readonly secret: Buffer | undefined;
}

/** The keys of one case file, the policy with their public halves in it, and tokens signed with them. */
export class TokenMaker {
  readonly #file: CaseFile;
  readonly #keys: readonly Key[];

  constructor(file: CaseFile) {
    this.#file = file;
    const firstIssuer = issuersOf(file)[0]?.name ?? '';
    this.#keys = Object.entries(file.keys).map(([name, spec]) => {
      const { privateKey, publicKey } = keyPair(spec);
      const secret = spec.alg.startsWith('HS') ? randomBytes(64) : undefined;
      return { name, spec, issuer: spec.issuer ?? firstIssuer, privateKey, publicKey, secret };
    });
  }

  /** The documents of the policy, complete: issuers that say nothing about keys have theirs inline. */
  documents(): unknown[] {
    return this.#file.policy.map((document) => ({
      apiVersion: 'scopegate.dev/v1',
      kind: 'Policy',
      ...document,
      ...(document.issuers === undefined ? {} : { issuers: document.issuers.map((issuer) => this.#withKeys(issuer)) }),
    }));
  }

  /** The JWK Set that is published at a URL which the policy names; undefined: there is none. */
  keySetAt(url: string): { keys: Members[] } | undefined {
    const issuer = issuersOf(this.#file).find(({ jwks }) => jwks?.uri === url);
    const keys = issuer === undefined ? [] : this.#publishedBy(issuer.name);
    return keys.length === 0 ? undefined : { keys };
  }

  make(spec: TokenSpec, proofs?: ProofMaker): string {
    const issuers = issuersOf(this.#file);
    const issuer = spec.issuer === undefined ? issuers[0] : issuers.find(({ name }) => name === spec.issuer);
    if (issuer === undefined) throw new Error(`no issuer ${spec.issuer}`);
    const key = this.#keys.find(({ name, issuer: owner }) =>
      spec.key === undefined ? owner === issuer.name : name === spec.key,
    );
    if (key === undefined) throw new Error(`no key ${spec.key ?? `of ${issuer.name}`}`);
    const now = this.#file.nowSeconds;
    const claims = merged(
      {
        iss: issuer.issuer,
        aud: issuer.audiences?.[0],
        iat: now,
        exp: now + 300,
        sub: 'ada',
        client_id: issuer.clientIds?.[0] ?? 'web',
        jti: 'token-1',
        cnf: confirmation(spec, proofs),
      },
      spec.claims,
    );
    const header = merged({ alg: spec.alg ?? key.spec.alg, typ: 'at+jwt', kid: key.spec.kid }, spec.header);
    const padded = spec.bytes === undefined ? { header, claims } : padTo(spec.bytes, header, claims);
    return compact(spec, key, padded.header, padded.claims);
  }

  #withKeys(issuer: Members & { readonly name: string }): Members {
    return issuer['jwks'] === undefined
      ? { ...issuer, jwks: { inline: { keys: this.#publishedBy(issuer.name) } } }
      : issuer;
  }

  #publishedBy(issuer: string): Members[] {
    return this.#keys.filter((key) => key.issuer === issuer && key.spec.published).map(publicJwk);
  }
}

function confirmation({ boundTo, boundToCertificate }: TokenSpec, proofs: ProofMaker | undefined): Members | undefined {
  if (boundTo === undefined && boundToCertificate === undefined) return undefined;
  return {
    ...(boundTo === undefined ? {} : { jkt: proofs?.thumbprint(boundTo) }),
    ...(boundToCertificate === undefined ? {} : { 'x5t#S256': certificateThumbprint(boundToCertificate) }),
  };
}

function issuersOf(file: CaseFile): NonNullable<PolicyDocument['issuers']> {
  return file.policy.flatMap((document) => document.issuers ?? []);
}

function compact(spec: TokenSpec, key: Key, header: Members, claims: Members): string {
  const headerPart = part(spec.headerText, '<header>', header, spec);
  const signedPart = part(spec.payloadText, '<claims>', claims, spec);
  const signature = signatureOf(`${headerPart}.${signedPart}`, spec, key);
  const payloadPart =
    spec.changedAfterSigning === undefined
      ? signedPart
      : part(spec.payloadText, '<claims>', merged(claims, spec.changedAfterSigning), spec);
  return spec.compact
    .replaceAll('<header>', headerPart)
    .replaceAll('<payload>', payloadPart)
    .replaceAll('<signature>', signature);
}

function part(given: string | undefined, name: string, values: Members, { textEncoding }: TokenSpec): string {
  const json = JSON.stringify(values);
  const text = given === undefined ? json : given.replaceAll(name, () => json.slice(1, -1));
  return Buffer.from(text, textEncoding).toString('base64url');
}

/** `changes` over `values`; what is null or undefined goes. */
function merged(values: Members, changes: Members): Members {
  return Object.fromEntries(
    Object.entries({ ...values, ...changes }).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** Members that bring a token with an ES256 signature to an exact length; base64url cannot have every length, so two parts are filled. */
function padTo(bytes: number, header: Members, claims: Members): { header: Members; claims: Members } {
  const signatureChars = 86;
  function length(values: Members): number {
    return Math.ceil((Buffer.byteLength(JSON.stringify(values)) * 4) / 3);
  }
  for (let headerPad = 0; headerPad < 4; headerPad++) {
    const wide = { ...header, pad: 'p'.repeat(headerPad) };
    const rest = bytes - signatureChars - 2 - length(wide);
    const most = Math.ceil((rest * 3) / 4);
    for (let pad = Math.max(0, most - length({ ...claims, pad: '' })); pad <= most; pad++) {
      const long = { ...claims, pad: 'p'.repeat(pad) };
      if (length(long) === rest) return { header: wide, claims: long };
    }
  }
  throw new Error(`no token of ${bytes} bytes`);
}

function signatureOf(input: string, spec: TokenSpec, key: Key): string {
  const data = Buffer.from(input);
  switch (spec.signature) {
    case 'empty':
      return '';
    case 'der':
      return sign(hashOf(key.spec.alg), data, { key: privateKeyOf(key), dsaEncoding: 'der' }).toString('base64url');
    case 'zero':
      return Buffer.alloc(64).toString('base64url');
    case 'order':
      return Buffer.from(orderOfP256.repeat(2), 'hex').toString('base64url');
    case 'flip': {
      const bytes = signed(data, spec, key);
      bytes[10]! ^= 1;
      return bytes.toString('base64url');
    }
    case 'slack':
      return withSlack(signed(data, spec, key).toString('base64url'));
    default:
      return signed(data, spec, key).toString('base64url');
  }
}

const orderOfP256 = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

/** The same bytes for a lenient decoder: the last character carries bits that belong to no byte. */
function withSlack(encoded: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const changed = encoded.slice(0, -1) + alphabet[alphabet.indexOf(encoded.at(-1)!) ^ 1]!;
  if (!Buffer.from(changed, 'base64url').equals(Buffer.from(encoded, 'base64url'))) throw new Error('no unused bits');
  return changed;
}

function signed(data: Buffer, spec: TokenSpec, key: Key): Buffer {
  const alg = spec.alg ?? key.spec.alg;
  const hash = hashOf(alg);
  switch (alg.slice(0, 2)) {
    case 'HS':
      return createHmac(hash ?? '', hmacSecret(key, spec))
        .update(data)
        .digest();
    case 'RS':
      return sign(hash, data, privateKeyOf(key));
    case 'PS':
      return sign(hash, data, {
        key: privateKeyOf(key),
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: spec.saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'ES':
      return sign(hash, data, { key: privateKeyOf(key), dsaEncoding: 'ieee-p1363' });
    default:
      return sign(null, data, privateKeyOf(key));
  }
}

function hashOf(alg: string): string | undefined {
  const bits = /\d{3}$/.exec(alg)?.[0];
  return bits === undefined ? undefined : `sha${bits}`;
}

function hmacSecret(key: Key, { hmacSecret: form }: TokenSpec): Buffer | string {
  if (key.secret !== undefined) return key.secret;
  if (key.publicKey === undefined) throw new Error(`${key.name} has no public key`);
  if (form === 'jwk') return JSON.stringify(key.publicKey.export({ format: 'jwk' }));
  return form === 'der'
    ? key.publicKey.export({ format: 'der', type: 'spki' })
    : key.publicKey.export({ format: 'pem', type: 'spki' });
}

function privateKeyOf({ name, privateKey }: Key): KeyObject {
  if (privateKey === undefined) throw new Error(`${name} has no private key`);
  return privateKey;
}

function publicJwk({ spec, publicKey, secret }: Key): Members {
  const jwk = publicKey?.export({ format: 'jwk' }) ?? { kty: 'oct', k: secret?.toString('base64url') };
  return merged({ ...jwk, kid: spec.kid, alg: spec.alg }, spec.jwk);
}

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function keyPair({ alg, curve, modulusLength }: KeySpec): {
  privateKey: KeyObject | undefined;
  publicKey: KeyObject | undefined;
} {
  if (alg.startsWith('HS')) return { privateKey: undefined, publicKey: undefined };
  if (/^[RP]S/.test(alg)) return generateKeyPairSync('rsa', { modulusLength: modulusLength ?? 2048 });
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519');
  const namedCurve = curve ?? curves[alg];
  if (namedCurve === undefined) throw new Error(`no key for alg ${alg}`);
  return generateKeyPairSync('ec', { namedCurve });
}
