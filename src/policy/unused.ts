/**
 * Promises: a warning for each issuer and each client that nothing of the policy uses, and for none that a mistake may hide the use of.
 */
import type { CompiledClient } from './compile-clients.ts';
import type { CompiledIssuer } from './compile-issuers.ts';
import type { CompiledRule } from './compile-rules.ts';
import type { PolicyDocument } from './document.ts';
import type { KnownNames } from './known-names.ts';
import { type Report, within } from './report.ts';
import { quote } from './wording.ts';

export interface Usable {
  readonly issuers: readonly CompiledIssuer[];
  readonly clients: readonly CompiledClient[];
  readonly rules: readonly CompiledRule[];
}

interface Naming {
  readonly names: KnownNames;
  readonly documents: readonly PolicyDocument[];
  readonly report: Report;
}

export function warnUnused({ issuers, clients, rules }: Usable, naming: Naming): void {
  // A rule that is left out, or a name that is misspelled, may have been meant for any of them.
  if (naming.documents.some(({ isDamaged, isLeftOut }) => isDamaged(['rules']) || isLeftOut(['rules']))) return;
  warnUnusedClients(clients, naming);
  warnUnusedIssuers(issuers, rules, { ...naming, ofClients: clients.map(({ issuerName }) => issuerName) });
}

/** It gets no token, so its mistakes would show only when a rule comes to use it. */
function warnUnusedClients(clients: readonly CompiledClient[], { names, documents, report }: Naming): void {
  const injected = new Set(
    documents.flatMap(({ content }) => content.rules?.flatMap(({ inject }) => inject ?? []) ?? []),
  );
  if ([...injected].some((name) => names.clients?.has(name) === false)) return;
  for (const { name, spot } of clients) {
    if (injected.has(name)) continue;
    report.warn(within(spot, 'name'), 'unused_client', `no rule injects a token of client ${quote(name)}`);
  }
}

function warnUnusedIssuers(
  issuers: readonly CompiledIssuer[],
  rules: readonly CompiledRule[],
  { names, report, ofClients }: Naming & { readonly ofClients: readonly string[] },
): void {
  const used = new Set(ofClients);
  if (ofClients.some((name) => names.issuers?.has(name) === false)) return;
  for (const { rule } of rules) {
    if (rule.access !== 'token') continue;
    if (rule.issuers === undefined) return;
    for (const name of rule.issuers) {
      if (names.issuers?.has(name) === false) return;
      used.add(name);
    }
  }
  for (const { issuer, spot } of issuers) {
    if (used.has(issuer.name)) continue;
    // Once for all tenants of an entry.
    used.add(issuer.name);
    report.warn(within(spot, 'name'), 'unused_issuer', `no rule uses issuer ${quote(issuer.name)}`);
  }
}
