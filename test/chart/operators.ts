/**
 * Promises: an API server that knows the kinds of cert-manager and of the Prometheus operator, from their Go modules at one version.
 * Leaves to others: the operators themselves, which do not run.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../deploy/envoy/setup-error.ts';
import type { ApiServer } from '../kubernetes/api-server.ts';

const modules = [
  {
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    files: 'deploy/crds/cert-manager.io_{certificates,issuers}.yaml',
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    files: 'example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,servicemonitors,prometheusrules}.yaml',
  },
] as const;

/** Back when the kinds can be used. */
export async function defineOperatorKinds(api: ApiServer): Promise<void> {
  for (const { module, files } of modules) {
    const folder = await moduleFolder(module);
    const paths = globSync(files, { cwd: folder }).map((file) => join(folder, file));
    const names = paths.flatMap((path) => ['--filename', path]);
    await succeed(api, ['apply', '--server-side', ...names]);
    await succeed(api, ['wait', '--for=condition=Established', '--timeout=60s', ...names]);
  }
}

async function succeed(api: ApiServer, args: readonly string[]): Promise<void> {
  const { code, stderr } = await api.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args[0]}: ${stderr}`);
}

/** In Go's module cache; fetched if need be. */
function moduleFolder(module: string): Promise<string> {
  return new Promise((done, fail) => {
    const env = { ...process.env, GOWORK: 'off', GOTOOLCHAIN: 'local' };
    execFile('go', ['mod', 'download', '-json', module], { env, timeout: 120_000 }, (error, stdout) => {
      const folder = error === null ? (JSON.parse(stdout) as { Dir?: string }).Dir : undefined;
      if (folder === undefined)
        fail(new SetupError(`${module} could not be fetched with Go: ${stdout || error?.message}`));
      else done(folder);
    });
  });
}
