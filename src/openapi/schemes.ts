/**
 * Promises: what a security scheme of a document means here: tokens of an issuer, something that is checked elsewhere, or what cannot be
 * checked, and why.
 */
import { httpsOnly, refuseUrl } from '../policy/url.ts';
import { quote } from '../policy/wording.ts';
import { type Cursor, isPlainMapping, member, referred, text } from './cursor.ts';
import type { Findings } from './findings.ts';
import type { Issuers } from './issuers.ts';
import type { ImportOptions } from './options.ts';

export interface TokenScheme {
  /** `iss` of its tokens. */
  readonly issuer: string;
  /** OpenAPI 3.1: the list beside a scheme that is not of OAuth names roles. */
  readonly isRoles: boolean;
}

export type Scheme = TokenScheme | 'elsewhere' | 'never';

/** The scheme of a name; `asked` is where a requirement names it. */
export type Schemes = (name: string, asked: Cursor) => Scheme;

interface Context {
  readonly options: ImportOptions;
  readonly findings: Findings;
  readonly issuers: Issuers;
}

export function createSchemes(
  root: Cursor,
  options: ImportOptions,
  { findings, issuers }: Pick<Context, 'findings' | 'issuers'>,
): Schemes {
  const components = member(root, 'components');
  const all = components === undefined ? undefined : member(components, 'securitySchemes');
  const isReadable = [components, all].every((cursor) => cursor === undefined || isPlainMapping(cursor));
  const known = new Map<string, Scheme>();
  for (const name of options.checkedElsewhere) {
    if (all === undefined || member(all, name) === undefined) {
      findings.warn(all ?? root, 'unknown_scheme', `no scheme is named ${quote(name)}`);
    }
    known.set(name, 'elsewhere');
  }
  return (name, asked) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const cursor = all === undefined || !isReadable ? undefined : member(all, name);
    if (cursor === undefined) {
      const message = isReadable ? `no scheme is named ${quote(name)}` : 'merge keys are not supported';
      findings.error(asked, 'unknown_scheme', message, { part: 'key' });
      return 'never';
    }
    const scheme = readScheme(name, cursor, { options, findings, issuers });
    known.set(name, scheme);
    return scheme;
  };
}

/** More references than this in a row lead in a circle. */
const maxReferences = 16;

function resolve(cursor: Cursor): Cursor | undefined {
  let found: Cursor | undefined = cursor;
  for (let count = 0; count < maxReferences && found !== undefined; count += 1) {
    if (!isPlainMapping(found)) return undefined;
    if (member(found, '$ref') === undefined) return found;
    found = referred(found);
  }
  return undefined;
}

function readScheme(name: string, cursor: Cursor, context: Context): Scheme {
  const { options, findings, issuers } = context;
  const scheme = resolve(cursor);
  if (scheme === undefined) {
    findings.error(cursor, 'scheme', `${quote(name)} is no scheme in this document, or has merge keys`, {
      part: 'key',
    });
    return 'never';
  }
  const type = text(scheme, 'type');
  const kind = type === 'http' ? text(scheme, 'scheme')?.toLowerCase() : undefined;
  if (type === 'openIdConnect') {
    const issuer = readDiscovery(scheme, findings) ?? options.issuer;
    return { issuer: issuers.add(name, issuer), isRoles: false };
  }
  if (type === 'oauth2' || kind === 'bearer') {
    return { issuer: issuers.add(name, options.issuer), isRoles: kind === 'bearer' };
  }
  refuseScheme(name, cursor, { what: [type ?? 'no type', kind].join(' ').trim(), findings });
  return 'never';
}

function refuseScheme(
  name: string,
  cursor: Cursor,
  { what, findings }: { readonly what: string; readonly findings: Findings },
): void {
  const message = `${quote(what)} cannot be checked, so scheme ${quote(name)} lets nothing pass`;
  const hint = `if something else checks it: --checked-elsewhere ${quote(name)}`;
  findings.error(cursor, 'unsupported_scheme', message, { part: 'key', hint });
}

const discoverySuffix = '/.well-known/openid-configuration';

/** OpenID Connect Discovery 1.0 section 4: the suffix follows the issuer, which loses a trailing slash by it. */
function readDiscovery(scheme: Cursor, findings: Findings): string | undefined {
  const url = text(scheme, 'openIdConnectUrl') ?? '';
  const issuer = url.endsWith(discoverySuffix) ? url.slice(0, -discoverySuffix.length) : undefined;
  if (issuer !== undefined && refuseUrl(issuer, httpsOnly) === undefined) return issuer;
  const message = `\`openIdConnectUrl\` is no https URL that ends in ${discoverySuffix}, so it tells no issuer`;
  findings.warn(member(scheme, 'openIdConnectUrl') ?? scheme, 'discovery', message);
  return undefined;
}
