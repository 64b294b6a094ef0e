/**
 * Promises: `grpc.health.v1` for the whole server and for the Authorization service, which always say the same; NOT_SERVING first.
 * Leaves to others: when we are serving.
 */
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { healthNames } from './health-names.ts';

export interface Health {
  setServing(isServing: boolean): void;
  /** Ends every Watch stream; an open one would hold its connection, and with it a shutdown, for ever. */
  endWatches(): void;
}

type WatchCall = ServerWritableStream<{ readonly service: string }, unknown>;

/** Adds health to the server. */
export function addHealthService(server: Server): Health {
  const health = new HealthImplementation(
    Object.fromEntries(healthNames.map((name) => [name, 'NOT_SERVING' as const])),
  );
  const watches = new Set<WatchCall>();
  health.addToServer({
    addService: (definition, implementation) => {
      const { watch } = implementation;
      server.addService(definition, {
        ...implementation,
        watch: (call: WatchCall) => {
          watches.add(call);
          call.once('cancelled', () => watches.delete(call));
          if (watch !== undefined && healthNames.includes(call.request.service)) {
            Reflect.apply(watch, implementation, [call]);
          } else {
            // Answered here, because the package would remember every name that a client ever thinks of.
            call.write({ status: 'SERVICE_UNKNOWN' });
          }
        },
      });
    },
  });
  return {
    setServing: (isServing) => {
      for (const name of healthNames) {
        health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
      }
    },
    endWatches: () => {
      for (const call of watches) {
        call.end();
      }
    },
  };
}
