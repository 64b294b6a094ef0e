/** What in deploy/ and docs/ has to agree with something else. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { render, rendered } from '../../deploy/render.ts';
import { lint } from '../../src/rehearsal/lint.ts';
import { failedTests } from '../../src/rehearsal/test-check.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { kubernetesAssets } from './assets.ts';
import { configMapIn, deployPath, manifestsOf } from './manifests.ts';

let kubectl: string;
beforeAll(async () => {
  kubectl = join(await kubernetesAssets({ env: process.env, report: () => {} }), 'kubectl');
});

const textOf = (file: string): string => readFileSync(deployPath(file), 'utf8');
const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

it.each(rendered)('$file: as `node deploy/render.ts` makes it of $kustomization', (each) => {
  expect(textOf(each.file)).toBe(render(each, kubectl));
});

it('the sample policy: good, and its tests pass', async () => {
  const text = configMapIn(manifestsOf('overlays/shared/policy.yaml'), 'scopegate-policy')['policy.yaml'] ?? '';
  const { problems, rehearsals } = await lint([{ name: 'policy.yaml', text }], Date.now());
  expect(problems).toEqual([]);
  expect(rehearsals).toHaveLength(2);
  expect(failedTests(rehearsals)).toEqual([]);
});

it('the injected sidecar: the same as that of the component', () => {
  const [policy] = parseAllDocuments(textOf('components/injection/injection.yaml'));
  const expression = String(policy?.getIn(['spec', 'mutations', 0, 'jsonPatch', 'expression']));
  // What CEL calls an object or a patch is a flow mapping of YAML but for its type before the brace.
  const patches = parse(expression.slice(expression.lastIndexOf('+') + 1).replaceAll(/[A-Z][\w.]*\{/g, '{')) as {
    value: unknown;
  }[];
  // Version 1.1, in which 0444 is octal, is what kubectl reads.
  const { spec } = (
    parse(textOf('components/sidecar/sidecar.yaml'), { version: '1.1' }) as { spec: { template: { spec: PodSpec } } }
  ).spec.template;
  const [container] = spec.initContainers;
  expect(patches.map(({ value }) => value)).toEqual([
    { ...container, image: 'scopegate/scopegate:0.1.0' },
    ...spec.volumes,
  ]);
});

interface PodSpec {
  readonly initContainers: readonly object[];
  readonly volumes: readonly object[];
}

describe('monitoring', () => {
  const alerts = parse(textOf('components/monitoring/alerts.yaml')) as {
    spec: { groups: { rules: { alert: string; expr: string }[] }[] };
  };
  const rules = alerts.spec.groups.flatMap((group) => group.rules);
  const dashboard = JSON.parse(textOf('components/monitoring/dashboard.json')) as {
    panels: { title: string; gridPos: { x: number; y: number; w: number }; targets: { expr: string }[] }[];
  };

  /** Those that are always there, `process_…` too, and those that the sources name. */
  async function metricNames(): Promise<ReadonlySet<string>> {
    const exposed = [...(await createMetrics().text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    const named = globSync('src/telemetry/*.ts').flatMap(
      (file) => readFileSync(file, 'utf8').match(/\bscopegate_\w+/g) ?? [],
    );
    return new Set([...exposed, ...named]);
  }

  it('every metric that an alert or a panel reads exists', async () => {
    const known = await metricNames();
    const read = [
      ...rules.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ]
      .flatMap((expr) => expr.match(/\b(?:scopegate|process)_\w+/g) ?? [])
      .map((name) => name.replace(/_bucket$/, ''));
    expect(read.length).toBeGreaterThan(20);
    expect([...new Set(read)].filter((name) => !known.has(name))).toEqual([]);
  });

  it('every alert has its row in operations.md, and no other is there', () => {
    const documented = [...operations.matchAll(/^\| `(Scopegate\w+)` \|/gm)].map(([, name = '']) => name);
    expect(documented.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  it('the panels of the dashboard: named apart, and within its 24 columns', () => {
    expect(new Set(dashboard.panels.map(({ title }) => title)).size).toBe(dashboard.panels.length);
    expect(dashboard.panels.filter(({ gridPos }) => gridPos.x + gridPos.w > 24)).toEqual([]);
  });
});
