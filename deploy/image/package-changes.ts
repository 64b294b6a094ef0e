/**
 * Promises: the places where a package cannot be bundled as it is, or brings along what is never reached, each with its reason. A
 * package that has changed there fails the build.
 */
import type { Plugin } from 'rolldown';

export interface PackageChanges {
  readonly plugin: Plugin;
  /** The program reads `proto/health/v1/health.proto` beside its files. */
  readsHealthProto(): boolean;
}

const kubernetesClient = /[\\/]@kubernetes[\\/]client-node[\\/]dist[\\/]config\.js$/;
const healthCheck = /[\\/]grpc-health-check[\\/]build[\\/]src[\\/]health\.js$/;

/** Reads its `.proto` from the folder of the package; in the bundle that lies beside the files. */
const protoFolder = { from: '`${__dirname}/../../proto`', to: '`${__dirname}/proto`' };

/**
 * What `KubeConfig` takes only for requests of the library's own. We ask it for options of `node:https` (`applyToHTTPSOptions`), and the
 * two methods that come here are `makeApiClient` and `applyToFetchOptions`. The generated API is 1.6 MB, `undici` 0.7 MB.
 */
const unused: ReadonlyMap<string, readonly string[]> = new Map([
  ['undici', ['Agent', 'ProxyAgent']],
  ['./gen/index.js', ['createConfiguration', 'ServerConfiguration']],
]);

/**
 * An `import` of it asks for each of its exports, and the one for `WebSocket` loads all of Node's own undici: 20 ms and some MiB that
 * nothing here needs. By `require` it is loaded when it is asked for.
 */
const required = new Set(['http', 'node:http']);

const httpModule = '\0node-http.cjs';
const prefix = '\0not-bundled:';

export function packageChanges(): PackageChanges {
  let readsHealthProto = false;
  const plugin: Plugin = {
    name: 'package-changes',
    resolveId: (source, importer) => {
      if (required.has(source) && importer !== undefined) return httpModule;
      if (importer === undefined || !kubernetesClient.test(importer) || !unused.has(source)) return undefined;
      return prefix + source;
    },
    load: (id) => {
      if (id === httpModule) return "module.exports = process.getBuiltinModule('node:http');";
      const names = id.startsWith(prefix) ? unused.get(id.slice(prefix.length)) : undefined;
      return names === undefined ? undefined : names.map(refusing).join('\n');
    },
    transform: (code, id) => {
      if (kubernetesClient.test(id)) {
        for (const source of unused.keys()) assertHolds(code, `from '${source}'`, id);
      }
      if (!healthCheck.test(id)) return undefined;
      assertHolds(code, protoFolder.from, id);
      readsHealthProto = true;
      return code.replace(protoFolder.from, () => protoFolder.to);
    },
  };
  return { plugin, readsHealthProto: () => readsHealthProto };
}

function assertHolds(code: string, part: string, id: string): void {
  if (!code.includes(part)) throw new Error(`${id} has changed and no longer holds ${part}: look at its change anew`);
}

/** A function that says why it is one; it may be called with `new`. */
function refusing(name: string): string {
  return `export function ${name}() { throw new Error('${name} of the Kubernetes client is not part of this bundle'); }`;
}
