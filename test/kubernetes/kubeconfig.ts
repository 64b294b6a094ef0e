/** A kubeconfig with one cluster and one user, as JSON, which is YAML. */

export interface KubeconfigFacts {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** The token itself, or a file that holds it. */
  readonly token?: string;
  readonly tokenFile?: string;
}

export function kubeconfigText({ server, ca, ...user }: KubeconfigFacts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
