/**
 * Promises: the gRPC library writes nothing to the console; what it has to say goes where it is told. By itself it says errors only,
 * more when GRPC_VERBOSITY and GRPC_TRACE ask for it.
 */
import { setLogger } from '@grpc/grpc-js';

export type TransportLogLevel = 'error' | 'info' | 'debug';

export type TransportLog = (level: TransportLogLevel, text: string) => void;

/** For the whole process, because the library has one logger; the last call counts. */
export function redirectTransportLog(tell: TransportLog): void {
  const at =
    (level: TransportLogLevel) =>
    (...parts: unknown[]): void =>
      tell(level, parts.map(String).join(' '));
  setLogger({ error: at('error'), info: at('info'), debug: at('debug') });
}
