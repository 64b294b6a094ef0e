/**
 * Promises: every module goes into one of few files, by who needs it: what only some processes need is a file that the others do not
 * read. The name of a file says when it is loaded.
 */
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

export interface ChunkNames {
  /** Learns what imports what. */
  readonly plugin: Plugin;
  /** The file of a module; null for the entry itself. */
  readonly name: (id: string) => string | null;
}

export function chunkNames(src: string): ChunkNames {
  const imported = new Map<string, readonly string[]>();
  const plugin: Plugin = {
    name: 'chunk-names',
    moduleParsed: ({ id, importedIds }) => {
      imported.set(id, importedIds);
    },
  };
  const reached = new Map<string, ReadonlySet<string>>();

  /** All that is evaluated when `file` is imported. */
  function reach(file: string): ReadonlySet<string> {
    const known = reached.get(file);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [join(src, file)];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (found.has(id)) continue;
      found.add(id);
      open.push(...(imported.get(id) ?? []));
    }
    reached.set(file, found);
    return found;
  }

  const entry = join(src, 'main.ts');

  function name(id: string): string | null {
    if (id === entry) return null;
    if (reach('main.ts').has(id)) return 'command';
    const [isServed, isTool] = [reach('sidecar/sidecar.ts').has(id), tools.some((file) => reach(file).has(id))];
    if (isServed) return isTool ? 'policy' : 'serve';
    return late.find(([, files]) => files.some((file) => reach(file).has(id)))?.[0] ?? 'tools';
  }

  return { plugin, name };
}

/** What `serve` loads where it is wanted, in the order in which a module that several reach belongs to one. */
const late: readonly (readonly [chunk: string, files: readonly string[]])[] = [
  ['documents', ['policy/document.ts']],
  // For policies that have a condition.
  ['condition', ['condition/compile-condition.ts', 'condition/operands.ts']],
  ['grpc-js', ['server/grpc-js-transport.ts']],
  ['kubernetes', ['kubernetes/cluster.ts']],
  // Where replicas share their memory of DPoP proofs.
  ['proof-store', ['proofs/shared-memory.ts', 'proofs/layered-memory.ts', 'proofs/redis-connection.ts']],
  // Where several processes share the listeners.
  ['workers', ['workers/shared-serving.ts', 'workers/worker.ts']],
];

/** What the commands other than `serve` load when they run. */
const tools = [
  'rehearsal/lint.ts',
  'commands/explain-run.ts',
  'commands/replay-run.ts',
  'openapi/import-openapi.ts',
  'policy/manifest.ts',
];
