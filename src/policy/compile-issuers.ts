/**
 * Promises: the issuers of all documents, each valid, with distinct `iss` strings. Names are those of the entries; an entry for several
 * tenants is one issuer for each of them.
 */
import { type Algorithm, algorithms, isAlgorithm } from '../token/algorithm.ts';
import type { ClaimPath, Issuer } from '../token/issuer.ts';
import { providerRow } from '../token/providers.ts';
import { compileClaimPath } from './claim-path.ts';
import { compileIntrospection } from './compile-introspection.ts';
import { compileJwks } from './compile-jwks.ts';
import { compileTenants } from './compile-tenants.ts';
import type { PolicyDocument } from './document.ts';
import { durationSeconds } from './duration.ts';
import { checkProvider } from './provider-mistakes.ts';
import { placeName, type Report, type Spot, within } from './report.ts';
import type { IssuerContent } from './schema.ts';
import { refuseUrl, type UrlRules } from './url.ts';
import { quote } from './wording.ts';

export interface CompiledIssuer {
  readonly issuer: Issuer;
  readonly spot: Spot;
}

const maxSkewSeconds = 300;
const longLifetimeSeconds = 3600;

export function compileIssuers(documents: readonly PolicyDocument[], report: Report): readonly CompiledIssuer[] {
  const compiled: CompiledIssuer[] = [];
  const names = new Map<string, Spot>();
  const identifiers = new Map<string, Spot>();
  for (const document of documents) {
    for (const [index, content] of (document.content.issuers ?? []).entries()) {
      const spot: Spot = { document, path: ['issuers', index] };
      checkDistinctName(content.name, within(spot, 'name'), names, report);
      for (const issuer of compileIssuer(content, spot, report)) {
        checkDistinctIssuer(issuer, within(spot, 'issuer'), identifiers, report);
        compiled.push({ issuer, spot });
      }
    }
  }
  return compiled;
}

function checkDistinctName(name: string, spot: Spot, names: Map<string, Spot>, report: Report): void {
  const namesake = names.get(name);
  if (namesake === undefined) names.set(name, spot);
  else report.error(spot, 'duplicate_name', `issuer ${quote(name)} is already defined at ${placeName(namesake)}`);
}

function checkDistinctIssuer({ issuer, tenant }: Issuer, spot: Spot, known: Map<string, Spot>, report: Report): void {
  const other = known.get(issuer);
  if (other === undefined) {
    known.set(issuer, spot);
    return;
  }
  const which = tenant === undefined ? '' : ` with tenant ${quote(tenant)}`;
  report.error(spot, 'duplicate_issuer', `the same \`issuer\`${which} is already given at ${placeName(other)}`);
}

/** One for each tenant. */
function compileIssuer(content: IssuerContent, spot: Spot, report: Report): readonly Issuer[] {
  const insecure = compileInsecure(content, spot, report);
  checkUrls(content, insecure, spot, report);
  checkAudiences(content, spot, report);
  const { clockSkewSeconds, maxLifetimeSeconds } = compileTimes(content, spot, report);
  const jwks = compileJwks(content.jwks, within(spot, 'jwks'), report);
  const scopeClaim = compileScopeClaim(content, spot, report);
  const dpop = compileDpop(content, spot, report);
  const introspection = compileIntrospection(content, within(spot, 'introspection'), report);
  checkProvider(content, spot, report);
  return compileTenants(content, spot, report).map(({ issuer, tenant }) => ({
    name: content.name,
    issuer,
    provider: content.provider ?? 'generic',
    tenant,
    audiences: content.audiences ?? [],
    clientIds: content.clientIds === undefined ? undefined : new Set(content.clientIds),
    jwks,
    ca: content.jwks?.ca,
    algorithms: compileAlgorithms(content.algorithms),
    scopeClaim,
    clockSkewSeconds,
    maxLifetimeSeconds,
    requireSub: content.requireSub ?? true,
    senderConstraint: content.senderConstraint ?? 'none',
    dpop,
    introspection,
    insecure,
  }));
}

const defaultProofAge = '60s';
/** Every proof is remembered for this long, and a stolen one is good for this long. */
const maxProofAgeSeconds = 300;

function compileDpop({ dpop }: IssuerContent, spot: Spot, report: Report): Issuer['dpop'] {
  const maxAgeSeconds = durationSeconds(dpop?.maxAge ?? defaultProofAge);
  if (maxAgeSeconds < 1 || maxAgeSeconds > maxProofAgeSeconds) {
    report.error(within(spot, 'dpop', 'maxAge'), 'wrong_value', 'expected a duration from `1s` to `5m`');
  }
  return { nonce: dpop?.nonce ?? false, maxAgeSeconds };
}

function compileInsecure({ insecure }: IssuerContent, spot: Spot, report: Report): Issuer['insecure'] {
  const { allowHttp = false, anyHost = false } = insecure ?? {};
  if (allowHttp || anyHost) {
    report.warn(within(spot, 'insecure'), 'insecure', 'keys may be fetched without TLS', { part: 'key' });
  }
  return { allowHttp, anyHost };
}

function compileScopeClaim({ scopeClaim }: IssuerContent, spot: Spot, report: Report): ClaimPath | undefined {
  return scopeClaim === undefined ? undefined : compileClaimPath(scopeClaim, within(spot, 'scopeClaim'), report);
}

function compileAlgorithms(names: readonly string[] | undefined): ReadonlySet<Algorithm> {
  return new Set((names ?? Object.keys(algorithms)).filter(isAlgorithm));
}

function checkUrls(content: IssuerContent, insecure: Issuer['insecure'], spot: Spot, report: Report): void {
  const urls: readonly (readonly [string | undefined, Spot, UrlRules])[] = [
    [content.issuer, within(spot, 'issuer'), { ...insecure, allowQuery: false }],
    [content.jwks?.uri, within(spot, 'jwks', 'uri'), { ...insecure, allowQuery: true }],
    [content.introspection?.uri, within(spot, 'introspection', 'uri'), { ...insecure, allowQuery: true }],
  ];
  for (const [url, at, rules] of urls) {
    const refusal = url === undefined ? undefined : refuseUrl(url, rules);
    if (refusal === undefined) continue;
    const isHttp = refusal.code === 'insecure_url' && !insecure.allowHttp;
    const hint = isHttp ? '`insecure: { allowHttp: true }` allows http on loopback' : refusal.hint;
    report.error(at, refusal.code, refusal.message, { hint });
  }
}

function checkAudiences(
  { audiences, clientIds, provider = 'generic' }: IssuerContent,
  spot: Spot,
  report: Report,
): void {
  if (providerRow(provider).hasAudience) {
    checkGiven('audiences', audiences, spot, report);
    return;
  }
  checkGiven('clientIds', clientIds, spot, report);
  if (audiences === undefined) return;
  // Whoever writes it takes it for checked.
  report.error(within(spot, 'audiences'), 'no_audience', `access tokens of ${quote(provider)} name no audience`, {
    part: 'key',
    hint: 'list the clients that may call in `clientIds` instead',
  });
}

function checkGiven(field: string, value: readonly string[] | undefined, spot: Spot, report: Report): void {
  if (value !== undefined || spot.document.isLeftOut([...spot.path, field])) return;
  report.error(spot, 'missing_field', `\`${field}\` is required`);
}

interface Times {
  readonly clockSkewSeconds: number;
  readonly maxLifetimeSeconds: number | undefined;
}

function compileTimes({ clockSkew, maxLifetime }: IssuerContent, spot: Spot, report: Report): Times {
  const clockSkewSeconds = durationSeconds(clockSkew ?? '30s');
  if (clockSkewSeconds > maxSkewSeconds) {
    report.error(within(spot, 'clockSkew'), 'wrong_value', 'expected a duration from `0s` to `5m`');
  }
  const maxLifetimeSeconds = maxLifetime === undefined ? undefined : durationSeconds(maxLifetime);
  const at = within(spot, 'maxLifetime');
  if (maxLifetimeSeconds === 0) report.error(at, 'wrong_value', 'expected a duration longer than `0s`');
  if (maxLifetimeSeconds !== undefined && maxLifetimeSeconds > longLifetimeSeconds) {
    report.warn(at, 'long_lifetime', 'tokens may live longer than an hour');
  }
  return { clockSkewSeconds, maxLifetimeSeconds };
}
