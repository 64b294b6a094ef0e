import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainYaml } from '../../../src/policy/plain-yaml.ts';
import { createPlaces } from '../../../src/policy/text-places.ts';
import { createTree, type Tree, type TreePath } from '../../../src/policy/tree.ts';
import { readAnyYaml, readYaml } from '../../../src/policy/yaml.ts';

/** Every value and key of a tree with its place. */
function placesOf(tree: Tree, path: TreePath = [], node: unknown = tree.value): readonly string[] {
  const { line, column } = tree.place(path);
  const key = tree.place(path, 'key');
  const own = `${path.map(String).join('.')} ${line}:${column} ${key.line}:${key.column}`;
  if (typeof node !== 'object' || node === null) return [`${own} ${JSON.stringify(node)}`];
  const members: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(node)
    ? [...node.entries()]
    : Object.entries(node);
  return [
    `${own} ${Array.isArray(node) ? 'list' : 'mapping'}`,
    ...members.flatMap(([step, value]) => placesOf(tree, [...path, step], value)),
  ];
}

function plainPlaces(text: string): readonly (readonly string[])[] | undefined {
  const source = { text, toPlace: createPlaces(text) };
  return readPlainYaml(text)?.map(({ value, start, offsets }) => placesOf(createTree(value, start, offsets, source)));
}

function libraryPlaces(text: string): {
  readonly documents: readonly (readonly string[])[];
  readonly codes: readonly string[];
} {
  const { trees, problems } = readAnyYaml('f', { text, toPlace: createPlaces(text) });
  return {
    documents: trees.map((tree) => (tree === undefined ? ['broken'] : placesOf(tree))),
    codes: problems.map(({ code, message }) => `${code}: ${message}`),
  };
}

/** What the two readers make of a text; the same when the plain one leaves it. */
function readTwice(text: string): { readonly plain: unknown; readonly library: unknown } {
  const plain = plainPlaces(text);
  if (plain === undefined || plain.length === 0) return { plain, library: plain };
  return { plain: { documents: plain, codes: [] }, library: libraryPlaces(text) };
}

describe('what policies are mostly written in', () => {
  const read: Readonly<Record<string, string>> = {
    'block mappings and lists': 'a:\n  b: c\n  d:\n    - e\n    - f: g\n      h: i\n',
    'a list at the column of its key': 'a:\n- b\n- c: d\n  e: f\ng: h\n',
    'lists of lists': 'a:\n  - - b\n    - c\n  - - d\n',
    'an item below its dash': 'a:\n  -\n    b: c\n',
    brackets: 'a: [b, "c", \'d\', 5, true, null]\nb: { c: d, "e": f, \'g\': [h, { i: j }] }\nc: []\nd: {}\n',
    'brackets over several lines': 'a: [\n    b,\n    c\n  ]\nd: {\n  e: f,\n  }\n'.replace(',\n  }', '\n  }'),
    'comments and blank lines': '# top\n\na: b # c\n\n  # in between\nd: # e\n  f: g#h\n# end',
    'comments at the column of what follows, or further right':
      '# top\na:\n  # b\n  b:\n      # c\n    - c # d\n\n    # e\n    -\n      # f\n      g\n  # h\nh: i\n# end\n',
    'scalars with colons and signs':
      'a: https://b.test:80/c?d=e&f#g\nb: orders:read\nc: /api/**\nd: 30s\ne: (x == 1) && y\n',
    'quoted keys': '"a b": c\n\'d\': e\n',
    escapes: "a: \"\\\"\\\\\\n\\u00e9\\ud83d\\ude00\"\nb: 'it''s'\n",
    'literal blocks': 'a: |\n  b\n\n    c # d\n  e\n\nf: |-\n  g\n\n# h\ni: j\n',
    'folded blocks': 'a: >\n  b\n  c\nd: >-\n  e\n  f\n',
    'marks between documents': '---\na: b\n---\n- c\n---\n# none\n---\nd: e\n',
    JSON: '{"a":{"b":[1,"c:d",{"e":null}],"f":""},\n"g":true}\n',
    'JSON, indented': JSON.stringify({ a: [{ b: ['c', 1] }, {}], d: [] }, undefined, 2),
    'text beyond ASCII': 'a: é ü\nb: "日本"\n',
    'no line break at the end': 'a: b',
    'a list alone': '- a\n- b\n',
  };
  it.each(Object.entries(read))('%s: read, as the library reads it', (_name, text) => {
    expect(plainPlaces(text)).toEqual(libraryPlaces(text).documents);
  });

  const left: Readonly<Record<string, string>> = {
    'an anchor': 'a: &b c\n',
    'an alias': 'a: *b\n',
    'a tag': 'a: !b c\n',
    'a directive': '%YAML 1.2\n---\na: b\n',
    'an end mark': 'a: b\n...\n',
    'a tab': 'a:\tb\n',
    CRLF: 'a: b\r\n',
    'a byte order mark': '\ufeffa: b\n',
    'a key given twice': 'a: b\na: c\n',
    'a key given twice, in brackets': 'a: { b: c, "b": d }\n',
    __proto__: '__proto__: a\n',
    'a lone surrogate': 'a: "\\ud83d"\n',
    'plain text over two lines': 'a: b\n  c\n',
    'quoted text over two lines': 'a: "b\n  c"\n',
    'no value': 'a:\nb: c\n',
    'an item without value': '- a\n-\n',
    'a float': 'a: 1.5\n',
    'a number in base 16': 'a: 0x10\n',
    'a number with a sign': 'a: -1\n',
    'a number that is too long': 'a: 12345678901234567890\n',
    'a key that is a mapping': '{ a: b }: c\n',
    'an explicit key': '? a\n: b\n',
    'a colon in plain text': 'a: b: c\n',
    'brackets that are not closed': 'a: [b\n',
    'brackets that end too far left': 'a:\n  b: [c,\n  d]\n',
    'a kept block': 'a: |+\n  b\n\n',
    'a block with an indentation of its own': 'a: |2\n   b\n',
    'a folded block with a blank line': 'a: >\n  b\n\n  c\n',
    'a block that is not indented': 'a:\n  b: |\n  c: d\n',
    'an item indented too far': 'a:\n  - b\n   - c\n',
    'a pair indented too far': 'a: b\n  c: d\n',
    'text behind a mark': '--- a\n',
    'a comment further left than the value behind it': 'a:\n#c\n  x\nb: y\n',
    'a comment further left than the first line': '#c\n  a: b\n',
    'a comment further left, of several': 'a:\n    # b\n # c\n\n    # d\n  e: f\n',
    'a comment between brackets': '{a: b, # c\n  d: e}\n',
    'a comment between brackets, on a line of its own': '{a: b\n#c\n}\n',
    'a comment between brackets, before a comma': '[a\n  # c\n, b]\n',
    'nesting without end': `a: ${'['.repeat(60)}${']'.repeat(60)}\n`,
  };
  it.each(Object.entries(left))('%s: left to the library', (_name, text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});

describe('a text too large for the library', () => {
  const pairs = Array.from({ length: 7 }, (_, index) => `  k${index}: v\n`).join('');
  const large: Readonly<Record<string, () => string>> = {
    'one long text': () => `a: "${'x'.repeat(16_000_008)}"\n`,
    'one long text of escapes': () => `a: "${'\\n'.repeat(16_000_008)}"\n`,
    'one long text without quotes': () => `a: ${'x'.repeat(16_000_008)}\n`,
    'a long block': () => `a: |\n  ${'x'.repeat(16_000_008)}\n`,
    'many texts': () => Array.from({ length: 2000 }, (_, index) => `k${index}: ${'x'.repeat(8000)}\n`).join(''),
    'texts in brackets': () => `[${`"${'x'.repeat(8000)}",`.repeat(2000)}a]\n`,
    'many values on the lines of their keys': () => `-\n${pairs}`.repeat(250_001),
  };
  it.each(Object.entries(large))('%s: left to it', (_name, textOf) => {
    expect(readPlainYaml(textOf())).toBeUndefined();
  });

  it('just not: read', () => {
    expect(readPlainYaml(`a: "${'x'.repeat(15_999_984)}"\n`)).toHaveLength(1);
    expect(readPlainYaml(`-\n${pairs}`.repeat(222_000))).toHaveLength(1);
  });
});

describe('any text', () => {
  // Parted by a character that is in none of them.
  const words = fc.constantFrom(
    ...`a·b: ·c:·"d": ·"e":·'f'·- ·-·: ·:·,·, ·[·]·{·}·\n·\n  ·\n    ·\n   · ·  ·# x· # y·#c\n·\n#c\n·\n  #c\n·\n    # c\n·|\n·|-\n  ·>\n  ·---\n·\n---\n·5·0·1e3·.5·true·null·~·no·/a/**·"\\n"·"\\"·''·&g ·*g·!h ·?·? ·%·@·\`·=·<<: ·\t·...·é·"·'·(·$·_·0x1`.split(
      '·',
    ),
  );

  it('words of YAML in any order: nothing, or the same as the library', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 14 }), (parts) => {
        const { plain, library } = readTwice(parts.join(''));
        expect(plain).toEqual(library);
      }),
      { numRuns: 30_000 },
    );
  });

  const scalars = fc.constantFrom(
    'a',
    'b c',
    'orders:read',
    'https://x.test',
    '5',
    '30s',
    'true',
    '"q: \\" #"',
    "'it''s'",
    '/a/{id}',
    'x#y',
    '007',
    'nullable',
  );
  const keys = fc.constantFrom('a', 'b', 'c-d', 'e_f', '"g h"', "'i'", 'j.k');
  const columns = [0, 1, 2, 3, 4, 5, 6, 8];
  const comment = fc.constantFrom(
    '',
    '',
    '',
    ' # why',
    '\n\n',
    '   ',
    ...columns.map((column) => `\n${' '.repeat(column)}#c`),
  );

  interface Shape {
    readonly node: unknown;
  }
  const { node: tree } = fc.letrec<Shape>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalars,
      fc.array(tie('node'), { maxLength: 3 }),
      fc
        .uniqueArray(fc.tuple(keys, tie('node')), { maxLength: 3, selector: ([key]) => key })
        .map((pairs) => new Map(pairs as [string, unknown][])),
    ),
  }));

  /** Writes a tree as somebody might, with the choices taken in turn. */
  function write(node: unknown, indent: number, choices: Iterator<number>): string {
    const choice = choices.next().value as number;
    const pad = ' '.repeat(indent);
    if (typeof node === 'string') return ` ${node}`;
    const isFlow = choice % 3 === 0;
    if (Array.isArray(node)) {
      if (node.length === 0) return ' []';
      if (isFlow) return ` [${node.map((item) => flow(item)).join(choice % 2 === 0 ? ', ' : `,\n${pad}  `)}]`;
      return `\n${node.map((item) => `${pad}-${write(item, indent + 2, choices)}`).join('\n')}`;
    }
    const pairs = [...(node as Map<string, unknown>)];
    if (pairs.length === 0) return ' {}';
    if (isFlow) return ` { ${pairs.map(([key, value]) => `${key}: ${flow(value)}`).join(', ')} }`;
    return `\n${pairs.map(([key, value]) => `${pad}${key}:${write(value, indent + (choice % 2 === 0 ? 2 : 4), choices)}`).join('\n')}`;
  }

  function flow(node: unknown): string {
    if (typeof node === 'string') return node;
    if (Array.isArray(node)) return `[${node.map(flow).join(', ')}]`;
    return `{ ${[...(node as Map<string, unknown>)].map(([key, value]) => `${key}: ${flow(value)}`).join(', ')} }`;
  }

  function* endless(numbers: readonly number[]): Generator<number> {
    for (let index = 0; ; index += 1) yield numbers[index % numbers.length] ?? 0;
  }

  it('trees in any style, with comments and mistakes of indentation: nothing, or the same as the library', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        tree,
        fc.array(fc.nat(11), { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(), comment), { maxLength: 3 }),
        fc.option(fc.tuple(fc.nat(), fc.constantFrom(-1, 1, 2)), { freq: 4 }),
        (node, numbers, comments, mistake) => {
          const lines = write(node, 0, endless(numbers))
            .replace(/^[\n ]/, '')
            .split('\n');
          for (const [at, text] of comments) lines[at % lines.length] += text;
          const [at = 0, by = 0] = mistake ?? [];
          const line = lines[at % lines.length] ?? '';
          lines[at % lines.length] = by < 0 ? line.replace(/^ /, '') : ' '.repeat(by) + line;
          const text = `${lines.join('\n')}\n`;
          const { plain, library } = readTwice(text);
          if (plain !== undefined) compared += 1;
          expect(plain).toEqual(library);
        },
      ),
      { numRuns: 10_000 },
    );
    // Else nothing was compared.
    expect(compared).toBeGreaterThan(3000);
  });
});

describe('comments between a key or dash and its value', () => {
  const outers = ['', 'k:\n  ', '- '];
  const comments = ['#c', '# c', '#', '#-', '#:', '# c\n\n'];
  const values = ['x', '"x"', '[x]', '{x: y}', '|\n        t', 'x: y', '- x'];

  function* texts(): Generator<string> {
    for (const outer of outers) {
      const base = outer === '' ? '' : '  ';
      for (const [entry, after] of [
        ['a:', 'b: z'],
        ['-', '- z'],
      ] as const)
        for (const comment of comments)
          for (let column = 0; column < 7; column += 1)
            for (const value of values)
              for (const pad of ['  ', '   '])
                for (const tail of ['', `${base}${after}\n`, outer === '- ' ? '- w\n' : 'm: w\n'])
                  yield `${outer}${entry}\n${' '.repeat(column)}${comment}\n${base}${pad}${value}\n${tail}`;
    }
  }

  it('of every column: nothing, or the same as the library', () => {
    let compared = 0;
    for (const text of texts()) {
      const { plain, library } = readTwice(text);
      if (plain !== undefined) compared += 1;
      expect([text, plain]).toEqual([text, library]);
    }
    expect(compared).toBeGreaterThan(3000);
  });

  const swallowing: Readonly<Record<string, readonly [text: string, problem: string]>> = {
    'an item': ['-\n#c\n  x\n- y\n', '3:3'],
    'an item further in': ['a:\n  -\n#c\n    x\n  - y\n', '4:5'],
    'a value, blank lines around': ['- a:\n\n#c\n\n   x\n- y\n', '5:4'],
    'an anchor on its line': ['-\n#c\n  &b x\n- y\n', '3:6'],
    'an anchor on the line before': ['-\n#c\n  &b\n  x\n- y\n', '4:3'],
  };
  it.each(Object.entries(swallowing))('%s that would take in the next lines: an error', (_name, [text, place]) => {
    const { trees, problems } = readYaml('f', text);
    expect(trees).toEqual([undefined]);
    expect(problems.map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`)).toEqual([
      `${place} yaml: a text of several lines behind a comment needs quotes`,
    ]);
  });

  const harmless: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
    'a comment further up': ['# c\na:\n  b\n  c\n', { a: 'b c' }],
    'text on the line of its key': ['# c\na: b\n  c\n', { a: 'b c' }],
    'text on the line of its dash': ['# c\n- b\n  c\n', ['b c']],
    'quoted text': ['a:\n  # c\n  "b\n  c"\n', { a: 'b c' }],
    'nothing before': ['\nb\nc\n', 'b c'],
  };
  it.each(Object.entries(harmless))('%s: no error', (_name, [text, value]) => {
    const { trees, problems } = readYaml('f', text);
    expect([problems, trees.map((tree) => tree?.value)]).toEqual([[], [value]]);
  });
});
