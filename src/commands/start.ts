/**
 * Promises: the sidecar is loaded when it is started and not before, so that help and mistakes are answered at once.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { Running } from './serve.ts';

/** `program`: the file that this process runs. */
export async function startLoaded(settings: ServeSettings, program: string): Promise<Running> {
  const { startSidecar } = await import('../sidecar/sidecar.ts');
  if (settings.workers === 1) return startSidecar(settings);
  const { serveByWorkers } = await import('../workers/shared-serving.ts');
  return startSidecar(settings, serveByWorkers(program));
}

/** This process as a worker; undefined: no other process of ours has started it. */
export function workerOf(process: NodeJS.Process): (() => Promise<number>) | undefined {
  if (process.send === undefined) return undefined;
  return async () => {
    // The primary is told to end, by whoever sends signals to all processes of a terminal, and tells us.
    process.on('SIGTERM', ignore).on('SIGINT', ignore);
    const { runWorker } = await import('../workers/worker.ts');
    return runWorker({
      // The primary may be gone; `disconnect` tells.
      send: (message, sent = ignore) => void process.send?.(message, undefined, undefined, sent),
      onMessage: (listener) => void process.on('message', listener),
      onDisconnect: (listener) => void process.on('disconnect', listener),
    });
  };
}

function ignore(): void {}
