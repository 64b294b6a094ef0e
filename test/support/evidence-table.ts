/**
 * Promises: the table of docs/explain-and-replay.md, as it follows from `evidence`.
 */
import { compile } from '../../src/policy/compile.ts';
import { parseDocuments } from '../../src/policy/document.ts';
import { type EvidenceRow, evidence } from '../../src/replay/evidence.ts';

const noCurrent = 'undecidable without `--current` where the candidate has no issuer of its name';

const known: Readonly<Record<EvidenceRow['sawUpTo'], string>> = {
  nothing: 'nothing: no policy was asked',
  path: 'that the path, host or method was refused',
  rule: 'the request; credentials were not looked at',
  credentials: 'the request, and credentials that no policy would take',
  unverified: 'the request; whose token it was was not verified',
  verified: 'the request, issuer, client and scopes',
};

const consequences: Readonly<Record<EvidenceRow['sawUpTo'], string>> = {
  nothing: 'undecidable',
  path: 'the same; undecidable where a path with `;` may now be kept',
  rule: 'decided by `public`, `deny` or no rule; a rule that wants a token: undecidable',
  credentials: 'decided, a rule that wants a token refuses them again',
  unverified: '',
  verified: `decided, but for what claims and conditions say; ${noCurrent}`,
};

function consequenceOf({ sawUpTo, settings, repeats }: EvidenceRow): string {
  if (settings === 'open')
    return 'a rule that wants a token: undecidable, unless `--current` shows that the issuer is as it was';
  if (settings === 'taken' && sawUpTo === 'unverified')
    return 'a rule that wants a token refuses it, surely for this reason only if `--current` shows that all issuers are as they were and the rule takes the tokens of all; undecidable otherwise';
  if (settings === 'taken')
    return `a rule that wants a token refuses it again, unless \`--current\` shows that the issuer is not as it was; ${noCurrent}`;
  return repeats === true ? `a rule that wants a token refuses it again; ${noCurrent}` : consequences[sawUpTo];
}

export function evidenceTable(): string {
  const rows = Map.groupBy(Object.entries(evidence), ([, row]) => `${known[row.sawUpTo]} | ${consequenceOf(row)}`);
  const lines = [...rows].map(
    ([cells, reasons]) => `| ${reasons.map(([reason]) => `\`${reason}\``).join(', ')} | ${cells} |`,
  );
  return ['| recorded reason | what the log tells | decided again |', '|---|---|---|', ...lines].join('\n');
}

export function policyHash(text: string): string {
  return compile(parseDocuments({ name: 'policy.yaml', text }).documents).snapshot?.hash ?? '';
}
