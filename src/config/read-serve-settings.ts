/**
 * Promises: flags and environment become settings, or every mistake in them at once, each with the flag or variable it is in.
 * A flag wins over its variable. Pure: nothing is looked up in the process, on disk or on the network.
 */
import { environmentName, type ServeOption, serveOptions } from './serve-options.ts';
import type { GrpcTls, OptionValues, ServeSettings } from './settings.ts';

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
  errors.push(...tlsErrors(draft));
  if (errors.length > 0 || !isComplete(draft)) {
    return { errors };
  }
  const { grpcTlsCertFile, grpcTlsKeyFile, grpcTlsClientCaFile, ...plain } = draft;
  const grpcTls = joinTls(grpcTlsCertFile, grpcTlsKeyFile, grpcTlsClientCaFile);
  return { settings: Object.freeze({ ...plain, grpcTls }) };
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

/** Half of a key pair is a mistake, never a reason to fall back to plain text. */
function tlsErrors(draft: Draft): readonly string[] {
  const { grpcTlsCertFile, grpcTlsKeyFile, grpcTlsClientCaFile } = serveOptions;
  const readable = Object.hasOwn(draft, 'grpcTlsCertFile') && Object.hasOwn(draft, 'grpcTlsKeyFile');
  const [hasCert, hasKey] = [draft.grpcTlsCertFile !== undefined, draft.grpcTlsKeyFile !== undefined];
  if (!readable || (hasCert && hasKey)) {
    return [];
  }
  if (hasCert || hasKey) {
    const [present, missing] = hasCert ? [grpcTlsCertFile, grpcTlsKeyFile] : [grpcTlsKeyFile, grpcTlsCertFile];
    return [`${present.flag}: expected ${missing.flag} beside it, a certificate and its key come together`];
  }
  return draft.grpcTlsClientCaFile === undefined
    ? []
    : [`${grpcTlsClientCaFile.flag}: expected ${grpcTlsCertFile.flag} and ${grpcTlsKeyFile.flag} beside it`];
}

function joinTls(cert: string | undefined, key: string | undefined, clientCa: string | undefined): GrpcTls | undefined {
  return cert === undefined || key === undefined
    ? undefined
    : Object.freeze({ certFile: cert, keyFile: key, clientCaFile: clientCa });
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
