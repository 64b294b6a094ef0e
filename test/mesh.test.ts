/**
 * What no API server and no Envoy can know of the manifests of deploy/: nothing fails open, every call has its deadline, all of them mean
 * the Service of deploy/base, and every image has a version.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { denyReasons } from '../src/decision/deny-reason.ts';
import { lint } from '../src/rehearsal/lint.ts';
import { failedTests } from '../src/rehearsal/test-check.ts';
import {
  classOf,
  documentsOf,
  imagesWithoutVersion,
  type KubernetesObject,
  objectsIn,
  textOf,
  valuesUnder,
  yamlFiles,
} from './kubernetes/deploy-tree.ts';
import { section } from './support/readme.ts';

/** Everything that is written, patches too. */
const written = yamlFiles.map((file): [file: string, documents: readonly unknown[]] => [
  file,
  documentsOf(textOf(file)),
]);
const objectsOf = (kind: string, where = ''): readonly KubernetesObject[] =>
  written
    .filter(([file]) => file.startsWith(where) && ['manifest', 'part'].includes(classOf(file) ?? ''))
    .flatMap(([file]) => objectsIn(textOf(file)))
    .filter((object) => object.kind === kind);

describe('the files of deploy/', () => {
  it('every one has a class', () => {
    expect(yamlFiles.filter((file) => classOf(file) === undefined)).toEqual([]);
    const counted = Map.groupBy(yamlFiles, classOf);
    for (const known of ['manifest', 'kustomization', 'component', 'part', 'envoy'] as const) {
      expect(counted.get(known)?.length).toBeGreaterThan(6);
    }
  });

  it.each(yamlFiles.filter((file) => classOf(file) === 'part'))('%s: its kustomization names it', (file) => {
    const made = parse(textOf(join(dirname(file), 'kustomization.yaml'))) as object;
    expect(JSON.stringify(made)).toContain(JSON.stringify(basename(file)));
  });

  it.each(written)('%s: every image has a version', (file, documents) => {
    // Kustomize gives ours its tag: test/kubernetes/manifests.test.ts looks at what is rendered.
    const isTaggedLater = (image: string): boolean => classOf(file) === 'part' && image === 'scopegate/scopegate';
    expect(imagesWithoutVersion(documents).filter((image) => !isTaggedLater(image))).toEqual([]);
  });
});

describe('nothing fails open', () => {
  it.each(written)('%s', (_file, documents) => {
    expect(valuesUnder(documents, /^fail_?open$|^failure_?mode_?allow/i).filter((value) => value !== false)).toEqual(
      [],
    );
    expect(valuesUnder(documents, /^failurePolicy$/).filter((value) => value !== 'Fail')).toEqual([]);
  });

  it('Consul, where passing is the default: required', () => {
    expect(valuesUnder(objectsOf('ServiceDefaults'), /^required$/i)).toEqual([true]);
  });

  interface Asking {
    readonly action: string;
    readonly provider: { readonly name: string };
    readonly rules: readonly object[];
  }
  const asking = (where: string): readonly Asking[] =>
    objectsOf('AuthorizationPolicy', where)
      .map((object) => object['spec'] as Asking)
      .filter(({ action }) => action === 'CUSTOM');

  it('Istio ambient: the policy that asks goes by targetRefs, where a selector would be ignored', () => {
    expect(asking('istio-ambient/')).toEqual([expect.objectContaining({ targetRefs: expect.any(Array) as unknown })]);
    expect(asking('istio-ambient/')[0]).not.toHaveProperty('selector');
  });

  it('Istio: every provider is asked by a policy, every policy names one, and leaves no request out', () => {
    const providers = valuesUnder(documentsOf(textOf('istio/mesh-config.yaml')), /^extensionProviders$/).flat();
    const names = providers.map((provider) => (provider as { name: string }).name);
    expect(new Set(asking('istio').map(({ provider }) => provider.name))).toEqual(new Set(names));
    expect(asking('istio').filter(({ rules }) => JSON.stringify(rules) !== '[{}]')).toEqual([]);
  });
});

/** What each kind of call to Scopegate is under, and its deadline in it; in every object of the file, or in those of one kind. */
const calls: Readonly<Record<string, readonly [call: RegExp, deadline: RegExp, kind?: string]>> = {
  'istio/mesh-config.yaml': [/^envoyExtAuthzGrpc$/, /^timeout$/],
  'envoy-gateway/envoy-gateway.yaml': [/^extAuth$/, /^timeout$/],
  'envoy-gateway/unix-socket.yaml': [/^extAuth$/, /^timeout$/],
  'contour/contour.yaml': [/^authorization$/, /^responseTimeout$/],
  'contour/global.yaml': [/^globalExtAuth$/, /^responseTimeout$/],
  'kgateway/kgateway.yaml': [/^grpcService$/, /^requestTimeout$/],
  'emissary/emissary.yaml': [/^spec$/, /^timeout_ms$/, 'AuthService'],
  'consul/service-defaults.yaml': [/^GrpcService$/, /^Timeout$/],
};
const anyCall =
  /^(ext_?authz?|envoyExtAuthz\w+|globalExtAuth|authorization|externalAuth|grpc_?service|auth_service|envoyExtensions)$/i;

describe('every call has its deadline of half a second', () => {
  it.each(Object.entries(calls))('%s', (file, [call, deadline, kind]) => {
    const documents = kind === undefined ? documentsOf(textOf(file)) : objectsOf(kind, file);
    const found = valuesUnder(documents, call).map((each) => valuesUnder(each, deadline)[0]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((value) => !['0.5s', '500ms', 500].includes(value as string))).toEqual([]);
  });

  it('no other file calls but those of Envoy, which have tests of their own, and the Gateway API, which has no field for it', () => {
    const calling = written.filter(([, documents]) => valuesUnder(documents, anyCall).length > 0).map(([file]) => file);
    const others = calling.filter((file) => classOf(file) !== 'envoy' && !Object.hasOwn(calls, file));
    expect(others).toEqual(['gateway-api/gateway-api.yaml']);
  });
});

describe('Scopegate is asked where it is', () => {
  const port = 9001;

  interface Reference {
    readonly name?: string;
    readonly port?: number;
    readonly service?: string;
  }
  const references = written.flatMap(([, documents]) =>
    valuesUnder(documents, /^(backendRefs?|services|envoyExtAuthzGrpc)$/).flat(),
  ) as readonly Reference[];

  it('the Service of deploy/base', () => {
    const [service] = objectsOf('Service', 'base/');
    expect(service).toMatchObject({ metadata: { name: 'scopegate' }, spec: { ports: [{ name: 'grpc', port }] } });
    const toScopegate = references.filter(({ name }) => name === 'scopegate');
    expect(toScopegate.length).toBeGreaterThan(3);
    expect(toScopegate.filter((reference) => reference.port !== port)).toEqual([]);
  });

  it('the providers of Istio: that Service, or a name that service-entries.yaml gives', () => {
    const entries = valuesUnder(objectsOf('ServiceEntry'), /^hosts$/).flat();
    const providers = references.filter(({ service }) => service !== undefined);
    expect(providers.map(({ service }) => service)).toEqual(['scopegate.scopegate.svc.cluster.local', ...entries]);
    expect(new Set(providers.map((provider) => provider.port))).toEqual(new Set([port]));
  });
});

describe('policies of deploy/', () => {
  const policyIn = (file: string): string => {
    const [text] = objectsIn(textOf(file))
      .filter(({ metadata }) => metadata.name === 'scopegate-policy')
      .flatMap((object) => Object.values(object['data'] as Readonly<Record<string, string>>));
    return text ?? '';
  };

  it('of the demonstration: good, its tests pass, and its rules are those of the quick start', async () => {
    const text = policyIn('mesh-demo/policy/policy.yaml');
    const { problems, rehearsals } = await lint([{ name: 'policy.yaml', text }], Date.now());
    expect([problems, failedTests(rehearsals)]).toEqual([[], []]);
    const withoutTests = (yaml: string): object => Object.assign(parse(yaml) as object, { tests: [] });
    expect(withoutTests(text)).toEqual(withoutTests(policyIn('quickstart.yaml')));
  });

  it.each(yamlFiles.filter((file) => classOf(file) === 'policy'))('%s: good', async (file) => {
    const { problems } = await lint([{ name: file, text: textOf(file) }], Date.now());
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('the pages', () => {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const pages = globSync('docs/mesh/*.md', { cwd: root }).toSorted();
  const page = (path: string): string => readFileSync(join(root, path), 'utf8');
  const meshes = pages.filter((path) => !path.endsWith('README.md'));

  it.each(meshes)('%s: in the overview, and shows the answers of the quick start', (path) => {
    expect(page('docs/mesh/README.md')).toContain(`](${basename(path)})`);
    const [, shown = ''] = /<!-- demonstration -->\n```console\n([^]*?)\n```/.exec(page(path)) ?? [];
    const answers = (text: string): readonly string[] => text.split('\n').filter((line) => !line.startsWith('$'));
    expect(answers(shown)).toEqual(answers(section('quickstart-output')).slice(0, 3));
  });

  it.each([...pages, 'docs/troubleshooting.md'])('%s: every file of deploy/ that a command names is there', (path) => {
    const named = page(path).match(/\bdeploy\/[\w./-]*\w/g) ?? [];
    expect(named.filter((each) => !existsSync(join(root, each)))).toEqual([]);
  });

  it('every file that is applied by itself is on a page', () => {
    const all = pages.map(page).join('\n');
    const applied = yamlFiles.filter((file) => file.includes('/') && classOf(file) === 'manifest');
    expect(applied.length).toBeGreaterThan(8);
    expect(applied.filter((file) => !all.includes(`deploy/${file}`))).toEqual([]);
  });

  it('troubleshooting has a row for every reason, and no other', () => {
    const [, table = ''] = /## By reason\n([^]*?)\n### /.exec(page('docs/troubleshooting.md')) ?? [];
    const rows = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []);
    expect(rows.toSorted()).toEqual(Object.keys(denyReasons).toSorted());
  });
});
