/**
 * Promises: the custom resource definitions of the meshes that the manifests of deploy/ are for, as these projects publish them in their
 * Go modules, in the cluster of a test. The versions are pinned, and so is what they contain.
 * Leaves to others: the kinds whose definitions no registry has; they are named here with the reason.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../deploy/envoy/setup-error.ts';
import type { ApiServer } from './api-server.ts';
import { succeed } from './cluster-access.ts';

interface Source {
  readonly module: string;
  /** As in a go.sum. */
  readonly sum: string;
  readonly files: string;
}

const sources: readonly Source[] = [
  {
    module: 'istio.io/api@v1.31.4',
    sum: 'h1:AcnncYrlDj1PJkym7h88Gggkef4MAra8QpGaXRMsr+E=',
    files: 'kubernetes/customresourcedefinitions.gen.yaml',
  },
  {
    // The experimental channel holds what the standard one holds, and ExternalAuth.
    module: 'sigs.k8s.io/gateway-api@v1.6.3',
    sum: 'h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=',
    files: 'config/crd/experimental/gateway.*.yaml',
  },
  {
    module: 'github.com/envoyproxy/gateway@v1.9.1',
    sum: 'h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=',
    files: 'charts/gateway-helm/charts/crds/crds/generated/*.yaml',
  },
  {
    module: 'github.com/projectcontour/contour@v1.33.8',
    sum: 'h1:QoOfwqWws+CVRFpsRC2+f1DmB5IdurtyUtepIsiWfE0=',
    files: 'examples/contour/01-crds.yaml',
  },
  {
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    files: 'deploy/crds/*.yaml',
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    files: 'example/prometheus-operator-crd/*.yaml',
  },
];

/** API groups whose definitions cannot be had from a package registry, and the page that says that their manifests are not checked. */
export const notChecked: Readonly<Record<string, { readonly reason: string; readonly page: string }>> = {
  'gateway.kgateway.dev': { reason: 'no Go module of kgateway is to be had', page: 'docs/mesh/kgateway.md' },
  'getambassador.io': { reason: 'no Go module of Emissary is to be had', page: 'docs/mesh/emissary.md' },
  'consul.hashicorp.com': { reason: 'no Go module of Consul on Kubernetes is to be had', page: 'docs/mesh/consul.md' },
};

/** Puts them all into the cluster; back when they serve. */
export async function installCustomResources(api: ApiServer): Promise<void> {
  const folders = await download();
  const files = sources.flatMap(({ module, files: pattern }) => {
    const folder = folders.get(module) ?? '';
    const found = globSync(pattern, { cwd: folder }).map((file) => join(folder, file));
    if (found.length === 0) throw new SetupError(`${module} has no ${pattern}`);
    return found;
  });
  // The definitions are too long for the annotation of an apply by the client.
  await succeed(api, ['apply', '--server-side', ...files.flatMap((file) => ['-f', file])]);
  await succeed(api, ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
}

interface Downloaded {
  readonly Path: string;
  readonly Version: string;
  readonly Dir: string;
  readonly Sum: string;
  readonly Error?: string;
}

/** The folder of each module, in Go's module cache. */
async function download(): Promise<ReadonlyMap<string, string>> {
  const text = await goModDownload(sources.map(({ module }) => module));
  const modules = JSON.parse(`[${text.replaceAll(/^}\n\{/gm, '},{')}]`) as readonly Downloaded[];
  return new Map(
    sources.map(({ module, sum }) => {
      const found = modules.find(({ Path, Version }) => `${Path}@${Version}` === module);
      if (found?.Error !== undefined) throw new SetupError(`${module}: ${found.Error}`);
      if (found?.Sum !== sum) throw new SetupError(`${module} is not what is pinned here: ${found?.Sum}`);
      return [module, found.Dir];
    }),
  );
}

function goModDownload(modules: readonly string[]): Promise<string> {
  // GOFLAGS may name a mode that this command has no use for, and a go.mod near this file is none of its business.
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off' };
  return new Promise((resolve, reject) => {
    const options = { env, cwd: '/', maxBuffer: 16 * 1024 * 1024, timeout: 300_000 };
    execFile('go', ['mod', 'download', '-json', ...modules], options, (error, stdout, stderr) => {
      // What could not be fetched is in the output as well, module by module.
      if (error === null || stdout.trimStart().startsWith('{')) resolve(stdout);
      else reject(new SetupError(`the definitions of the meshes could not be fetched: ${stderr || error.message}`));
    });
  });
}
