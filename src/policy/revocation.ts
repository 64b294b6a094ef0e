/**
 * Promises: whether an entry of `revocations` matches a token, at a cost that does not grow with the number of entries that name a
 * token, subject, client, session or key. Asked for every request, so that a new entry also ends tokens that are remembered.
 */

/** An entry of `revocations`: a token is revoked when every field that is set matches. Times are seconds since the epoch. */
export interface Revocation {
  /** Name of the issuer; undefined: any. */
  readonly issuer: string | undefined;
  readonly jti: string | undefined;
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  /** `sid` claim (OpenID Connect Back-Channel Logout 1.0 section 2.1). */
  readonly sessionId: string | undefined;
  readonly kid: string | undefined;
  /** Tokens whose `iat` is earlier or absent. */
  readonly issuedBefore: number | undefined;
  /** The entry has no effect from then on. */
  readonly until: number | undefined;
}

/** What an entry is compared with. */
export interface RevocableToken {
  readonly issuer: string;
  readonly jti: string | undefined;
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly sessionId: string | undefined;
  readonly kid: string | undefined;
  /** `iat`, in seconds. */
  readonly issuedAt: number | undefined;
}

export interface Revocations {
  readonly entries: readonly Revocation[];
  /** The first entry that matches, or undefined. `now` is in seconds since the epoch. */
  find(token: RevocableToken, now: number): Revocation | undefined;
}

/** The most telling field first: an entry is filed under the first of these that it has. */
const fields = ['jti', 'sessionId', 'subject', 'clientId', 'kid'] as const;
type Field = (typeof fields)[number];

export function createRevocations(entries: readonly Revocation[]): Revocations {
  const filed = new Map<Field, Map<string, Revocation[]>>();
  const others: Revocation[] = [];
  for (const entry of entries) file(entry, filed, others);

  function find(token: RevocableToken, now: number): Revocation | undefined {
    if (entries.length === 0) return undefined;
    for (const [field, byValue] of filed) {
      const value = token[field];
      const found = value === undefined ? undefined : byValue.get(value)?.find((entry) => matches(entry, token, now));
      if (found !== undefined) return found;
    }
    return others.find((entry) => matches(entry, token, now));
  }

  return { entries, find };
}

function file(entry: Revocation, filed: Map<Field, Map<string, Revocation[]>>, others: Revocation[]): void {
  const field = fields.find((name) => entry[name] !== undefined);
  const value = field === undefined ? undefined : entry[field];
  if (field === undefined || value === undefined) {
    others.push(entry);
    return;
  }
  const byValue = filed.get(field) ?? new Map<string, Revocation[]>();
  const alike = byValue.get(value) ?? [];
  alike.push(entry);
  filed.set(field, byValue.set(value, alike));
}

function matches(entry: Revocation, token: RevocableToken, now: number): boolean {
  if (entry.until !== undefined && now >= entry.until) return false;
  if (entry.issuer !== undefined && entry.issuer !== token.issuer) return false;
  if (fields.some((field) => entry[field] !== undefined && entry[field] !== token[field])) return false;
  const { issuedBefore } = entry;
  return issuedBefore === undefined || token.issuedAt === undefined || token.issuedAt < issuedBefore;
}
