/**
 * Promises: the issuers of all documents, each valid, with distinct names and distinct `iss` strings.
 */
import { type Algorithm, algorithms, isAlgorithm } from '../token/algorithm.ts';
import type { ClaimPath, Issuer, ProviderName } from '../token/issuer.ts';
import { compileClaimPath } from './claim-path.ts';
import { compileJwks } from './compile-jwks.ts';
import type { PolicyDocument } from './document.ts';
import { durationSeconds } from './duration.ts';
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
      checkDistinct(content, { spot, names, identifiers }, report);
      const issuer = compileIssuer(content, spot, report);
      if (issuer !== undefined) compiled.push({ issuer, spot });
    }
  }
  return compiled;
}

interface Known {
  readonly spot: Spot;
  readonly names: Map<string, Spot>;
  readonly identifiers: Map<string, Spot>;
}

function checkDistinct(content: IssuerContent, { spot, names, identifiers }: Known, report: Report): void {
  const namesake = names.get(content.name);
  const [nameSpot, issuerSpot] = [within(spot, 'name'), within(spot, 'issuer')];
  if (namesake === undefined) names.set(content.name, nameSpot);
  else
    report.error(
      nameSpot,
      'duplicate_name',
      `issuer ${quote(content.name)} is already defined at ${placeName(namesake)}`,
    );
  const other = identifiers.get(content.issuer);
  if (other === undefined) identifiers.set(content.issuer, issuerSpot);
  else report.error(issuerSpot, 'duplicate_issuer', `the same \`issuer\` is already given at ${placeName(other)}`);
}

/** Undefined: a provider that this version does not support, which unsupported.ts reports. */
function compileIssuer(content: IssuerContent, spot: Spot, report: Report): Issuer | undefined {
  const insecure = compileInsecure(content, spot, report);
  checkUrls(content, insecure, spot, report);
  checkAudiences(content, spot, report);
  const times = compileTimes(content, spot, report);
  const jwks = compileJwks(content.jwks, within(spot, 'jwks'), report);
  const scopeClaim = compileScopeClaim(content, spot, report);
  const dpop = compileDpop(content, spot, report);
  const provider = providers.find((name) => name === (content.provider ?? 'generic'));
  if (provider === undefined) return undefined;
  return {
    name: content.name,
    issuer: content.issuer,
    provider,
    audiences: content.audiences ?? [],
    clientIds: content.clientIds === undefined ? undefined : new Set(content.clientIds),
    jwks,
    ca: content.jwks?.ca,
    algorithms: compileAlgorithms(content.algorithms),
    scopeClaim,
    ...times,
    requireSub: content.requireSub ?? true,
    senderConstraint: content.senderConstraint ?? 'none',
    dpop,
    insecure,
  };
}

const providers: readonly ProviderName[] = ['generic', 'rfc9068'];

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
  ];
  for (const [url, at, rules] of urls) {
    const refusal = url === undefined ? undefined : refuseUrl(url, rules);
    if (refusal === undefined) continue;
    const isHttp = refusal.code === 'insecure_url' && !insecure.allowHttp;
    const hint = isHttp ? '`insecure: { allowHttp: true }` allows http on loopback' : refusal.hint;
    report.error(at, refusal.code, refusal.message, { hint });
  }
}

/** The audience that a provider puts into tokens for any resource. */
const sharedAudiences: Readonly<Partial<Record<NonNullable<IssuerContent['provider']>, string>>> = {
  keycloak: 'account',
};

function checkAudiences({ audiences, provider }: IssuerContent, spot: Spot, report: Report): void {
  // A Cognito token names no audience; its clients stand in for it.
  for (const [index, audience] of (audiences ?? []).entries()) {
    if (sharedAudiences[provider ?? 'generic'] !== audience) continue;
    const message = `every token of this provider has audience ${quote(audience)}, whatever it was issued for`;
    report.warn(within(spot, 'audiences', index), 'shared_audience', message);
  }
  if (audiences !== undefined || provider === 'cognito') return;
  if (spot.document.isLeftOut([...spot.path, 'audiences'])) return;
  report.error(spot, 'missing_field', '`audiences` is required');
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
