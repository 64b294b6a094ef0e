import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseDocument } from 'yaml';
import { type Serve, startServe } from '../support/serve.ts';
import { type ApiServer, type Kubectl, startApiServer } from './api-server.ts';

const root = new URL('../../', import.meta.url);
const components = new URL('deploy/components/admission/', root);
const support = new URL('test/support/', root);

let api: ApiServer;

beforeAll(async () => {
  api = await startApiServer();
  await succeed(['create', 'namespace', 'scopegate']);
}, 60_000);
afterAll(() => api?.stop());

function kubectl(args: readonly string[], input?: string): Promise<Kubectl> {
  return api.kubectl(args, input);
}

async function succeed(args: readonly string[], input?: string): Promise<Kubectl> {
  const ended = await kubectl(args, input);
  expect(ended).toMatchObject({ code: 0 });
  return ended;
}

interface Manifest {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** What `kubectl apply -f -` reads. */
function configMap({ name = 'scopegate-policy', namespace = 'scopegate', labels = {}, ...rest }: Manifest): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, ...rest });
}

const apply = ['apply', '-f', '-'];

/** The ways in which a change can come; each has to be refused. */
const ways: Record<string, readonly string[]> = {
  'client-side apply': apply,
  'server-side apply': ['apply', '--server-side', '--force-conflicts', '-f', '-'],
  'dry run': ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
  replacement: ['replace', '-f', '-'],
};

const good = `apiVersion: scopegate.dev/v1
kind: Policy
issuers:
  - name: corp
    issuer: https://login.example.com/realms/corp
    audiences: [orders-api]
    jwks: { inline: { keys: [{ kty: EC, crv: P-256, alg: ES256, kid: a, use: sig,
      x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4, y: 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM }] } }
rules:
  - name: orders-read
    paths: [/api/orders]
    methods: [GET]
    require: { scopes: [orders:read] }
`;

/** What is stored, as far as it says whether a change got through. */
async function stored(): Promise<string> {
  const { stdout } = await succeed([
    '-n',
    'scopegate',
    'get',
    'configmap',
    'scopegate-policy',
    '-o',
    'jsonpath={.data}',
  ]);
  return stdout;
}

/** What is configured reaches the API server's own cache a moment later. */
async function eventually(is: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(is, { timeout: 20_000, interval: 200 });
}

/** An empty ConfigMap is refused, whoever does it. */
function inForce(): Promise<void> {
  const empty = configMap({});
  return eventually(async () => (await kubectl(['create', '--dry-run=server', '-f', '-'], empty)).code !== 0);
}

describe('the webhook', () => {
  let serve: Serve;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scopegate-admission-'));
    await putCertificate('tls/server');
    const options = {
      '--policy': 'configmap:scopegate/scopegate-policy',
      '--kubeconfig': api.kubeconfig,
      '--grpc': '127.0.0.1:0',
      '--admission': '127.0.0.1:0',
      '--admission-tls-cert': join(folder, 'tls.crt'),
      '--admission-tls-key': join(folder, 'tls.key'),
    };
    serve = await startServe(...Object.entries(options).flat());
    await configure(['tls/ca.pem']);
    await inForce();
  }, 60_000);
  afterAll(async () => {
    await serve?.child.stop();
    await rm(folder, { recursive: true });
    await succeed(['delete', 'validatingwebhookconfiguration', 'scopegate-policy']);
    await succeed(['-n', 'scopegate', 'delete', 'configmap', '--all']);
  });

  async function putCertificate(from: 'tls/server' | 'tls-server/renewed'): Promise<void> {
    await copyFile(new URL(`${from}.pem`, support), join(folder, 'tls.crt'));
    await copyFile(new URL(`${from}-key.pem`, support), join(folder, 'tls.key'));
  }

  /** The shipped configuration, but for the address: no Service leads to a process of this machine. */
  async function configure(trusted: readonly string[], failurePolicy?: 'Ignore'): Promise<void> {
    const manifest = parseDocument(await readFile(new URL('webhook/validating-webhook.yaml', components), 'utf8'));
    const ca = await Promise.all(trusted.map((name) => readFile(new URL(name, support))));
    const { admission } = (await serve.logged('listening')) as { admission: string };
    const clientConfig = { url: `https://${admission}/validate`, caBundle: Buffer.concat(ca).toString('base64') };
    manifest.setIn(['webhooks', 0, 'clientConfig'], clientConfig);
    if (failurePolicy !== undefined) manifest.setIn(['webhooks', 0, 'failurePolicy'], failurePolicy);
    await succeed(apply, String(manifest));
  }

  async function refusal(way: readonly string[], data: Readonly<Record<string, string>>): Promise<string> {
    const { code, stderr } = await kubectl(way, configMap({ data }));
    expect(code).toBe(1);
    return stderr;
  }

  const misspelled = good.replace('require:', 'requires:');
  const failing = `${good}tests:
  - name: a reader may write
    request: POST https://orders.example.com/api/orders
    token: { issuer: corp, claims: { sub: ada, scope: "orders:read" } }
    expect: { decision: allow }
`;

  it('apply of a misspelled field: the terminal shows file, line and column, and nothing is stored', async () => {
    const stderr = await refusal(apply, { 'policy.yaml': misspelled });
    expect(stderr).toContain('admission webhook "policy.scopegate.dev" denied the request: 1 error in the policy of');
    expect(stderr).toContain(
      '\nconfigmap/scopegate/scopegate-policy/policy.yaml:13:5: error[unknown_field]: unknown field `requires` (did you mean `require`?)\n',
    );
    expect(await kubectl(['-n', 'scopegate', 'get', 'configmap', 'scopegate-policy'])).toMatchObject({ code: 1 });
  });

  it('apply of a policy whose own test fails: the terminal names the test', async () => {
    expect(await refusal(apply, { 'a.yaml': failing })).toMatch(
      /\nconfigmap\/scopegate\/scopegate-policy\/a\.yaml:15:5: error\[test_failed\]: test `a reader may write` expects allow, and it is deny 403/,
    );
  });

  it('ConfigMap without a document: refused', async () => {
    expect(await refusal(apply, { 'notes.txt': good })).toContain(
      'configmap/scopegate/scopegate-policy:1:1: error[no_document]',
    );
  });

  it('apply of the first good policy: stored while no pod is ready, and soon active; warnings are shown', async () => {
    const warned = `${good}  - name: anything\n    paths: [/any]\n`;
    const { stdout, stderr } = await succeed(apply, configMap({ data: { 'policy.yaml': warned } }));
    expect(stdout).toBe('configmap/scopegate-policy created\n');
    expect(stderr).toMatch(
      /^Warning: configmap\/scopegate\/scopegate-policy\/policy\.yaml:14:11: warning\[no_scopes\]: /m,
    );
    await serve.logged('ready');
  });

  it.each(Object.entries(ways))(
    '%s of a bad change: refused with its line, what is stored stays',
    async (_way, args) => {
      const before = await stored();
      const stderr = await refusal(args, { 'policy.yaml': misspelled });
      expect(stderr).toContain('configmap/scopegate/scopegate-policy/policy.yaml:13:5: error[unknown_field]');
      expect(await stored()).toBe(before);
    },
  );

  it('labels taken away first: refused all the same', async () => {
    await succeed(
      apply,
      configMap({ labels: { 'app.kubernetes.io/part-of': 'scopegate' }, data: { 'policy.yaml': good } }),
    );
    await succeed(['-n', 'scopegate', 'label', 'configmap', 'scopegate-policy', 'app.kubernetes.io/part-of-']);
    expect(await refusal(apply, { 'policy.yaml': misspelled })).toContain('error[unknown_field]');
  });

  it('ConfigMaps of other names and namespaces: none of its business', async () => {
    await succeed(['create', 'namespace', 'elsewhere']);
    const data = { 'policy.yaml': misspelled };
    for (const place of [{ name: 'other' }, { namespace: 'elsewhere' }]) {
      const { code, stderr } = await kubectl(apply, configMap({ ...place, data }));
      expect(code, stderr).toBe(0);
    }
  });

  it('certificate renewed while it runs: the API server goes on asking, and trusts the new one alone', async () => {
    await configure(['tls/ca.pem', 'tls-server/renewed.pem']);
    await putCertificate('tls-server/renewed');
    await serve.logged('TLS files reloaded');
    expect(await refusal(apply, { 'policy.yaml': misspelled })).toContain('error[unknown_field]');
    await configure(['tls-server/renewed.pem']);
    await eventually(async () =>
      (await refusal(apply, { 'policy.yaml': misspelled })).includes('error[unknown_field]'),
    );
  }, 60_000);

  it('nobody answers: no change gets through, and with failurePolicy Ignore each does', async () => {
    await serve.child.stop();
    const before = await stored();
    const changed = configMap({ data: { 'policy.yaml': `${good}# changed\n` } });
    expect(await kubectl(apply, changed)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('failed calling webhook "policy.scopegate.dev"'),
    });
    expect(await stored()).toBe(before);
    await configure(['tls-server/renewed.pem'], 'Ignore');
    await eventually(async () => (await kubectl(apply, changed)).code === 0);
    expect(await stored()).not.toBe(before);
  }, 60_000);
});

describe('the ValidatingAdmissionPolicy', () => {
  const labelled = { labels: { 'app.kubernetes.io/part-of': 'scopegate' }, data: { 'policy.yaml': good } };

  beforeAll(async () => {
    await succeed(['apply', '-f', new URL('policy/validating-admission-policy.yaml', components).pathname]);
    await inForce();
    await succeed(apply, configMap(labelled));
  }, 60_000);

  const refused: Record<string, { manifest: Manifest; message: string }> = {
    'text that is no policy beside one: refused, its key named': {
      manifest: { data: { 'a.yaml': good, 'b.yml': 'rules: []' } },
      message: 'nowhere apiVersion: scopegate.dev/v1 in data[b.yml]',
    },
    'empty text: refused': { manifest: { data: { 'a.json': '' } }, message: 'in data[a.json]' },
    'no kind: refused, its key named': {
      manifest: { data: { 'a.yaml': 'apiVersion: scopegate.dev/v1\nrules: []\n' } },
      message: 'nowhere kind: Policy in data[a.yaml]',
    },
    'document that is no UTF-8: refused': {
      manifest: { data: { 'a.yaml': good }, binaryData: { 'b.yaml': '//4=' } },
      message: 'binaryData is never read',
    },
    'immutable: refused': {
      manifest: { data: { 'a.yaml': good }, immutable: true },
      message: 'an immutable ConfigMap can never be changed again',
    },
  };

  describe.each(Object.entries(ways))('%s', (_way, args) => {
    it.each(Object.entries(refused))('%s', async (_name, { manifest, message }) => {
      const before = await stored();
      const { code, stderr } = await kubectl(args, configMap(manifest));
      expect(stderr).toContain("ValidatingAdmissionPolicy 'scopegate-policy'");
      expect(stderr).toContain(message);
      expect(code).toBe(1);
      expect(await stored()).toBe(before);
    });
  });

  const allowed: Record<string, Manifest> = {
    'YAML beside notes: allowed': { data: { 'policy.yaml': good, 'README.md': 'notes' } },
    'JSON: allowed': { data: { 'policy.json': '{"apiVersion":"scopegate.dev/v1","kind":"Policy","rules":[]}' } },
    'other binary data: allowed': { data: { 'policy.yml': good }, binaryData: { logo: '//4=' } },
    'a misspelled field, which text does not show: allowed': {
      data: { 'policy.yaml': good.replace('rules:', 'rule:') },
    },
    'another ConfigMap without a policy: allowed': { name: 'settings', data: {} },
    'the name in another namespace: allowed': { namespace: 'default', data: {} },
  };

  it.each(Object.entries(allowed))('%s', async (_name, manifest) => {
    const { code, stderr } = await kubectl(ways['dry run'] ?? [], configMap(manifest));
    expect(code, stderr).toBe(0);
  });

  // Only replaced: a server-side apply takes away no key but those that it has set itself.
  it.each([{}, { data: {} }, { data: { 'policy.yaml.txt': good } }])(
    'no key of a document (%j): refused',
    async (manifest) => {
      const { stderr } = await kubectl(['replace', '-f', '-'], configMap(manifest));
      expect(stderr).toContain('needs a key under data that ends in .yaml, .yml or .json');
    },
  );

  it('labels taken away first: refused all the same', async () => {
    await succeed(['-n', 'scopegate', 'label', 'configmap', 'scopegate-policy', 'app.kubernetes.io/part-of-']);
    expect(await kubectl(apply, configMap({ data: { 'a.yaml': '' } }))).toMatchObject({ code: 1 });
    await succeed(['-n', 'scopegate', 'label', 'configmap', 'scopegate-policy', 'app.kubernetes.io/part-of=scopegate']);
  });

  const deletions: Record<string, readonly string[]> = {
    'deletion by name: refused': ['-n', 'scopegate', 'delete', 'configmap', 'scopegate-policy'],
    'deletion by label: refused': [
      '-n',
      'scopegate',
      'delete',
      'configmap',
      '-l',
      'app.kubernetes.io/part-of=scopegate',
    ],
    'deletion of the collection, a request without a name: refused': [
      'delete',
      '--raw',
      '/api/v1/namespaces/scopegate/configmaps',
    ],
  };

  it.each(Object.entries(deletions))('%s', async (_name, args) => {
    const { code, stderr } = await kubectl(args);
    expect(stderr).toContain("ValidatingAdmissionPolicy 'scopegate-policy-deletion'");
    expect(stderr).toContain('annotate the ConfigMap with scopegate.dev/allow-delete=true');
    expect(code).toBe(1);
    await stored();
  });

  it.each([
    { value: 'false', code: 1 },
    { value: 'true', code: 0 },
  ])('deletion where it is annotated as $value: exit code $code', async ({ value, code }) => {
    const annotation = `scopegate.dev/allow-delete=${value}`;
    await succeed(['-n', 'scopegate', 'annotate', '--overwrite', 'configmap', 'scopegate-policy', annotation]);
    expect(await kubectl(['-n', 'scopegate', 'delete', 'configmap', 'scopegate-policy'])).toMatchObject({ code });
  });

  it('deletion of the namespace: not held up', async () => {
    await succeed(apply, configMap(labelled));
    await succeed(['delete', 'namespace', 'scopegate', '--wait=false']);
    await eventually(async () => {
      const { code } = await kubectl(['-n', 'scopegate', 'delete', 'configmap', 'scopegate-policy']);
      return code === 0;
    });
    expect(await kubectl(['-n', 'scopegate', 'get', 'configmap', 'scopegate-policy'])).toMatchObject({ code: 1 });
  });
});
