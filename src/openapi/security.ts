/**
 * Promises: what `security` of a document asks for, as something that a rule can say. Where it asks for more than Scopegate can check,
 * the operation is refused; where there are several ways to pass, those that can be checked are left.
 */
import { scopeToken } from '../policy/scope.ts';
import { quote } from '../policy/wording.ts';
import { type Access, type Alternative, anyOf, untranslated } from './access.ts';
import { type Cursor, isPlainMapping, items, members } from './cursor.ts';
import type { Findings } from './findings.ts';
import type { Issuers } from './issuers.ts';
import type { ImportOptions } from './options.ts';
import { createSchemes, type Schemes } from './schemes.ts';

/** Says what a `security` list means; undefined stands for a document that has none for an operation. */
export type ReadSecurity = (security: Cursor | undefined) => Access;

/** More ways to pass than anybody means; finding what a rule can say takes time that grows with their square. */
const maxAlternatives = 64;

export function createSecurityReader(
  root: Cursor,
  options: ImportOptions,
  { findings, issuers }: { readonly findings: Findings; readonly issuers: Issuers },
): ReadSecurity {
  const schemes = createSchemes(root, options, { findings, issuers });
  const context: Context = { schemes, options, findings };
  /** By the list itself: most operations share the one of the document. */
  const known = new Map<unknown, Access>();
  return (security) => {
    if (security === undefined) return unsecured(options);
    const access = known.get(security.value) ?? readSecurity(security, context);
    if (typeof security.value === 'object' && security.value !== null) known.set(security.value, access);
    return access;
  };
}

interface Context {
  readonly schemes: Schemes;
  readonly options: ImportOptions;
  readonly findings: Findings;
}

function unsecured({ unsecured: choice }: ImportOptions): Access {
  return choice === 'public' ? { kind: 'public' } : { kind: 'deny', why: 'unsecured' };
}

function readSecurity(security: Cursor, context: Context): Access {
  const { options, findings } = context;
  if (!Array.isArray(security.value) || security.value.length > maxAlternatives) {
    findings.error(security, 'security', `expected a list of at most ${maxAlternatives} security requirements`);
    return untranslated;
  }
  const read = items(security).map((cursor) => ({ cursor, meaning: readAlternative(cursor, context) }));
  const tokens = read.flatMap(({ cursor, meaning }) => (typeof meaning === 'string' ? [] : [{ cursor, meaning }]));
  const isElsewhere = read.some(({ meaning }) => meaning === 'elsewhere');
  const isOptional = read.length === 0 || read.some(({ meaning }) => meaning === 'nothing');
  if (tokens.length === 0) {
    if (isOptional) return unsecured(options);
    return isElsewhere ? { kind: 'public' } : untranslated;
  }
  if (!isOptional && !isElsewhere) return accessOf(tokens, findings);
  if (options.unsecured === 'public') {
    const message = 'a token is optional here, so the rule is public, and a token that comes is not looked at';
    findings.warn(security, 'optional_token', message);
    return { kind: 'public' };
  }
  findings.warn(security, 'optional_token', 'a token is optional here, the rule wants one all the same');
  return accessOf(tokens, findings);
}

interface TokenAlternative {
  readonly cursor: Cursor;
  readonly meaning: Alternative;
}

function accessOf(tokens: readonly TokenAlternative[], findings: Findings): Access {
  const { access, leftOut } = anyOf(tokens.map(({ meaning }) => meaning));
  for (const index of leftOut) {
    const left = tokens[index];
    if (left === undefined) continue;
    const hint = 'a rule says all of some scopes and one of some others; a condition (`when`) can say more';
    findings.warn(left.cursor, 'alternatives', 'one rule cannot say this beside the requirements before it', { hint });
  }
  return access;
}

/**
 * `nothing`: it asks for nothing at all; `elsewhere`: for nothing that is checked here; `never`: for what no request can show here.
 */
type Meaning = Alternative | 'nothing' | 'elsewhere' | 'never';

/** All schemes of one requirement must be satisfied, and a request has one token. */
function readAlternative(cursor: Cursor, { schemes, findings }: Context): Meaning {
  if (!isPlainMapping(cursor)) {
    findings.error(cursor, 'security', 'expected a mapping of scheme names, without merge keys');
    return 'never';
  }
  const named = members(cursor);
  const wanted = named.map(([name, scopes]) => readScheme(name, scopes, { schemes, findings }));
  if (named.length === 0) return 'nothing';
  if (wanted.includes('never')) return 'never';
  const tokens = wanted.filter((scheme) => typeof scheme !== 'string');
  const [first] = tokens;
  if (first === undefined) return 'elsewhere';
  if (tokens.some(({ issuer }) => issuer !== first.issuer)) {
    const hint = 'one issuer for all schemes that tell none: --issuer URL';
    findings.error(cursor, 'two_tokens', 'this asks for tokens of two issuers in one request', { hint });
    return 'never';
  }
  const scopes = new Set<string>();
  for (const token of tokens) for (const scope of token.scopes) scopes.add(scope);
  return { issuer: first.issuer, scopes };
}

function readScheme(
  name: string,
  scopes: Cursor,
  { schemes, findings }: Pick<Context, 'schemes' | 'findings'>,
): Alternative | 'elsewhere' | 'never' {
  const scheme = schemes(name, scopes);
  if (scheme === 'never' || scheme === 'elsewhere') return scheme;
  const list = items(scopes).map(({ value }) => value);
  const good = list.filter((scope) => typeof scope === 'string').filter((scope) => scopeToken.test(scope));
  if (!Array.isArray(scopes.value) || good.length < list.length) {
    findings.error(scopes, 'scope', 'expected a list of scopes, without spaces, quotes and backslashes');
    return 'never';
  }
  if (scheme.isRoles && good.length > 0) {
    const message = `what ${quote(name)} asks for is taken as scopes of the token`;
    findings.warn(scopes, 'roles', message, { hint: '`scopeClaim` of the issuer says where else to find them' });
  }
  return { issuer: scheme.issuer, scopes: new Set(good) };
}
