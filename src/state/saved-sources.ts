/**
 * Promises: the last good version of each source of a policy, as it is kept across a restart.
 */
import type { SourceFile } from '../source/read-path.ts';
import { isObject, isTime, readAll } from './envelope.ts';

export interface SavedSource {
  /** What `--policy` said. */
  readonly origin: string;
  readonly source: string;
  readonly order: string | number;
  /** When this version was applied, in ms since 1970. */
  readonly appliedMs: number;
  readonly files: readonly SourceFile[];
}

export function readSources(content: unknown): readonly SavedSource[] | undefined {
  return readAll(content, readSource);
}

function readSource(value: unknown): SavedSource | undefined {
  if (!isObject(value)) return undefined;
  const { origin, source, order, appliedMs } = value;
  const files = readAll(value['files'], readFile);
  if (typeof origin !== 'string' || typeof source !== 'string' || files === undefined) return undefined;
  if (!isTime(appliedMs) || (typeof order !== 'string' && typeof order !== 'number')) return undefined;
  return { origin, source, order, appliedMs, files };
}

function readFile(value: unknown): SourceFile | undefined {
  if (!isObject(value)) return undefined;
  const { name, text } = value;
  return typeof name === 'string' && typeof text === 'string' ? { name, text } : undefined;
}
