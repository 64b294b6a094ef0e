/**
 * Promises: what makes two DPoP proofs the same one: key, `jti` and `htu` (RFC 9449 section 11.1), as a text of fixed length that needs no
 * secret and can be kept elsewhere.
 */
import { createHash } from 'node:crypto';
import type { DpopProof } from '../token/dpop-proof.ts';

export function digestOf({ jkt, jti, target }: DpopProof): string {
  return createHash('sha256')
    .update(JSON.stringify([jkt, jti, target]))
    .digest('base64url');
}
