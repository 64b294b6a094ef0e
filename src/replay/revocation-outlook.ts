/**
 * Promises: whether the revocations of the candidate hit a recorded token, at a cost that does not grow with the entries that name a token
 * or a client. `sub` is hashed in a log, `sid` and `iat` are not in it, `kid` is cut.
 */
import type { Revocation } from '../policy/revocation.ts';
import type { RecordedDecision } from './record.ts';

export interface RevocationOutlook {
  find(record: RecordedDecision): 'yes' | 'no' | { readonly lacks: string };
}

const maxKidCharacters = 64;

export function createRevocationOutlook(entries: readonly Revocation[]): RevocationOutlook {
  const byJti = group(entries, ({ jti }) => jti);
  const byClient = group(entries, ({ jti, clientId }) => (jti === undefined ? clientId : undefined));
  // Those that the log can tell first: one of them may settle it.
  const others = entries
    .filter(({ jti, clientId }) => jti === undefined && clientId === undefined)
    .toSorted((a, b) => hiddenFields(a).length - hiddenFields(b).length);

  function find(record: RecordedDecision): 'yes' | 'no' | { readonly lacks: string } {
    let lacks: string | undefined;
    for (const entry of candidates(record)) {
      const found = look(entry, record);
      if (found === 'yes') return 'yes';
      if (found !== 'no') lacks ??= found.lacks;
      // What follows has hidden fields too, and could at best say `perhaps` again.
      if (lacks !== undefined && hiddenFields(entry).length > 0 && isOther(entry)) break;
    }
    return lacks === undefined ? 'no' : { lacks };
  }

  function* candidates({ jti, clientId }: RecordedDecision): Generator<Revocation> {
    if (jti !== undefined) yield* byJti.get(jti) ?? [];
    if (clientId !== undefined) yield* byClient.get(clientId) ?? [];
    yield* others;
  }

  return { find };
}

function isOther({ jti, clientId }: Revocation): boolean {
  return jti === undefined && clientId === undefined;
}

function group(
  entries: readonly Revocation[],
  keyOf: (entry: Revocation) => string | undefined,
): ReadonlyMap<string, readonly Revocation[]> {
  const groups = new Map<string, Revocation[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (key === undefined) continue;
    const alike = groups.get(key) ?? [];
    alike.push(entry);
    groups.set(key, alike);
  }
  return groups;
}

function look(entry: Revocation, record: RecordedDecision): 'yes' | 'no' | { readonly lacks: string } {
  if (isOver(entry, record) || isForAnother(entry, record)) return 'no';
  const [hidden] = hiddenFields(entry);
  if (hidden !== undefined) return { lacks: hidden };
  return entry.until === undefined || record.time !== undefined ? 'yes' : { lacks: 'time' };
}

const shown = ['issuer', 'jti', 'clientId'] as const;

function isForAnother(entry: Revocation, record: RecordedDecision): boolean {
  if (shown.some((field) => entry[field] !== undefined && entry[field] !== record[field])) return true;
  const { kid, subject } = entry;
  if (kid !== undefined && kid.slice(0, maxKidCharacters) !== record.kid) return true;
  // A token without a subject has none in the log.
  return subject !== undefined && record.subject === undefined;
}

/** As of the time of the decision. */
function isOver({ until }: Revocation, { time }: RecordedDecision): boolean {
  return until !== undefined && time !== undefined && time >= until;
}

/** Fields of an entry, as the token names them, of which the log does not hold the value. */
function hiddenFields({ subject, sessionId, issuedBefore, kid }: Revocation): readonly string[] {
  const hidden: string[] = [];
  if (subject !== undefined) hidden.push('sub');
  if (sessionId !== undefined) hidden.push('sid');
  if (issuedBefore !== undefined) hidden.push('iat');
  if (kid !== undefined && kid.length >= maxKidCharacters) hidden.push('kid');
  return hidden;
}
