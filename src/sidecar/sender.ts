/**
 * Promises: the check of senders as `serve` runs it, with the memory of proofs and the keys of nonces that the settings ask for. What happens
 * to either is told in log and metrics.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers';
import { createSenderCheck, type SenderCheck } from '../authorizer/sender.ts';
import { createVerificationLane } from '../authorizer/verification-lane.ts';
import type { ReplayStoreSettings, ServeSettings } from '../config/settings.ts';
import type { StoreObserver } from '../proofs/ports.ts';
import type { SharedProofMemory } from '../proofs/shared-memory.ts';
import { createNonceSealer } from '../token/dpop-nonce.ts';
import { createLocalProofMemory, type ProofMemory } from '../token/proof-memory.ts';
import { type WatchedNonces, watchNonceKeys } from './nonce-keys.ts';
import type { Reporting } from './reporting.ts';
import { scheduleAfterReads } from './timing.ts';

export interface SystemSender {
  readonly check: SenderCheck;
  /** What `check` asks, for other processes that ask it too. */
  readonly memory: ProofMemory;
  close(): void;
}

/** What processes have in common that share the listeners. */
export interface SharedSender {
  readonly memory: ProofMemory;
  /** Of nonces, where no file holds any. */
  readonly nonceKey: Uint8Array;
}

/** Rejects with an error of one clear line when the file of nonce keys is bad. The store is not waited for. */
export async function openSender(
  settings: ServeSettings,
  reporting: Reporting,
  shared?: SharedSender,
): Promise<SystemSender> {
  const watched = await openNonces(settings.dpopNonceKeyFile, reporting, shared?.nonceKey ?? randomBytes(32));
  const { memory, close } =
    shared === undefined
      ? await openMemory(createLocalProofMemory(settings.dpopReplayEntries), settings.dpopReplayStore, reporting)
      : { memory: shared.memory, close: () => undefined };
  const check = createSenderCheck({
    memory: counted(memory, reporting),
    nonces: watched.nonces,
    lane: createVerificationLane({ now: () => performance.now(), nextTurn: (task) => void nextTurn(task) }),
    now: Date.now,
  });
  return {
    check,
    memory,
    close: () => {
      watched.stop();
      close();
    },
  };
}

async function openNonces(
  file: string | undefined,
  { log, fault }: Reporting,
  nonceKey: Uint8Array,
): Promise<WatchedNonces> {
  if (file === undefined) {
    return { nonces: createNonceSealer([nonceKey]), stop: () => undefined };
  }
  return watchNonceKeys(file, {
    schedule: scheduleAfterReads,
    onReload: (count) => log.info({ file, keys: count }, 'nonce keys reloaded'),
    onProblem: (reason) => log.error({ file, reason }, 'nonce keys refused, the old ones stay'),
    onFault: fault,
  });
}

interface OpenedMemory {
  readonly memory: ProofMemory;
  readonly close: () => void;
}

/** Whoever shares no store loads no client of one. */
async function openMemory(
  local: ProofMemory,
  store: ReplayStoreSettings | undefined,
  reporting: Reporting,
): Promise<OpenedMemory> {
  if (store === undefined) return { memory: local, close: () => undefined };
  const [{ createSharedMemory }, { createLayeredMemory }, { redisStore }] = await Promise.all([
    import('../proofs/shared-memory.ts'),
    import('../proofs/layered-memory.ts'),
    import('../proofs/redis-connection.ts'),
  ]);
  const observe = observer(store, reporting);
  const shared: SharedProofMemory = createSharedMemory({
    open: redisStore(store),
    schedule: scheduleAfterReads,
    random: Math.random,
    observe,
  });
  return { memory: createLayeredMemory(local, shared), close: () => shared.close() };
}

function observer({ host, port }: ReplayStoreSettings, { log, metrics, fault }: Reporting): StoreObserver {
  const store = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  /** Attempts follow each other for as long as an outage lasts: each reason is one line. */
  let lastReason: string | undefined;
  metrics.proofs.storeUp(false);
  return {
    connected: ({ evictionPolicy }) => {
      lastReason = undefined;
      metrics.proofs.storeUp(true);
      log.info({ store }, 'proof store connected');
      if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
        log.warn(
          { store, policy: evictionPolicy },
          'proof store may forget proofs early: set maxmemory-policy noeviction',
        );
      }
    },
    lost: (reason) => {
      metrics.proofs.storeUp(false);
      log.warn({ store, reason }, 'proof store lost, DPoP is answered 503');
    },
    unreachable: (reason) => {
      if (reason === lastReason) return;
      lastReason = reason;
      log.warn({ store, reason }, 'proof store cannot be reached, DPoP is answered 503');
    },
    fault,
  };
}

function counted(memory: ProofMemory, { metrics }: Reporting): ProofMemory {
  return {
    remember: async (proof, nowMs) => {
      const novelty = await memory.remember(proof, nowMs);
      metrics.proofs.remembered(novelty);
      return novelty;
    },
  };
}
