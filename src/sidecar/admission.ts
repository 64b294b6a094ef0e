/**
 * Promises: the validating webhook of `serve`: one policy is reviewed after the other, and reviews leave the process most of its time for
 * checks, whoever asks for them and however often.
 * Leaves to others: the answers (admission/), HTTPS (server/), what a policy is reviewed with (policy/).
 */
import { setTimeout } from 'node:timers/promises';
import { type Admission, admit, type ReviewPolicy } from '../admission/admit.ts';
import { createWebhookServer, type WebhookAnswer } from '../server/webhook.ts';
import type { Reporting } from './reporting.ts';

export interface AdmissionSettings {
  /** `HOST:PORT` or `[IPV6]:PORT`. Port 0: any free port. */
  readonly address: string;
  /** PEM files; read again when they change. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface AdmissionParts extends Pick<Reporting, 'log' | 'fault'> {
  readonly review: ReviewPolicy;
}

export interface RunningAdmission {
  /** The real one. */
  readonly address: string;
  /** Ends at once. */
  stop(): Promise<void>;
}

/** A ConfigMap holds 1 MiB; a review of an update holds the new one and the old one, as JSON. */
const maxBodyBytes = 4 * 1024 * 1024;

/** Reviews that wait for their turn; API servers ask for one each time somebody applies a policy. */
const maxWaiting = 8;

/** The longest pause after a review, in ms: longer than any takes, so that at most half of the time is spent on them. */
const maxPauseMs = 30_000;

/** Rejects with a ListenError or a TlsFileError, of one clear line. */
export async function startAdmission(settings: AdmissionSettings, parts: AdmissionParts): Promise<RunningAdmission> {
  const { log, fault } = parts;
  const server = createWebhookServer({
    address: settings.address,
    tls: { cert: settings.certFile, key: settings.keyFile },
    path: '/validate',
    maxBodyBytes,
    answer: createAnswer(parts),
    onFault: fault,
    onTlsProblem: ({ file, reason }) => log.error({ file, reason }, 'TLS file refused, the old ones stay'),
    onTlsReload: () => log.info('TLS files reloaded'),
  });
  return { address: await server.start(), stop: () => server.stop() };
}

function createAnswer({ review, log }: AdmissionParts): (body: Uint8Array) => Promise<WebhookAnswer> {
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function takeTurn(body: Uint8Array): Promise<Admission> {
    let startMs = 0;
    const answered = turn.then(() => {
      startMs = performance.now();
      return admit(body, review);
    });
    // Whoever waits for the answer does not wait for the pause; those behind do.
    const pause = (): Promise<void> =>
      setTimeout(Math.min(performance.now() - startMs, maxPauseMs), undefined, { ref: false });
    turn = answered.then(pause, pause);
    return answered;
  }

  return async (body) => {
    if (waiting >= maxWaiting) return { status: 503, body: '{"error":"overloaded"}\n' };
    waiting += 1;
    try {
      const { judged, ...answer } = await takeTurn(body);
      if (judged !== undefined) log.info(judged, 'policy reviewed');
      return answer;
    } finally {
      waiting -= 1;
    }
  };
}
