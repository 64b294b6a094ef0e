/**
 * Promises: the state of one selection out of lists and the lines of watches, delivered when it has changed and not otherwise.
 */
import type { WatchObserver } from './cluster-ports.ts';
import type { ConfigMap, ConfigMapSelection, SelectionState } from './config-map.ts';
import { Failure, oneLine, unanswered } from './failure.ts';
import { readWatchLine } from './read-config-map.ts';
import { areSame, createSelected } from './selected.ts';

export interface SelectionFeed {
  listed(configMaps: readonly ConfigMap[]): void;
  /** Lines that came together are delivered together; a Failure where the watch is of no further use. */
  heard(lines: readonly string[]): Failure | undefined;
  unavailable(reason: string): void;
}

/** `ignored` is told what was none of our business. */
export function createSelectionFeed(
  selection: ConfigMapSelection,
  told: WatchObserver,
  ignored: (what: string) => void,
): SelectionFeed {
  const selected = createSelected();
  let delivered: SelectionState | undefined;

  function deliver(state: SelectionState): void {
    if (delivered !== undefined && isSameState(state, delivered)) return;
    delivered = state;
    told.deliver(state);
  }

  function deliverContent(): void {
    deliver({ kind: 'content', configMaps: selected.all() });
  }

  function take(line: string): Failure | undefined {
    const message = readWatchLine(line, selection);
    if (message === undefined) return unanswered('a line of the watch is not an event');
    if (message.kind === 'error') return new Failure({ code: message.code, reason: oneLine(message.message) });
    if (message.kind === 'foreign') ignored(message.what);
    else told.heard();
    selected.apply(message);
    return undefined;
  }

  function heard(lines: readonly string[]): Failure | undefined {
    let end: Failure | undefined;
    for (const line of lines) {
      end = take(line);
      if (end !== undefined) break;
    }
    if (lines.length > 0) deliverContent();
    return end;
  }

  return {
    listed: (configMaps) => {
      selected.replaceAll(configMaps);
      deliverContent();
    },
    heard,
    unavailable: (reason) => deliver({ kind: 'unavailable', reason }),
  };
}

function isSameState(a: SelectionState, b: SelectionState): boolean {
  if (a.kind === 'unavailable') return b.kind === 'unavailable' && a.reason === b.reason;
  return b.kind === 'content' && areSame(a.configMaps, b.configMaps);
}
