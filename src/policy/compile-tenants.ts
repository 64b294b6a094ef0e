/**
 * Promises: the `iss` strings that an entry of `issuers` stands for, each with the tenant that its tokens must name (IDP-04). An entry
 * with `{tenantid}` is one exact issuer for each tenant, with keys of its own: a tenant that is not listed has none, and no key of one
 * tenant counts for another.
 */
import { type Report, type Spot, within } from './report.ts';
import type { IssuerContent } from './schema.ts';
import { quote } from './wording.ts';

export interface IssuerIdentity {
  readonly issuer: string;
  readonly tenant: string | undefined;
}

const placeholder = '{tenantid}';
const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const wholeGuid = new RegExp(`^${guid}$`);
/** Whole segments: what is a part of one is no tenant. */
const placeholderSegment = /^[^{}]*\/\{tenantid\}(?:\/[^{}]*)?$/;
const guidSegment = new RegExp(`/(${guid})(?=/|$)`);

export function compileTenants(content: IssuerContent, spot: Spot, report: Report): readonly IssuerIdentity[] {
  if (content.provider === 'entra') return ofEntra(content, spot, report);
  if (content.tenants !== undefined) {
    report.error(within(spot, 'tenants'), 'tenants', '`tenants` is for provider `entra` alone', { part: 'key' });
  }
  if (content.issuer.includes(placeholder)) {
    report.error(within(spot, 'issuer'), 'tenants', '`{tenantid}` is for provider `entra` alone');
  }
  return [{ issuer: content.issuer, tenant: undefined }];
}

function ofEntra({ issuer, tenants }: IssuerContent, spot: Spot, report: Report): readonly IssuerIdentity[] {
  if (!/[{}]/.test(issuer)) {
    if (tenants !== undefined) {
      const hint = `put \`${placeholder}\` into \`issuer\` where the tenant stands, or leave \`tenants\` out`;
      report.error(within(spot, 'tenants'), 'tenants', 'this `issuer` has one tenant', { part: 'key', hint });
    }
    return [{ issuer, tenant: guidSegment.exec(issuer)?.[1] }];
  }
  if (!placeholderSegment.test(issuer)) {
    const hint = `such as \`https://login.microsoftonline.com/${placeholder}/v2.0\``;
    report.error(within(spot, 'issuer'), 'tenants', `expected \`${placeholder}\` once, as a part of the path`, {
      hint,
    });
  } else if (tenants === undefined && !spot.document.isLeftOut([...spot.path, 'tenants'])) {
    const hint = 'any customer of Microsoft can have a tenant, so list those whose tokens count';
    report.error(spot, 'missing_field', `\`tenants\` is required beside \`${placeholder}\``, { hint });
  }
  const checked = compileGuids(tenants ?? [], within(spot, 'tenants'), report);
  return checked.map((tenant) => ({ issuer: issuer.replace(placeholder, tenant), tenant }));
}

/** In lower case, as tokens have them. */
function compileGuids(tenants: readonly string[], spot: Spot, report: Report): readonly string[] {
  const known = new Set<string>();
  for (const [index, text] of tenants.entries()) {
    const tenant = text.toLowerCase();
    if (!wholeGuid.test(tenant)) {
      const hint = 'the Directory (tenant) ID of its overview page; a domain name is not in tokens';
      report.error(within(spot, index), 'tenants', 'expected the GUID of a tenant', { hint });
    } else if (known.has(tenant)) {
      report.error(within(spot, index), 'duplicate_name', `tenant ${quote(tenant)} is given twice`);
    }
    known.add(tenant);
  }
  return [...known];
}
