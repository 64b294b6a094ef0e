/**
 * Promises: the settings of `serve`, complete and checked, with the unit in each name.
 * Leaves to others: how an operator gives them (serve-options.ts), and what they do.
 */
import type { PolicySource } from './policy-source.ts';
import type { ReplayStoreAddress } from './replay-store.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type LogFormat = 'json' | 'pretty';
export type DecisionLogMode = 'off' | 'denied' | 'all';

/** TLS of the gRPC listeners; PEM files. */
export interface GrpcTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients must show a certificate of one of these authorities; undefined: none is asked for. */
  readonly clientCaFile: string | undefined;
}

/** The webhook that API servers ask; PEM files. */
export interface AdmissionSettings {
  readonly address: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The memory of DPoP proofs that replicas share. */
export interface ReplayStoreSettings extends ReplayStoreAddress {
  /** Undefined: it asks for none. */
  readonly passwordFile: string | undefined;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly caFile: string | undefined;
}

export type TransportName = 'http2' | 'grpc-js';

export interface PlainSettings {
  /** At least one, none twice. */
  readonly policySources: readonly PolicySource[];
  /** Folder of the last good policy and keys; undefined: they are not kept. */
  readonly stateDir: string | undefined;
  /** Addresses as typed: `HOST:PORT`, `[v6]:PORT` or `unix:/path`; at least one. */
  readonly grpcAddresses: readonly string[];
  /** Permission bits of unix sockets. */
  readonly grpcSocketMode: number;
  readonly adminAddress: string;
  readonly logLevel: LogLevel;
  /** Undefined: pretty when stdout is a terminal, else json. */
  readonly logFormat: LogFormat | undefined;
  readonly decisionLog: DecisionLogMode;
  /** Share of allows that are logged with `decisionLog: 'all'`, 0 to 1. */
  readonly decisionLogSample: number;
  readonly decisionLogPerSecond: number;
  /** Subjects are logged as they are instead of hashed. */
  readonly logSubjects: boolean;
  readonly drainMs: number;
  readonly readyTimeoutMs: number;
  /** What speaks gRPC. */
  readonly transport: TransportName;
  readonly workers: number;
  readonly jwksRefreshMs: number;
  readonly jwksMinRefreshMs: number;
  readonly jwksCooldownMs: number;
  readonly jwksMaxStaleMs: number;
  /** Proofs remembered at one time. */
  readonly dpopReplayEntries: number;
  /** Undefined: a random key for each process. */
  readonly dpopNonceKeyFile: string | undefined;
  /** Undefined: the file that KUBECONFIG names, else the credentials of the pod. */
  readonly kubeconfigFile: string | undefined;
  readonly watchIdleTimeoutMs: number;
  readonly kubernetesEvents: 'on' | 'off';
  readonly maxTokenBytes: number;
  /** 0: verified tokens are not remembered. */
  readonly tokenCacheEntries: number;
  /** Longest gRPC message. */
  readonly maxMessageBytes: number;
  /** Of the gRPC listeners together. */
  readonly maxConnections: number;
}

export interface ServeSettings extends PlainSettings {
  /** Undefined: the listeners speak plain HTTP/2. */
  readonly grpcTls: GrpcTls | undefined;
  /** Undefined: there is no webhook. */
  readonly admission: AdmissionSettings | undefined;
  /** Undefined: each replica remembers on its own. */
  readonly dpopReplayStore: ReplayStoreSettings | undefined;
}

/** The value of each option, before options that belong together are joined. */
export interface OptionValues extends PlainSettings {
  readonly grpcTlsCertFile: string | undefined;
  readonly grpcTlsKeyFile: string | undefined;
  readonly grpcTlsClientCaFile: string | undefined;
  readonly admissionAddress: string | undefined;
  readonly admissionTlsCertFile: string | undefined;
  readonly admissionTlsKeyFile: string | undefined;
  readonly dpopReplayStore: ReplayStoreAddress | undefined;
  readonly dpopReplayStorePasswordFile: string | undefined;
  readonly dpopReplayStoreCaFile: string | undefined;
}
