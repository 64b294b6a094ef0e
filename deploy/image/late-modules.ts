/**
 * Promises: modules of Node that a start would load for nothing are loaded when one of their functions is called: TLS when a listener or
 * an issuer has it, the others in no process of ours. An import that asks for more than the functions named here fails the build.
 */
import type { Plugin } from 'rolldown';

interface Late {
  /** As it is imported. */
  readonly source: string;
  readonly importer: RegExp;
  readonly code: string;
}

const ours = /[\\/]src[\\/](?:egress|keyset|server)[\\/][^\\/]+\.ts$/;

const late: readonly Late[] = [
  { source: 'node:https', importer: ours, code: functionsOf('node:https', 'createServer', 'request') },
  { source: 'node:tls', importer: ours, code: functionsOf('node:tls', 'createSecureContext', 'createServer') },
  // For subcommands that are programs of their own.
  {
    source: 'node:child_process',
    importer: /[\\/]commander[\\/]lib[\\/]command\.js$/,
    code: `${functionsOf('node:child_process', 'spawn')}\nexport default { spawn };`,
  },
  {
    source: 'assert',
    importer: /[\\/](?:sonic-boom|thread-stream)[\\/]index\.js$/,
    code: "module.exports = (...values) => process.getBuiltinModule('node:assert')(...values);",
  },
  // It pushes metrics, and brings `node:https` and `node:zlib` along.
  {
    source: './lib/pushgateway',
    importer: /[\\/]prom-client[\\/]index\.js$/,
    code: "module.exports = class Pushgateway { constructor() { throw new Error('not part of this bundle'); } };",
  },
];

function functionsOf(module: string, ...names: readonly string[]): string {
  const call = `process.getBuiltinModule('${module}')`;
  return names.map((name) => `export function ${name}(...values) { return ${call}.${name}(...values); }`).join('\n');
}

/** The name of a module that is no file; what follows is its place in the table. */
const prefix = '\0late:';

export function lateModules(): Plugin {
  const met = new Set<Late>();
  return {
    name: 'late-modules',
    resolveId: (source, importer) => {
      const row = late.find((candidate) => candidate.source === source && candidate.importer.test(importer ?? ''));
      if (row === undefined) return undefined;
      met.add(row);
      return `${prefix}${late.indexOf(row)}`;
    },
    load: (id) => (id.startsWith(prefix) ? late[Number(id.slice(prefix.length))]?.code : undefined),
    buildEnd: () => {
      const unmet = late.filter((row) => !met.has(row)).map(({ source }) => source);
      if (unmet.length > 0)
        throw new Error(`nothing imports ${unmet.join(', ')} any more: look at late-modules.ts anew`);
    },
  };
}
