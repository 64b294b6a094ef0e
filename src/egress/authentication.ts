/**
 * Promises: how a client shows who it is at an endpoint of its issuer (RFC 6749 section 2.3, RFC 7523, RFC 8705), with the secrets as
 * their files hold them at this moment: one that was exchanged counts from the next request on, without a restart.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type ClientAuth, ClientSecretPost, PrivateKeyJwt, TlsClientAuth } from 'oauth4webapi';
import type { ClientAuthentication } from '../token/client-authentication.ts';
import { isJsonObject, type JsonObject, member } from '../token/json.ts';
import { RequestFailure } from './failure.ts';
import type { Connection } from './post.ts';

/** Text of a file; undefined: it cannot be read, or is larger than any secret. */
export type ReadSecret = (file: string) => Promise<string | undefined>;

export interface Credentials {
  readonly auth: ClientAuth;
  readonly certificate: Connection['certificate'];
}

/** What the metadata says of an endpoint. */
export interface EndpointMethods {
  /** `…_endpoint_auth_methods_supported`; undefined: not said. */
  readonly methods: readonly string[] | undefined;
  /** `…_endpoint_auth_signing_alg_values_supported`; undefined: not said. */
  readonly signingAlgorithms: readonly string[] | undefined;
}

export async function readCredentials(
  authentication: ClientAuthentication,
  supported: EndpointMethods,
  readSecret: ReadSecret,
): Promise<Credentials | RequestFailure> {
  if (authentication.kind === 'certificate') return readCertificate(authentication, readSecret);
  const text = await readSecret(authentication.file);
  const auth =
    authentication.kind === 'secret' ? secretAuth(text, supported) : await assertionAuth(text ?? '', supported);
  return auth instanceof RequestFailure ? auth : { auth, certificate: undefined };
}

/** An editor ends a file with a line end, which no secret ends with. */
function secretAuth(text: string | undefined, { methods }: EndpointMethods): ClientAuth | RequestFailure {
  const secret = text?.replace(/\r?\n$/, '') ?? '';
  if (secret === '') return new RequestFailure('secret_unreadable');
  // RFC 8414 section 2: without a word, Basic.
  const isPost = methods?.includes('client_secret_basic') === false && methods.includes('client_secret_post');
  return isPost ? ClientSecretPost(secret) : basicAuth(secret);
}

/**
 * RFC 6749 section 2.3.1: both are form-encoded. The library also encodes what a form leaves as it is, such as `-` and `_`, which servers that
 * forget to decode then take for another client.
 */
function basicAuth(secret: string): ClientAuth {
  return (_server, { client_id }, _body, headers) => {
    const pair = [client_id, secret].map((text) => new URLSearchParams([['', text]]).toString().slice(1)).join(':');
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  };
}

async function assertionAuth(
  text: string,
  { signingAlgorithms }: EndpointMethods,
): Promise<ClientAuth | RequestFailure> {
  const jwk = parseJwk(text);
  const key = readPrivateKey(text, jwk);
  const algorithm = key && signingAlgorithm(key, jwk, signingAlgorithms);
  if (key === undefined || algorithm === undefined) return new RequestFailure('key_unreadable');
  const kid = member(jwk ?? {}, 'kid');
  const signing = key.toCryptoKey(algorithm, false, ['sign']);
  return PrivateKeyJwt(typeof kid === 'string' ? { key: signing, kid } : signing);
}

function parseJwk(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readPrivateKey(text: string, jwk: JsonObject | undefined): KeyObject | undefined {
  try {
    return jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

type KeyAlgorithm = Parameters<KeyObject['toCryptoKey']>[0];

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** Of an RSA key RS256, which every issuer knows, unless the JWK or the issuer says PS256. */
function signingAlgorithm(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  jwk: JsonObject | undefined,
  supported: readonly string[] | undefined,
): KeyAlgorithm | undefined {
  if (type === 'ed25519') return { name: 'Ed25519' };
  if (type === 'ec') return ecAlgorithm(details?.namedCurve ?? '');
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < 2048) return undefined;
  return { name: isPss(jwk, supported) ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
}

function ecAlgorithm(curve: string): KeyAlgorithm | undefined {
  const namedCurve = curves[curve];
  return namedCurve === undefined ? undefined : { name: 'ECDSA', namedCurve };
}

function isPss(jwk: JsonObject | undefined, supported: readonly string[] | undefined): boolean {
  const alg = member(jwk ?? {}, 'alg');
  return alg === 'PS256' || (alg === undefined && supported?.includes('RS256') === false);
}

async function readCertificate(
  { certFile, keyFile }: Extract<ClientAuthentication, { kind: 'certificate' }>,
  readSecret: ReadSecret,
): Promise<Credentials | RequestFailure> {
  const [cert = '', key = ''] = await Promise.all([readSecret(certFile), readSecret(keyFile)]);
  // Both are exchanged one after the other; a pair that does not fit is one that is just being exchanged.
  if (!isPair(cert, key)) return new RequestFailure('certificate_unreadable');
  return { auth: TlsClientAuth(), certificate: { cert, key } };
}

function isPair(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
