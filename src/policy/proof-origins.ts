/**
 * Promises: which origins a DPoP proof may name (DP-09): those of `defaults.origins`, else https and the hosts that rules name. What the
 * request says of its own scheme and host is the client's word; it can only choose among these.
 */
import type { PolicyDocument } from './document.ts';
import { type Report, within } from './report.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** An error for each issuer whose tokens want proofs while the policy names no origin. */
export function checkDpopOrigins(documents: readonly PolicyDocument[], report: Report): void {
  if (documents.some(namesOrigin)) return;
  for (const document of documents) {
    for (const [index, { senderConstraint }] of (document.content.issuers ?? []).entries()) {
      if (senderConstraint !== 'dpop' && senderConstraint !== 'any') continue;
      const spot = within({ document, path: ['issuers', index] }, 'senderConstraint');
      const hint = 'write `defaults: { origins: […] }`, or `hosts` in the rules';
      report.error(spot, 'dpop_origin', 'nothing says which origins a DPoP proof may name', { hint });
    }
  }
}

/** Also what is left out for a mistake may have named one. */
function namesOrigin({ content, isDamaged }: PolicyDocument): boolean {
  if (isDamaged([]) || content.defaults?.origins !== undefined) return true;
  return (content.rules ?? []).some(({ hosts }) => hosts !== undefined);
}

/**
 * `hosts` as routes have them: exact, or `*.` and a suffix. With `origins`, those of the request's host; all of them where it is none of
 * theirs, since a gateway may have put a name of its own in its place.
 */
export function compileProofOrigins(
  origins: readonly string[] | undefined,
  hosts: ReadonlySet<string>,
): PolicySnapshot['proofOrigins'] {
  if (origins === undefined) return (host) => (isNamed(host, hosts) ? [`https://${host}`] : []);
  const byHost = Map.groupBy(origins, (origin) => URL.parse(origin)?.hostname ?? '');
  return (host) => byHost.get(host) ?? origins;
}

function isNamed(host: string, hosts: ReadonlySet<string>): boolean {
  if (hosts.has(host)) return true;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (hosts.has(`*${host.slice(dot)}`)) return true;
  }
  return false;
}
