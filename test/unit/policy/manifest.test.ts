import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/policy/compile.ts';
import { readPolicyFile } from '../../../src/policy/manifest.ts';
import { byPlace } from '../../../src/policy/problem.ts';
import { head } from './bad-documents.ts';
import { show } from './policy-text.ts';

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: scopegate-policy, namespace: scopegate }\n';
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: scopegate }\n';
const good = `${head}rules:\n  - { name: a, paths: [/a], access: deny }\n`;
const bad = `${head}rules:\n  - { name: a, colour: 1, paths: [a], access: deny }\n`;

function indented(text: string, by: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(by));
}

function lint(text: string): {
  readonly rules: readonly string[];
  readonly isGood: boolean;
  readonly problems: readonly string[];
} {
  const { documents, problems } = readPolicyFile({ name: 'f', text });
  const compiled = compile(documents);
  return {
    rules: documents.flatMap(({ content }) => (content.rules ?? []).map(({ name }) => name)),
    isGood: compiled.snapshot !== undefined,
    problems: [...problems, ...compiled.problems].toSorted(byPlace).map(show),
  };
}

describe('files that hold a policy', () => {
  const files: Readonly<Record<string, string>> = {
    'a bare document': good,
    'a ConfigMap': `${configMap}data:\n  policy.yaml: |\n${indented(good, 4)}`,
    'a ConfigMap beside other manifests': `${namespace}---\n${configMap}data:\n  policy.yml: |-\n${indented(good, 4)}\n---\n${namespace}`,
    'a bare document beside a manifest': `${namespace}---\n${good}`,
    'other keys': `${configMap}data:\n  README.md: "- [ {"\n  policy.yaml.bak: "{"\n  a.json: '{"apiVersion":"scopegate.dev/v1","kind":"Policy","rules":[{"name":"a","paths":["/a"],"access":"deny"}]}'\n`,
    'a ConfigMap without a policy beside one with': `${configMap}data: { a: b }\n---\n${configMap}\n---\n${configMap}data:\n  a.yaml: |\n${indented(good, 4)}`,
    'a List': `apiVersion: v1\nkind: List\nitems:\n  - ${indented(namespace, 4).trim()}\n  - ${indented(configMap, 4).trim()}\n    data:\n      policy.yaml: |\n${indented(good, 8)}`,
    'a ConfigMapList in JSON': JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMapList',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { 'a.yaml': good } }],
    }),
    'a manifest with an anchor, which the library reads': `${configMap}data:\n  policy.yaml: &p |\n${indented(good, 4)}`,
  };
  it.each(Object.entries(files))('%s: its rules, no problem', (_name, text) => {
    expect(lint(text)).toEqual({ rules: ['a'], isGood: true, problems: [] });
  });

  it('two keys and several documents in one: all of them', () => {
    const other = good.replaceAll('a]', 'b]').replace('name: a', 'name: b');
    const third = good.replaceAll('a]', 'c]').replace('name: a', 'name: c');
    const text = `${configMap}data:\n  a.yaml: |\n${indented(`${good}---\n${other}`, 4)}  b.yaml: |\n${indented(third, 4)}`;
    expect(lint(text)).toEqual({ rules: ['a', 'b', 'c'], isGood: true, problems: [] });
  });

  it('binaryData: a warning', () => {
    expect(lint(`${configMap}binaryData: { a.yaml: aGk= }\ndata:\n  policy.yaml: |\n${indented(good, 4)}`)).toEqual({
      rules: ['a'],
      isGood: true,
      problems: ['4:1 binary_data: `binaryData` is never read'],
    });
  });
});

/** `line:column` of what a pattern finds. */
function placeOf(text: string, pattern: RegExp): string {
  const before = text.slice(0, text.search(pattern));
  return `${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`;
}

describe('places are those of the file', () => {
  const files: Readonly<Record<string, string>> = {
    'a literal block': `${configMap}data:\n  policy.yaml: |\n${indented(bad, 4)}`,
    'a literal block indented further, behind a comment': `${configMap}data:\n  policy.yaml: |- # the policy\n\n${indented(bad, 9)}`,
    'a literal block in a list': `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data:\n    p.yaml: |\n${indented(bad, 6)}`,
    'a folded block': `${configMap}data:\n  policy.json: >\n    {"apiVersion": "scopegate.dev/v1", "kind": "Policy",\n    "rules": [{ "name": "a", "colour": 1, "paths": ["a"],\n    "access": "deny" }]}\n`,
    'double quotes': `${configMap}data:\n  policy.yaml: ${JSON.stringify(bad)}\n`,
    'single quotes': `${configMap}data:\n  policy.json: '{"apiVersion":"scopegate.dev/v1","kind":"Policy","rules":[{"name":"a''","colour":1,"paths":["a"],\n    "access":"deny"}]}'\n`,
    'JSON, one line': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data: { 'a.yaml': bad } }),
    CRLF: `${configMap}data:\n  policy.yaml: |\n${indented(bad, 4)}`.replaceAll('\n', '\r\n'),
    'a second document in a key': `${configMap}data:\n  policy.yaml: |\n${indented(`${good.replace('name: a', 'name: z').replace('/a', '/z')}---\n${bad}`, 4)}`,
  };
  it.each(Object.entries(files))('%s', (_name, text) => {
    const { problems, isGood } = lint(text);
    expect(problems).toEqual([
      `${placeOf(text, /"?colour/)} unknown_field: unknown field \`colour\``,
      `${placeOf(text, /(?<=paths"?: ?\[)"?a/)} path: the path does not begin with a slash`,
    ]);
    expect(isGood).toBe(false);
  });

  it('an alias: where it stands', () => {
    const text = `${configMap}data:\n  other: &p |\n${indented(bad, 4)}  policy.yaml: *p\n`;
    expect(lint(text).problems).toEqual([
      '10:16 path: the path does not begin with a slash',
      '10:16 unknown_field: unknown field `colour`',
    ]);
  });

  it('a condition inside a document inside a manifest: the character itself', () => {
    const text = `${head}issuers: [{ name: corp, issuer: https://a.test, audiences: [a] }]\nrules:\n  - name: a\n    paths: [/a]\n    require:\n      when: >-\n        claims.a == 'x'\n        && 5\n`;
    expect(lint(`${configMap}data:\n  policy.yaml: |\n${indented(text, 4)}`).problems).toEqual([
      '15:16 condition: `&&` wants a bool, this is an int',
    ]);
    expect(lint(`${configMap}data:\n  policy.yaml: ${JSON.stringify(text)}`).problems).toEqual([
      `5:${15 + JSON.stringify(text).indexOf('5\\n"') + 1} condition: \`&&\` wants a bool, this is an int`,
    ]);
  });
});

describe('files with mistakes', () => {
  const files: Readonly<Record<string, [text: string, problems: readonly string[]]>> = {
    'only other manifests': [namespace, ['1:1 no_document: the file holds no policy document and no ConfigMap']],
    'a misspelled kind': [
      configMap.replace('ConfigMap', 'Configmap'),
      ['1:1 no_document: the file holds no policy document and no ConfigMap (did you mean `ConfigMap`?)'],
    ],
    'an empty file': ['', ['1:1 no_document: the text holds no document']],
    'a ConfigMap without data': [
      configMap,
      ['1:1 no_document: no key of the ConfigMap ends in `.yaml`, `.yml` or `.json`'],
    ],
    'a ConfigMap with other keys only': [
      `${configMap}data: { policy: a, binary.yaml.gz: b }\n`,
      ['1:1 no_document: no key of the ConfigMap ends in `.yaml`, `.yml` or `.json`'],
    ],
    'a list without items': [
      'apiVersion: v1\nkind: List\n',
      ['1:1 no_document: the file holds no policy document and no ConfigMap'],
    ],
    'data that is a list': [`${configMap}data: [a]\n`, ['4:7 wrong_type: expected a mapping']],
    'a document that is not text: a forgotten block sign': [
      `${configMap}data:\n  policy.yaml:\n${indented(good, 4)}`,
      ['6:5 wrong_type: expected text (write `|` behind the colon)'],
    ],
    'an empty document': [`${configMap}data: { policy.yaml: "" }\n`, ['4:23 no_document: the text holds no document']],
    'broken YAML in a document': [
      `${configMap}data:\n  policy.yaml: |\n    rules: [\n    x: y\n`,
      ['7:5 yaml: the indentation is wrong, or a bracket is not closed'],
    ],
    'broken YAML in the manifest': [
      `${configMap}data: [\n`,
      ['5:1 yaml: the indentation is wrong, or a bracket is not closed'],
    ],
    'a policy with a misspelled kind': [good.replace('Policy', 'Polcy'), ['2:7 wrong_value: expected `Policy`']],
    'a policy with metadata': [
      good.replace('rules:', 'metadata: { name: a }\nrules:'),
      ['3:1 unknown_field: unknown field `metadata`'],
    ],
    'a key given twice in the manifest: the policy of it is not taken for whole': [
      `${configMap}data:\n  policy.yaml: |\n${indented(good, 4)}kind: ConfigMap\n`,
      ['10:1 duplicate_key: the key is given twice in one mapping'],
    ],
  };
  it.each(Object.entries(files))('%s', (_name, [text, problems]) => {
    const result = lint(text);
    expect(result.problems).toEqual(problems);
    expect(result.isGood).toBe(false);
  });
});
