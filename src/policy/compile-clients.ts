/**
 * Promises: the clients of all documents, each valid, with distinct names and one way to authenticate. Of their files only the names are
 * looked at: they are those of `serve`, and of no machine where a policy is checked.
 */
import type { Issuer } from '../token/issuer.ts';
import type { OAuthClient } from '../token/oauth-client.ts';
import { compileAuthentication } from './compile-authentication.ts';
import type { CompiledIssuer } from './compile-issuers.ts';
import type { PolicyDocument } from './document.ts';
import { checkKnown, type KnownNames } from './known-names.ts';
import { placeName, type Report, type Spot, within } from './report.ts';
import type { ClientContent } from './schema.ts';
import { quote } from './wording.ts';

export interface CompiledClient {
  /** Undefined when it has a mistake. */
  readonly client: OAuthClient | undefined;
  readonly name: string;
  readonly issuerName: string;
  readonly spot: Spot;
}

export interface ClientContext {
  readonly issuers: readonly CompiledIssuer[];
  readonly names: KnownNames;
}

export function compileClients(
  documents: readonly PolicyDocument[],
  context: ClientContext,
  report: Report,
): readonly CompiledClient[] {
  const compiled: CompiledClient[] = [];
  const names = new Map<string, Spot>();
  for (const document of documents) {
    for (const [index, content] of (document.content.clients ?? []).entries()) {
      const spot: Spot = { document, path: ['clients', index] };
      checkName(content.name, within(spot, 'name'), names, report);
      const client = compileClient(content, spot, context, report);
      compiled.push({ client, name: content.name, issuerName: content.issuer, spot });
    }
  }
  return compiled;
}

function checkName(name: string, spot: Spot, names: Map<string, Spot>, report: Report): void {
  const namesake = names.get(name);
  if (namesake === undefined) names.set(name, spot);
  else report.error(spot, 'duplicate_name', `client ${quote(name)} is already defined at ${placeName(namesake)}`);
}

function compileClient(
  content: ClientContent,
  spot: Spot,
  { issuers, names }: ClientContext,
  report: Report,
): OAuthClient | undefined {
  checkKnown(content.issuer, { kind: 'issuer', known: names.issuers }, within(spot, 'issuer'), report);
  const issuer = findIssuer(content.issuer, issuers, within(spot, 'issuer'), report);
  const authentication = compileAuthentication(content, spot, report);
  checkResource(content.resource, within(spot, 'resource'), report);
  if (issuer === undefined || authentication === undefined) return undefined;
  const { name, clientId, scopes = [], resource } = content;
  return { name, issuer, clientId, authentication, scopes, resource };
}

function findIssuer(name: string, issuers: readonly CompiledIssuer[], spot: Spot, report: Report): Issuer | undefined {
  const [found, other] = issuers.filter(({ issuer }) => issuer.name === name);
  if (other === undefined) return found?.issuer;
  const hint = 'give the tenant of the client an entry of its own';
  report.error(spot, 'client_issuer', `issuer ${quote(name)} stands for several tenants`, { hint });
  return undefined;
}

/** RFC 8707 section 2: an absolute URI without fragment. */
function checkResource(resource: string | undefined, spot: Spot, report: Report): void {
  if (
    resource === undefined ||
    (/^[\x21-\x7e]+$/.test(resource) && URL.canParse(resource) && !resource.includes('#'))
  ) {
    return;
  }
  report.error(spot, 'url', 'expected an absolute URI without fragment');
}
