/** One ES256 key and access tokens signed with it, good by the real clock. */
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export interface Signer {
  readonly jwk: JWK;
  /** A token of `iss`, for audience `api`, that lasts an hour; `kid` as given or the key's own. */
  token(iss: string, claims?: JWTPayload, kid?: string): Promise<string>;
}

export async function createSigner(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return {
    jwk,
    token: (iss, claims = {}, named = kid) =>
      new SignJWT({ iss, aud: 'api', sub: 'ada', client_id: 'web', scope: 'read', ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: named })
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}
