/**
 * Promises: an introspection answer that the issuer signed for us (RFC 9701 section 5; IN-06): type, signature by its keys, `iss`, `aud`,
 * `iat`; the answer is the claim `token_introspection`, and nothing beside it counts.
 */
import { type Step, Stop } from '../decision/step.ts';
import type { Issuer } from '../token/issuer.ts';
import { isJsonObject, type JsonObject, member } from '../token/json.ts';
import { parseJws, type UnverifiedJws } from '../token/jws.ts';
import type { ResolveKeys } from '../token/key.ts';
import { resolvableHint, signingKey } from '../token/verify.ts';

const mediaType = 'token-introspection+jwt';
export const signedType = `application/${mediaType}`;
/** How old an answer may be. It is made for one question. */
const maxAgeSeconds = 60;
/** For the keys, which are at hand unless they have just been exchanged. */
const keyWaitMs = 5000;

export interface SignedPorts {
  readonly resolveKeys: ResolveKeys;
  readonly nowMs: number;
}

export async function readSignedAnswer(
  text: string,
  issuer: Issuer,
  clientId: string,
  { resolveKeys, nowMs }: SignedPorts,
): Promise<Step<JsonObject>> {
  const jws = parseJws(text.trim());
  if (jws instanceof Stop) return jws;
  if (jws.type !== mediaType) return new Stop('token_type_refused');
  const hint = resolvableHint(jws, issuer);
  if (hint instanceof Stop) return hint;
  const keys = await resolveKeys(issuer, hint, keyWaitMs);
  if (keys instanceof Stop) return keys;
  if (signingKey(jws, keys) === undefined) return new Stop('signature_invalid');
  const answer = member(jws.claims, 'token_introspection');
  const isForUs = isOfIssuer(jws, issuer) && isAddressed(jws, clientId) && isRecent(jws, nowMs / 1000, issuer);
  return isForUs && isJsonObject(answer) ? answer : new Stop('claim_invalid');
}

function isOfIssuer({ claims }: UnverifiedJws, { issuer }: Issuer): boolean {
  return member(claims, 'iss') === issuer;
}

/** RFC 9701 section 5: the resource server, by the id it asks with. */
function isAddressed({ claims }: UnverifiedJws, clientId: string): boolean {
  const audience = member(claims, 'aud');
  return audience === clientId || (Array.isArray(audience) && audience.includes(clientId));
}

function isRecent({ claims }: UnverifiedJws, now: number, { clockSkewSeconds }: Issuer): boolean {
  const issuedAt = member(claims, 'iat');
  return typeof issuedAt === 'number' && Math.abs(now - issuedAt) <= maxAgeSeconds + clockSkewSeconds;
}
