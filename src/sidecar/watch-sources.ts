/**
 * Promises: every source of the policy watched, each in its way. An API server that does not answer holds files back for a moment at start,
 * and no longer.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { Cluster } from '../kubernetes/cluster-ports.ts';
import { watchPath } from '../source/watch-path.ts';
import { systemWatchPorts } from '../source/watch-ports.ts';
import { watchConfigMaps } from './cluster-sources.ts';
import { ofPath } from './origin.ts';
import type { PolicyFeed } from './policy-feed.ts';
import type { Reporting } from './reporting.ts';

/** How long every source is waited for before any is offered, in ms. */
const firstAnswerMs = 3000;

export interface WatchSourcesParts {
  readonly feed: PolicyFeed;
  /** Undefined where no source needs one. */
  readonly cluster: Cluster | undefined;
}

export function watchSources(
  { policySources }: ServeSettings,
  reporting: Reporting,
  { feed, cluster }: WatchSourcesParts,
): { close(): void } {
  const patience = setTimeout(() => feed.waitNoLonger(), firstAnswerMs).unref();
  const watches = policySources.flatMap((source) => {
    const { kind, text } = source;
    if (kind === 'path') {
      const ports = systemWatchPorts(reporting.fault);
      return [watchPath(source.path, (state) => feed.deliver(text, ofPath(text, state)), ports)];
    }
    return cluster === undefined ? [] : [watchConfigMaps(source, { cluster, feed, reporting, now: Date.now })];
  });
  return {
    close: () => {
      clearTimeout(patience);
      for (const watch of watches) watch.close();
    },
  };
}
