import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { compile } from '../src/policy/compile.ts';
import { parseDocuments } from '../src/policy/document.ts';
import { CommandLine } from './support/command-line.ts';
import { denyTable, readme, section } from './support/readme.ts';

const root = new URL('../', import.meta.url);

const filterSchema = z.looseObject({ name: z.string(), typed_config: z.looseObject({}) });
const managerSchema = z.looseObject({ http_filters: z.array(filterSchema) });
const bootstrapSchema = z.object({
  static_resources: z.object({
    listeners: z.tuple([
      z.object({
        filter_chains: z.tuple([z.object({ filters: z.tuple([z.object({ typed_config: managerSchema })]) })]),
      }),
    ]),
  }),
});

function manager(): z.infer<typeof managerSchema> {
  const bootstrap = bootstrapSchema.parse(parse(readFileSync(new URL('deploy/envoy/envoy.yaml', root), 'utf8')));
  return bootstrap.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
}

function all(pattern: RegExp): string[] {
  return [...readme.matchAll(pattern)].map((match) => match[1] ?? '');
}

const commandLine = new CommandLine();
afterAll(() => {
  commandLine.remove();
});

/** What `scopegate COMMAND policy.yaml` prints, as the README shows it. */
async function printed(command: string, policy: string): Promise<string> {
  const { out } = await commandLine.run([command, commandLine.file('policy.yaml', `${policy}\n`)]);
  return `$ scopegate ${command} policy.yaml\n${out.replaceAll('…/', '').trimEnd()}`;
}

/** `text` with one part changed, which must be in it. */
function changed(text: string, part: string, by: string): string {
  expect(text).toContain(part);
  return text.replace(part, by);
}

describe('README', () => {
  it('the deny table: as generated from deny-reason.ts', () => {
    expect(section('deny-table')).toBe(denyTable());
  });

  it('the filter: as in the documented bootstrap', () => {
    const filter = manager().http_filters.find(({ name }) => name === 'envoy.filters.http.ext_authz');
    expect(parse(section('envoy-filter'))).toEqual([filter]);
  });

  it('the settings of the connection manager: as in the documented bootstrap', () => {
    expect(manager()).toMatchObject(z.looseObject({}).parse(parse(section('envoy-manager'))));
  });

  it('the first policy: good, without a warning', () => {
    const { documents, problems } = parseDocuments({ name: 'policy.yaml', text: section('first-policy') });
    const compiled = compile(documents);
    expect([...problems, ...compiled.problems]).toEqual([]);
    expect(compiled.snapshot?.rules.map(({ name }) => name)).toEqual(['health', 'orders-read', 'orders-write']);
  });

  it('what lint says of its mistakes: what it says', async () => {
    const misspelt = changed(section('first-policy'), 'audiences:', 'audience:');
    const clashing = changed(misspelt, 'methods: [POST, DELETE]', 'methods: [POST, DELETE, GET]');
    expect(await printed('lint', clashing)).toBe(section('lint-output'));
  });

  it('the first tests: pass; without the scope of the writer one fails, as shown', async () => {
    const policy = `${section('first-policy')}\n${section('first-tests')}`;
    expect(await printed('test', policy)).toMatch(/^\$.*\n(?:✓ .*\n?)+$/);
    const open = changed(policy, '    require: { scopes: [orders:write] }\n', '');
    expect(await printed('test', open)).toBe(section('test-output'));
  });

  it('the npm scripts it names exist', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')));
    const named = [...all(/npm run ([\w:]+)/g), ...all(/npm (test)\b/g)];
    expect(named).toEqual(expect.arrayContaining(['demo', 'build', 'test']));
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('the options it names exist', async () => {
    const commands = ['serve', 'lint', 'test'];
    const helps = await Promise.all(commands.map((command) => commandLine.run([command, '--help'])));
    // Of others: the demo, and kubectl.
    const known = new Set([
      '--once',
      '--field-selector',
      ...helps.flatMap(({ out }) => out.match(/--[a-z][a-z-]+/g) ?? []),
    ]);
    const named = all(/(--[a-z][a-z-]+)/g).filter((flag) => !flag.startsWith('--config'));
    expect(named).toEqual(expect.arrayContaining(['--policy', '--format']));
    expect(named.filter((flag) => !known.has(flag))).toEqual([]);
  });

  it('the metrics it names exist', () => {
    const folder = new URL('src/telemetry/', root);
    const source = readdirSync(folder)
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const named = all(/`(scopegate_\w+)/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
  });

  it('the files it links to exist', () => {
    const linked = all(/\]\(([^):]+)\)/g).filter((path) => !path.startsWith('#'));
    expect(linked.length).toBeGreaterThan(3);
    expect(linked.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});
