/** The parts of the chart that have to agree with each other and with the rest of the repository; no helm is needed for this. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { environmentName, serveOptions } from '../../src/config/serve-options.ts';
import { chartText, chartYaml, type Json, type JsonObject } from './chart-files.ts';

const root = new URL('../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const schema = JSON.parse(chartText('values.schema.json')) as Schema;
const values = chartYaml('values.yaml');

function resolved(part: Schema): Schema {
  const name = part.$ref?.replace('#/$defs/', '');
  return name === undefined ? part : (schema.$defs?.[name] ?? {});
}

/** Paths of the keys that the schema names, as deep as it closes the objects. */
function schemaPaths(part: Schema, prefix = ''): readonly string[] {
  const { properties = {}, additionalProperties } = resolved(part);
  if (additionalProperties !== false) return [prefix];
  return Object.entries(properties).flatMap(([key, inner]) => schemaPaths(inner, `${prefix}/${key}`));
}

function hasPath(value: Json | undefined, path: string): boolean {
  let at = value;
  for (const key of path.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, key)) return false;
    at = (at as JsonObject)[key];
  }
  return true;
}

describe('values.schema.json', () => {
  it('every key that it knows has a default and a place in values.yaml, but for optional parts of objects', () => {
    const optional =
      /^\/global|^\/(?:injection\/)?options\/|^\/probes\/|\/resources\/|^\/resources\/|issuerRef|\/pullSecrets|^\/policy\/documents/;
    const missing = schemaPaths(schema).filter((path) => !optional.test(path) && !hasPath(values, path));
    expect(missing).toEqual([]);
    expect(schemaPaths(schema).length).toBeGreaterThan(70);
  });

  it('every object of values.yaml whose keys are ours is closed', () => {
    const foreign = /^\/(?:podSecurityContext|securityContext|affinity|autoscaling\/behavior|global)/;
    const open: string[] = [];
    const walk = (part: Schema, path: string): void => {
      const { properties, additionalProperties, type } = resolved(part);
      if (properties === undefined || foreign.test(path)) return;
      if (type === 'object' && additionalProperties === undefined) open.push(path);
      for (const [key, inner] of Object.entries(properties)) walk(inner, `${path}/${key}`);
    };
    walk(schema, '');
    expect(open).toEqual([]);
  });

  it('every option of serve can be set: by its name under options, or by the value that is made for it', () => {
    const tls =
      '--grpc-tls-cert --grpc-tls-key --grpc-tls-client-ca --admission --admission-tls-cert --admission-tls-key';
    const byOtherValues = `--policy --state --grpc --admin --drain --workers --kubernetes-events ${tls}`;
    // Neither a unix socket nor another cluster makes sense in a shared Deployment.
    const without = new Set(`${byOtherValues} --grpc-socket-mode --kubeconfig`.split(' '));
    const known = Object.keys(schema.$defs?.['options']?.properties ?? {}).map((name) => `--${name}`);
    const flags = Object.values(serveOptions).map(({ flag }) => flag);
    expect(known.toSorted()).toEqual(flags.filter((flag) => !without.has(flag)).toSorted());
    expect(known).toContain('--jwks-refresh');
    expect(environmentName('--jwks-refresh')).toBe('SCOPEGATE_JWKS_REFRESH');
  });
});

describe('Chart.yaml', () => {
  const chart = chartYaml('Chart.yaml');
  const { version } = JSON.parse(textOf('package.json')) as { version: string };

  it('has the version of the package', () => {
    expect(chart).toMatchObject({ version, appVersion: version, kubeVersion: '>=1.29.0-0' });
    expect(JSON.stringify(chart['annotations'])).toContain(`scopegate/scopegate:${version}`);
  });
});

describe('copies, since a chart can only read files of its own', () => {
  it.each(['alerts.yaml', 'dashboard.json'])('files/%s is the one of components/monitoring', (file) => {
    expect(chartText(`files/${file}`)).toBe(textOf(`deploy/components/monitoring/${file}`));
  });

  it('files/admission.yaml has the expressions of components/admission/policy', () => {
    const path = 'deploy/components/admission/policy/validating-admission-policy.yaml';
    const specs = parseAllDocuments(textOf(path))
      .map((document) => document.toJS() as { kind: string; spec: JsonObject })
      .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
      .map(({ spec }) => spec);
    const { document, deletion } = chartYaml('files/admission.yaml');
    expect(specs).toMatchObject([document, deletion]);
    expect(specs.map(({ variables, validations }) => [variables, validations])).toEqual([
      [(document as JsonObject)['variables'], (document as JsonObject)['validations']],
      [undefined, (deletion as JsonObject)['validations']],
    ]);
  });
});
