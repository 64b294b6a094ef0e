/**
 * Promises: the one `defaults` of the whole policy, completed.
 */
import { compileHeaders, type HeaderTable, noHeaders } from './compile-headers.ts';
import type { PolicyDocument } from './document.ts';
import { placeName, type Report, type Spot, within } from './report.ts';
import type { DefaultsContent } from './schema.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { httpsOnly, refuseUrl } from './url.ts';

export interface Defaults extends Pick<PolicySnapshot, 'realm' | 'pathParameters' | 'resourceMetadata'> {
  readonly headers: HeaderTable;
  /** What a DPoP proof may name; undefined: the hosts of rules. */
  readonly origins: readonly string[] | undefined;
}

export function compileDefaults(documents: readonly PolicyDocument[], report: Report): Defaults {
  let first: { readonly defaults: Defaults; readonly spot: Spot } | undefined;
  for (const document of documents) {
    const content = document.content.defaults;
    if (content === undefined) continue;
    const spot: Spot = { document, path: ['defaults'] };
    const defaults = compileOne(content, spot, report);
    if (first === undefined) first = { defaults, spot };
    else {
      const message = `\`defaults\` are already given at ${placeName(first.spot, 'key')}`;
      report.error(spot, 'duplicate_defaults', message, { part: 'key' });
    }
  }
  return first?.defaults ?? completed({}, noHeaders);
}

function compileOne(content: DefaultsContent, spot: Spot, report: Report): Defaults {
  checkUrls(content, spot, report);
  const at = within(spot, 'headers');
  for (const [name, value] of Object.entries(content.headers ?? {})) {
    if (value !== null) continue;
    report.error(within(at, name), 'wrong_value', 'expected a claim path, only a rule can remove a header with null');
  }
  return completed(content, compileHeaders(content.headers, at, report));
}

function completed(content: DefaultsContent, headers: HeaderTable): Defaults {
  return {
    headers,
    origins: content.origins,
    realm: content.realm ?? 'scopegate',
    pathParameters: content.pathParameters ?? 'reject',
    resourceMetadata: content.resourceMetadata?.replace(/\/$/, ''),
  };
}

function checkUrls({ origins, resourceMetadata }: DefaultsContent, spot: Spot, report: Report): void {
  const refusal = resourceMetadata === undefined ? undefined : refuseUrl(resourceMetadata, httpsOnly);
  if (refusal !== undefined) report.error(within(spot, 'resourceMetadata'), refusal.code, refusal.message);
  for (const [index, origin] of (origins ?? []).entries()) {
    if (isOrigin(origin)) continue;
    report.error(within(spot, 'origins', index), 'url', 'expected an origin such as `https://orders.example.com`');
  }
}

/** Http is for loopback, where a client may well be when it is tried out. */
function isOrigin(text: string): boolean {
  const refusal = refuseUrl(text, { ...httpsOnly, allowHttp: true });
  return refusal === undefined && URL.parse(text)?.origin === text;
}
