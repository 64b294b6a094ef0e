/**
 * Promises: the keys of every issuer of the policy, each isolated from the others (BCP-08): own set, own attempts, own cool-down.
 * The one door through which a check may wait for I/O.
 */
import { Stop } from '../decision/step.ts';
import type { Issuer } from '../token/issuer.ts';
import type { ResolveKeys } from '../token/key.ts';
import { IssuerKeys, type KeySetStatus } from './issuer-keys.ts';
import { sourceIdentity } from './key-source.ts';
import type { KeySetPorts } from './ports.ts';
import type { RefreshOptions } from './refresh.ts';
import type { SavedJwks } from './saved-jwks.ts';

export interface KeySets {
  readonly resolve: ResolveKeys;
  /** Takes over the issuers of a new policy: keeps those whose source is the same, drops those that are gone, fetches new ones. */
  update(issuers: Iterable<Issuer>): void;
  /** By the issuer's name in the policy; of tenants that share one, what is worst. */
  status(): ReadonlyMap<string, KeySetStatus>;
  /** What to serve with after a restart while an issuer is away, by where it came from. */
  toSave(): ReadonlyMap<string, SavedJwks>;
  /** Ends fetching; keys at hand keep serving. */
  stop(): void;
}

/** One issuer's keys, with where they come from. */
interface Entry {
  readonly name: string;
  readonly source: string;
  readonly keys: IssuerKeys;
}

export function createKeySets(options: RefreshOptions, ports: KeySetPorts): KeySets {
  let entries: ReadonlyMap<string, Entry> = new Map();
  let isStopped = false;
  // By object, so that a request costs one look-up; a check that holds an older policy still finds the keys of its issuers.
  const keysOf = new WeakMap<Issuer, IssuerKeys>();

  function update(issuers: Iterable<Issuer>): void {
    if (isStopped) return;
    const next = new Map<string, Entry>();
    for (const issuer of issuers) {
      const source = sourceIdentity(issuer);
      // Tenants share a name, and what is told of an issuer is told by its name.
      const label = JSON.stringify([issuer.name, issuer.issuer]);
      const known = entries.get(label);
      const entry =
        known?.source === source ? known : { name: issuer.name, source, keys: new IssuerKeys(issuer, options, ports) };
      next.set(label, entry);
      keysOf.set(issuer, entry.keys);
    }
    for (const [label, entry] of entries) {
      if (next.get(label) !== entry) entry.keys.stop();
    }
    entries = next;
  }

  const resolve: ResolveKeys = (issuer, hint, waitMs) => {
    // The caller has looked at the allow-list; a key set holds keys for other algorithms too, so the last door looks again (ALG-01).
    if (!issuer.algorithms.has(hint.algorithm))
      return new Stop('key_unknown', 'the algorithm is not the one of the issuer');
    const keys = keysOf.get(issuer);
    return keys === undefined
      ? new Stop('keys_unavailable', 'the issuer is not in the policy')
      : keys.resolve(hint, waitMs);
  };

  function status(): ReadonlyMap<string, KeySetStatus> {
    const found = new Map<string, KeySetStatus>();
    for (const { name, keys } of entries.values()) {
      const other = found.get(name);
      found.set(name, other === undefined ? keys.status() : worst(other, keys.status()));
    }
    return found;
  }

  function toSave(): ReadonlyMap<string, SavedJwks> {
    const saved = new Map<string, SavedJwks>();
    for (const { source, keys } of entries.values()) {
      const worth = keys.toSave();
      if (worth !== undefined) saved.set(source, worth);
    }
    return saved;
  }

  function stop(): void {
    isStopped = true;
    for (const { keys } of entries.values()) keys.stop();
  }

  return { resolve, update, status, toSave, stop };
}

function worst(a: KeySetStatus, b: KeySetStatus): KeySetStatus {
  const ages = [a.ageSeconds, b.ageSeconds].filter((age) => age !== undefined);
  return {
    hasKeys: a.hasKeys && b.hasKeys,
    ageSeconds: ages.length === 0 ? undefined : Math.max(...ages),
    lastError: a.lastError ?? b.lastError,
  };
}
