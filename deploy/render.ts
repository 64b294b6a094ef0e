/**
 * Promises: the manifests that are one file for one `kubectl apply`, made of their kustomizations, so that nothing is written twice.
 *
 *   node deploy/render.ts [path of kubectl]
 *
 * A test compares the files with what this makes of the kustomizations.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Rendered {
  /** Folders and files, relative to this one. */
  readonly kustomization: string;
  readonly file: string;
  /** What a reader of the file is told first. */
  readonly about: readonly string[];
}

export const rendered: readonly Rendered[] = [
  {
    kustomization: 'base',
    file: 'install.yaml',
    about: [
      'Scopegate as a shared Deployment, made of deploy/base by `node deploy/render.ts`:',
      '',
      '  kubectl apply --filename deploy/install.yaml',
      '',
      'The policy is a ConfigMap of yours (deploy/overlays/shared/policy.yaml is a sample); until it is there, every check is answered 503.',
    ],
  },
  {
    kustomization: 'overlays/sidecar-demo',
    file: 'quickstart.yaml',
    about: [
      'An application behind Envoy with Scopegate as a sidecar, in a namespace of its own; README.md, "Quick start in a cluster":',
      '',
      '  kubectl apply --filename deploy/quickstart.yaml',
      '',
      'Made of deploy/overlays/sidecar-demo by `node deploy/render.ts`, where the reasons stand.',
    ],
  },
];

/** The whole text of a file of `rendered`. */
export function render({ kustomization, about }: Rendered, kubectl: string): string {
  const manifests = execFileSync(kubectl, ['kustomize', pathOf(kustomization)], { encoding: 'utf8' });
  return `${about.map((line) => `# ${line}`.trimEnd()).join('\n')}\n${manifests}`;
}

export function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

if (import.meta.main) {
  for (const each of rendered) {
    writeFileSync(pathOf(each.file), render(each, process.argv[2] ?? 'kubectl'));
  }
}
