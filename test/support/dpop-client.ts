/** A client with a DPoP key of its own, by the real clock, and requests as it sends them. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { request } from 'node:http';

export interface SentRequest {
  readonly port: number;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  /** Of a refusal, else undefined. */
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export class DpopClient {
  readonly #privateKey: KeyObject;
  readonly #jwk: Readonly<Record<string, unknown>>;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.#jwk = { ...publicKey.export({ format: 'jwk' }) };
  }

  /** RFC 7638. */
  get thumbprint(): string {
    const { crv, kty, x, y } = this.#jwk;
    return hash(JSON.stringify({ crv, kty, x, y }));
  }

  /** For `GET` of the URL with the token. */
  proof(htu: string, token: string, claims: Readonly<Record<string, unknown>> = {}): string {
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk };
    const iat = Math.floor(Date.now() / 1000);
    const payload = { jti: randomUUID(), htm: 'GET', htu, iat, ath: hash(token), ...claims };
    const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(input), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }
}

/** GET over HTTP/1.1 at 127.0.0.1. */
export function send({ port, path, host, headers }: SentRequest): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, headers: { host, ...headers }, agent: false as const };
    request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const reason: unknown = body.startsWith('{') ? Reflect.get(JSON.parse(body) as object, 'reason') : undefined;
        const known = typeof reason === 'string' ? reason : undefined;
        resolve({ status: response.statusCode ?? 0, reason: known, headers: response.headers });
      });
    })
      .on('error', reject)
      .end();
  });
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
