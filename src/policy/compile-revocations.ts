/**
 * Promises: the entries of `revocations` of all documents, each of which names a token, a group of tokens or a time, so that no entry
 * revokes every token by an oversight.
 * Leaves to others: which token an entry matches (revocation.ts).
 */
import type { PolicyDocument } from './document.ts';
import { checkKnown, type KnownNames } from './known-names.ts';
import { type Report, type Spot, within } from './report.ts';
import type { Revocation } from './revocation.ts';
import type { RevocationContent } from './schema.ts';
import { timestampSeconds } from './timestamp.ts';

export function compileRevocations(
  documents: readonly PolicyDocument[],
  names: KnownNames,
  report: Report,
): readonly Revocation[] {
  return documents.flatMap((document) =>
    (document.content.revocations ?? []).map((content, index) =>
      compileRevocation(content, { document, path: ['revocations', index] }, names, report),
    ),
  );
}

/** An issuer alone would be all of its tokens: that is what removing it from the policy is for. */
const tellingFields = ['jti', 'sub', 'clientId', 'sid', 'kid', 'issuedBefore'] as const;

function compileRevocation(content: RevocationContent, spot: Spot, names: KnownNames, report: Report): Revocation {
  const { issuer, jti, sub, clientId, sid, kid, issuedBefore, until } = content;
  const isTelling = tellingFields.some((field) => content[field] !== undefined) || spot.document.isDamaged(spot.path);
  if (!isTelling) {
    const fields = tellingFields.map((field) => `\`${field}\``).join(', ');
    report.error(spot, 'revocation', `expected at least one of ${fields}`);
  }
  checkKnown(issuer, { kind: 'issuer', known: names.issuers }, within(spot, 'issuer'), report);
  return {
    issuer,
    jti,
    subject: sub,
    clientId,
    sessionId: sid,
    kid,
    issuedBefore: compileTime(issuedBefore, within(spot, 'issuedBefore'), report),
    until: compileTime(until, within(spot, 'until'), report),
  };
}

/** Seconds since the epoch. */
export function compileTime(text: string | undefined, spot: Spot, report: Report): number | undefined {
  if (text === undefined) return undefined;
  const seconds = timestampSeconds(text);
  if (seconds === undefined) report.error(spot, 'wrong_value', 'expected a time that is on the calendar and the clock');
  return seconds;
}
