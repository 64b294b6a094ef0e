/**
 * Promises: what becomes of a recorded token that was opaque, or that no policy of then asked anybody about. What an issuer would say of it
 * is in no log.
 */
import { introspectorOf } from '../authorizer/introspector.ts';
import type { PolicySnapshot, Rule } from '../policy/snapshot.ts';
import type { RecordedDecision } from './record.ts';

interface Reasons {
  readonly reasons: ReadonlySet<string> | undefined;
  readonly unknown: readonly string[];
}

/** Undefined: nothing of the record says that the token was opaque. */
export function opaqueOutlook(record: RecordedDecision, snapshot: PolicySnapshot, rule: Rule): Reasons | undefined {
  if (!mayBeOpaque(record)) return undefined;
  const introspector = introspectorOf(snapshot, rule);
  if (introspector === undefined) {
    // A token of five parts was refused then and is now.
    return { reasons: new Set(['token_malformed']), unknown: [] };
  }
  return { reasons: undefined, unknown: [`what issuer ${introspector.name} says of a token that is no JWT`] };
}

function mayBeOpaque({ reason, detail }: RecordedDecision): boolean {
  if (reason === 'token_inactive' || detail?.startsWith('introspection: ') === true) return true;
  return reason === 'token_malformed' && (detail === undefined || detail === 'not three parts');
}
