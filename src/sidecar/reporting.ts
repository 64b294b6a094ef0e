/**
 * Promises: what the rooms tell becomes log lines and metrics, in one place, so that an operator reads the same words everywhere.
 */
import type { ServeSettings } from '../config/settings.ts';
import { explainFailure } from '../keyset/failure.ts';
import type { KeySetObserver } from '../keyset/ports.ts';
import { createDecisionLog, type DecisionLog } from '../telemetry/decision-log.ts';
import { backgroundDestination, createLog, unsilenced } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';

export type Log = ReturnType<typeof createLog>;

export interface Reporting {
  readonly log: Log;
  /** Logs whatever `--log-level` says. */
  readonly announce: (line: object, message: string) => void;
  readonly metrics: Metrics;
  readonly decisionLog: DecisionLog;
  /** A bug: logged with its stack. */
  readonly fault: (fault: unknown) => void;
  /** Writes what is left of the log. */
  readonly close: () => Promise<void>;
}

/** A log line is worth less than an end in time. */
const closeMs = 500;

/** One of several processes that share the listeners. */
export interface WorkerIdentity {
  /** From 1; in its log lines. */
  readonly worker: number;
  /** Of the hashes of subjects: equal ones belong together, whichever process writes them. */
  readonly subjectKey: Uint8Array;
}

export function createReporting(settings: ServeSettings, identity?: WorkerIdentity): Reporting {
  const metrics = createMetrics();
  const { logLevel: level, logFormat: format } = settings;
  const out = backgroundDestination(1, metrics.decisionLogDropped, settings.workers > 1);
  const common = createLog({ level, format, isTerminal: process.stdout.isTTY }, out);
  const announce = unsilenced(common);
  const log = identity === undefined ? common : common.child({ worker: identity.worker });
  const decisionLog = createDecisionLog(
    {
      mode: settings.decisionLog,
      sample: settings.decisionLogSample,
      linesPerSecond: settings.decisionLogPerSecond,
      logSubjects: settings.logSubjects,
      subjectKey: identity?.subjectKey,
    },
    {
      now: () => performance.now(),
      random: Math.random,
      write: (line) => announce(line, 'decision'),
      dropped: metrics.decisionLogDropped,
    },
  );
  const fault = (error: unknown): void => log.error({ err: error }, 'fault');
  return { log, announce, metrics, decisionLog, fault, close: () => out.close(closeMs) };
}

export interface KeyReportPorts {
  /** Readiness may be another one. */
  readonly changed: () => void;
  /** New keys are at hand. */
  readonly fetched: () => void;
  /** Where the keys of an issuer are configured to come from. */
  readonly sourceOf: (issuer: string) => string | undefined;
}

export function keyReports(
  { log, metrics, fault }: Reporting,
  { changed, fetched, sourceOf }: KeyReportPorts,
): KeySetObserver {
  /** What was logged last of each issuer's unused keys: the same set is fetched again and again. */
  const logged = new Map<string, string>();
  return {
    fetched: (issuer, result) => {
      metrics.jwksFetch(issuer, result);
      if (result === 'ok') {
        log.debug({ issuer }, 'keys fetched');
        fetched();
        return;
      }
      const reason = explainFailure(result);
      log.warn({ issuer, source: sourceOf(issuer), error: result, reason }, 'keys cannot be fetched');
    },
    ignored: (issuer, counts) => {
      const ignored = JSON.stringify([...counts]);
      if (counts.size > 0 && ignored !== logged.get(issuer)) {
        log.warn({ issuer, ignored: Object.fromEntries(counts) }, 'the issuer publishes keys that are not used');
      }
      logged.set(issuer, ignored);
    },
    changed,
    restored: (issuer, fetchedAt) => {
      const fetchedAtIso = new Date(fetchedAt).toISOString();
      log.info({ issuer, fetchedAt: fetchedAtIso }, 'keys of the saved state serve until the issuer answers');
      changed();
    },
    fault: (_issuer, error) => fault(error),
  };
}
