/**
 * Promises: all listeners of `serve` started, or none: a second try with other settings must not find an address taken by the first.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { AdminServer } from '../server/admin.ts';
import { type RunningAdmission, startAdmission } from './admission.ts';
import type { Reporting } from './reporting.ts';
import type { Serving } from './serving.ts';

export interface Listening {
  /** Real addresses, in the order of the settings. */
  readonly grpc: readonly string[];
  readonly admin: string;
  /** Absent without a webhook. */
  readonly admission?: string;
  readonly stopAdmission: () => Promise<void>;
}

interface Listeners {
  readonly store: PolicyStore;
  readonly server: Pick<Serving, 'start' | 'stop'>;
  readonly admin: AdminServer;
}

/** Rejects with an error of one clear line. */
export async function listen(
  settings: ServeSettings,
  reporting: Reporting,
  { store, server, admin }: Listeners,
): Promise<Listening> {
  const grpc = await server.start();
  try {
    const adminAddress = await admin.start();
    const admission = await startWebhook(settings, reporting, store);
    if (admission === undefined) return { grpc, admin: adminAddress, stopAdmission: async () => {} };
    return { grpc, admin: adminAddress, admission: admission.address, stopAdmission: () => admission.stop() };
  } catch (error) {
    await Promise.all([server.stop(), admin.stop()]);
    throw error;
  }
}

async function startWebhook(
  { admission }: ServeSettings,
  { log, fault }: Reporting,
  store: PolicyStore,
): Promise<RunningAdmission | undefined> {
  return admission && startAdmission(admission, { review: (source, files) => store.review(source, files), log, fault });
}
