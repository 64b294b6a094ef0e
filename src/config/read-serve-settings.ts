/**
 * Promises: flags and environment become settings, or every mistake in them at once, each with the flag or variable it is in.
 * A flag wins over its variable. Pure: nothing is looked up in the process, on disk or on the network.
 */
import { environmentName, type ServeOption, serveOptions } from './serve-options.ts';
import type { AdmissionSettings, GrpcTls, OptionValues, ServeSettings } from './settings.ts';

/** The texts given for each flag (`--drain`), in order; a switch has the text `true`. */
export type Flags = ReadonlyMap<string, readonly string[]>;

export type Environment = Readonly<Record<string, string | undefined>>;

export type ReadSettings = { readonly settings: ServeSettings } | { readonly errors: readonly string[] };

type Draft = { -readonly [K in keyof OptionValues]?: OptionValues[K] };

interface Given {
  /** What a message names. */
  readonly where: string;
  readonly texts: readonly string[];
}

export function readServeSettings(flags: Flags, environment: Environment): ReadSettings {
  const draft: Draft = {};
  const errors: string[] = [];
  forEachKey(serveOptions, (key) => {
    const given = givenTexts(serveOptions[key], flags, environment);
    const problem = readOption(draft, key, serveOptions[key], given.texts);
    if (problem !== undefined) {
      errors.push(`${given.where}: ${problem}`);
    }
  });
  errors.push(...tlsErrors(draft), ...replayStoreErrors(draft));
  return errors.length > 0 || !isComplete(draft) ? { errors } : { settings: join(draft) };
}

function join(values: OptionValues): ServeSettings {
  const { grpcTlsCertFile, grpcTlsKeyFile, grpcTlsClientCaFile, ...rest } = values;
  const { admissionAddress, admissionTlsCertFile, admissionTlsKeyFile, ...others } = rest;
  const { dpopReplayStore: address, dpopReplayStorePasswordFile, dpopReplayStoreCaFile, ...plain } = others;
  const grpcTls = joinTls(grpcTlsCertFile, grpcTlsKeyFile, grpcTlsClientCaFile);
  const admission = joinAdmission(admissionAddress, admissionTlsCertFile, admissionTlsKeyFile);
  const storeFiles = { passwordFile: dpopReplayStorePasswordFile, caFile: dpopReplayStoreCaFile };
  const dpopReplayStore = address && Object.freeze({ ...address, ...storeFiles });
  return Object.freeze({ ...plain, grpcTls, admission, dpopReplayStore });
}

function readOption<K extends keyof OptionValues>(
  draft: Draft,
  key: K,
  option: ServeOption<OptionValues[K]>,
  texts: readonly string[],
): string | undefined {
  const parsed = option.parse(texts);
  if ('problem' in parsed) {
    return parsed.problem;
  }
  draft[key] = parsed.value;
  return undefined;
}

/** An empty variable counts as unset: manifests and compose files have no other way to unset one. */
function givenTexts(option: ServeOption<unknown>, flags: Flags, environment: Environment): Given {
  const flagTexts = flags.get(option.flag);
  if (flagTexts !== undefined) {
    return { where: option.flag, texts: flagTexts };
  }
  const variable = environmentName(option.flag);
  const text = environment[variable]?.trim() ?? '';
  if (text !== '') {
    return { where: variable, texts: option.repeatable ? text.split(/\s+/) : [text] };
  }
  return { where: option.flag, texts: option.defaultText === undefined ? [] : [option.defaultText] };
}

interface KeyPair {
  readonly cert: 'grpcTlsCertFile' | 'admissionTlsCertFile';
  readonly key: 'grpcTlsKeyFile' | 'admissionTlsKeyFile';
}

const grpcPair: KeyPair = { cert: 'grpcTlsCertFile', key: 'grpcTlsKeyFile' };
const admissionPair: KeyPair = { cert: 'admissionTlsCertFile', key: 'admissionTlsKeyFile' };

/** Half of a key pair is a mistake, never a reason to fall back to plain text. */
function tlsErrors(draft: Draft): readonly string[] {
  const [hasGrpcPair, grpcErrors] = pairErrors(draft, grpcPair);
  const [hasAdmissionPair, admissionErrors] = pairErrors(draft, admissionPair);
  const { grpcTlsClientCaFile, admissionAddress, admissionTlsCertFile } = serveOptions;
  return [
    ...grpcErrors,
    ...(hasGrpcPair === false && draft.grpcTlsClientCaFile !== undefined
      ? [`${grpcTlsClientCaFile.flag}: expected ${bothFlags(grpcPair)} beside it`]
      : []),
    ...admissionErrors,
    ...(hasAdmissionPair === false && draft.admissionAddress !== undefined
      ? [`${admissionAddress.flag}: expected ${bothFlags(admissionPair)} beside it, API servers speak HTTPS only`]
      : []),
    ...(hasAdmissionPair === true && Object.hasOwn(draft, 'admissionAddress') && draft.admissionAddress === undefined
      ? [`${admissionTlsCertFile.flag}: expected ${admissionAddress.flag} beside it`]
      : []),
  ];
}

/** Whether both are there, and what is wrong if only one is; undefined: one of them is ill-formed. */
function pairErrors(draft: Draft, { cert, key }: KeyPair): readonly [has: boolean | undefined, readonly string[]] {
  if (!Object.hasOwn(draft, cert) || !Object.hasOwn(draft, key)) return [undefined, []];
  const [hasCert, hasKey] = [draft[cert] !== undefined, draft[key] !== undefined];
  if (hasCert === hasKey) return [hasCert, []];
  const [present, missing] = hasCert ? [cert, key] : [key, cert];
  const [flag, other] = [serveOptions[present].flag, serveOptions[missing].flag];
  return [undefined, [`${flag}: expected ${other} beside it, a certificate and its key come together`]];
}

/** Files of a store that is not used, or not in that way, are a mistake: it would pass unnoticed otherwise. */
function replayStoreErrors(draft: Draft): readonly string[] {
  if (!Object.hasOwn(draft, 'dpopReplayStore')) return [];
  const { dpopReplayStore: store, dpopReplayStorePasswordFile: passwordFile, dpopReplayStoreCaFile: caFile } = draft;
  const { dpopReplayStore, dpopReplayStorePasswordFile, dpopReplayStoreCaFile } = serveOptions;
  const errors: string[] = [];
  if (store === undefined && passwordFile !== undefined) {
    errors.push(`${dpopReplayStorePasswordFile.flag}: expected ${dpopReplayStore.flag} beside it`);
  }
  if (caFile !== undefined && store?.hasTls !== true) {
    errors.push(`${dpopReplayStoreCaFile.flag}: expected ${dpopReplayStore.flag} rediss://… beside it`);
  }
  return errors;
}

function bothFlags({ cert, key }: KeyPair): string {
  return `${serveOptions[cert].flag} and ${serveOptions[key].flag}`;
}

function joinTls(cert: string | undefined, key: string | undefined, clientCa: string | undefined): GrpcTls | undefined {
  return cert === undefined || key === undefined
    ? undefined
    : Object.freeze({ certFile: cert, keyFile: key, clientCaFile: clientCa });
}

function joinAdmission(
  address: string | undefined,
  cert: string | undefined,
  key: string | undefined,
): AdmissionSettings | undefined {
  return address === undefined || cert === undefined || key === undefined
    ? undefined
    : Object.freeze({ address, certFile: cert, keyFile: key });
}

function isComplete(draft: Draft): draft is OptionValues {
  return Object.keys(serveOptions).every((key) => Object.hasOwn(draft, key));
}

/** Types the keys, which `Object.keys` does not. */
function forEachKey<T extends object>(table: T, visit: (key: Extract<keyof T, string>) => void): void {
  for (const key in table) {
    visit(key);
  }
}
