/**
 * Promises: the gRPC server of one process with all that a check goes through, joined. Where policy, keys and memory come from is the
 * caller's affair.
 */
import { setImmediate as nextTurn } from 'node:timers';
import { createAuthorizer } from '../authorizer/authorize.ts';
import type { SenderCheck } from '../authorizer/sender.ts';
import { createTokenVerifier } from '../authorizer/token-verifier.ts';
import { createVerificationLane, type LanePorts } from '../authorizer/verification-lane.ts';
import { type Check, type CheckPorts, createCheck, createOverloaded } from '../check.ts';
import type { ServeSettings } from '../config/settings.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { createGrpcServer, type GrpcServer } from '../server/grpc.ts';
import type { Introspect } from '../token/introspected.ts';
import type { ResolveKeys } from '../token/key.ts';
import type { ResolveClientToken } from '../token/oauth-client.ts';
import type { Reporting } from './reporting.ts';

/** What checks ask. */
export interface CheckSources {
  readonly policy: () => PolicySnapshot | undefined;
  readonly resolveKeys: ResolveKeys;
  readonly clientToken: ResolveClientToken;
  readonly introspect: Introspect;
  readonly checkSender: SenderCheck;
}

export function createCheckServer(settings: ServeSettings, reporting: Reporting, sources: CheckSources): GrpcServer {
  const { log, fault } = reporting;
  const { grpcTls, grpcAddresses: addresses, grpcSocketMode: socketMode } = settings;
  return createGrpcServer({
    addresses,
    socketMode,
    maxMessageBytes: settings.maxMessageBytes,
    maxConnections: settings.maxConnections,
    ...checkOf(settings, reporting, sources),
    transport: settings.transport,
    onFault: fault,
    tls: grpcTls && { cert: grpcTls.certFile, key: grpcTls.keyFile, clientCa: grpcTls.clientCaFile },
    onTlsProblem: ({ file, reason }) => log.error({ file, reason }, 'TLS file refused, the old ones stay'),
    onTransportLog: (level, text) => log[level]({ text }, 'gRPC library'),
    onTlsReload: () => log.info('TLS files reloaded'),
  });
}

const lanePorts: LanePorts = { now: () => performance.now(), nextTurn: (task) => void nextTurn(task) };

interface Checks {
  readonly check: Check;
  readonly overloaded: () => Uint8Array;
}

function checkOf(settings: ServeSettings, reporting: Reporting, sources: CheckSources): Checks {
  const { metrics, decisionLog, fault } = reporting;
  const { policy, resolveKeys, clientToken, introspect, checkSender } = sources;
  const lane = createVerificationLane(lanePorts);
  const verify = createTokenVerifier({ resolveKeys, introspect, lane, now: Date.now }, settings);
  const authorizer = createAuthorizer({ policy, verify, checkSender, clientToken, now: Date.now });
  const observe: CheckPorts['observe'] = (request, decision, elapsedMs) => {
    metrics.checkDone(decision, elapsedMs / 1000);
    decisionLog(request, decision, elapsedMs * 1000);
  };
  const check = createCheck({ authorizer, monotonicMs: () => performance.now(), observe, onFault: fault });
  return { check, overloaded: createOverloaded({ authorizer, observe }) };
}
