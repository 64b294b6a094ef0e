/**
 * Promises: of a JWK Set of Entra, the keys that may sign for the issuer at hand (IDP-04). A key there may name the issuer it is for, with
 * `{tenantid}` standing for any tenant; one that is for another tenant is as good as not there, also to what is saved.
 */
import type { Issuer } from '../token/issuer.ts';
import { isJsonObject, member } from '../token/json.ts';

/** For an issuer without tenant the document as it is: to others `issuer` is no member of a key (RFC 7517 section 4). */
export function ownKeys(document: unknown, { issuer, tenant }: Pick<Issuer, 'issuer' | 'tenant'>): unknown {
  const keys = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (tenant === undefined || !Array.isArray(keys)) return document;
  const signers = new Set([issuer]);
  // One set of keys signs both versions of a tenant's tokens, and names its issuer in that of version 2.
  if (issuer === `https://sts.windows.net/${tenant}/`) {
    signers.add(`https://login.microsoftonline.com/${tenant}/v2.0`);
  }
  return { keys: keys.filter((key) => isFor(key, tenant, signers)) };
}

function isFor(key: unknown, tenant: string, signers: ReadonlySet<string>): boolean {
  // What is no key is counted where keys are read.
  if (!isJsonObject(key) || !Object.hasOwn(key, 'issuer')) return true;
  const named = member(key, 'issuer');
  return typeof named === 'string' && signers.has(named.replaceAll('{tenantid}', tenant));
}
