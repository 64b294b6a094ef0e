import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isScalar, parseDocument } from 'yaml';
import { alignScalar } from '../../../src/policy/scalar-text.ts';

/** The value of a text that is one scalar, and for each of its characters the text at its place. */
function alignedOf(text: string): { value: string; spelled: readonly string[] } | undefined {
  const { contents } = parseDocument(text, { schema: 'failsafe' });
  if (!isScalar<string>(contents)) throw new Error('no scalar');
  const { value } = contents;
  const start = contents.range?.[0] ?? 0;
  const toSource = alignScalar(text, start, value);
  if (toSource === undefined) return undefined;
  const spelled = Array.from(value, (_, index) => text.slice(toSource(index), toSource(index + 1)));
  return { value, spelled };
}

const cases: Readonly<Record<string, [text: string, spelled: readonly string[]]>> = {
  'plain: as it is': ['ab', ['a', 'b']],
  'plain on two lines: the break is a space': ['a  \n  b', ['a', '  \n  ', 'b']],
  'plain with a blank line: the breaks are one': ['a\n\n b', ['a', '\n\n ', 'b']],
  'single quoted: a quote is two': ["'a''b'", ['a', "''", 'b']],
  'double quoted: escapes': ['"a\\n\\x41\\u0042\\"c"', ['a', '\\n', '\\x41', '\\u0042', '\\"', 'c']],
  'double quoted: an escaped line break is nothing': ['"a\\\n   b"', ['a\\\n   ', 'b']],
  'double quoted: a fold': ['"a \n\n\n b"', ['a', '', ' \n\n\n ', 'b']],
  'literal block: lines without indentation': ['|\n  a\n   b\n', ['a', '\n  ', ' ', 'b', '\n']],
  'literal block: stripped, with a comment and CRLF': [
    '|- # why\r\n   a\r\n\r\n   b\r\n',
    ['a', '\r\n', '\r\n   ', 'b'],
  ],
  'literal block with an indentation of its own': ['|1\n   a\n b\n', [' ', ' ', 'a', '\n ', 'b', '\n']],
  'folded block: breaks are spaces': ['>\n  a\n  b\n\n  c\n', ['a', '\n  ', 'b', '\n\n  ', 'c', '\n']],
  'folded block: lines indented further keep theirs': [
    '>\n  a\n   b\n  c\n',
    ['a', '\n  ', ' ', 'b', '\n  ', 'c', '\n'],
  ],
};

describe('a scalar beside its source', () => {
  it.each(Object.entries(cases))('%s', (_name, [text, spelled]) => {
    expect(alignedOf(text)?.spelled).toEqual(spelled);
  });

  it('a surrogate pair from one escape: both at the escape', () => {
    expect(alignScalar('"\\U0001F600x"', 0, '\u{1f600}x')?.(1)).toBe(1);
    expect(alignScalar('"\\U0001F600x"', 0, '\u{1f600}x')?.(2)).toBe(11);
  });

  it.each([
    ['an alias', '*name', 'value'],
    ['another value', 'abc', 'abd'],
    ['a text that ends before the value', '"ab', 'abc'],
    ['a block without content', '|', 'a'],
  ])('%s: no place is made up', (_name, text, value) => {
    expect(alignScalar(text, 0, value)).toBeUndefined();
  });

  // What stands at the place of a letter is that letter, whatever surrounds it.
  const letters = fc
    .array(fc.constantFrom('a', 'b', ' ', '\n', '  ', "'", '"', '\\', 'é', '\t', ': ', ' #'), {
      minLength: 1,
      maxLength: 12,
    })
    .map((parts) => parts.join(''));

  /** Letters of the value whose place is not theirs. */
  function misplaced(text: string): readonly string[] {
    const document = parseDocument(text, { schema: 'failsafe' });
    const { contents } = document;
    fc.pre(document.errors.length === 0 && isScalar<string>(contents) && contents.value !== '');
    if (!isScalar<string>(contents)) return [];
    const toSource = alignScalar(text, contents.range?.[0] ?? 0, contents.value);
    return Array.from(contents.value).filter(
      (letter, index) => toSource === undefined || (/[abé]/.test(letter) && text[toSource(index)] !== letter),
    );
  }

  const frames: Readonly<Record<string, (inner: string) => string>> = {
    plain: (inner) => `x${inner}`,
    'double quoted': (inner) => JSON.stringify(inner),
    'double quoted, unescaped': (inner) => `"${inner.replaceAll(/["\\]/g, '')}"`,
    'single quoted': (inner) => `'${inner.replaceAll("'", "''")}'`,
    literal: (inner) => `|\n${inner.replaceAll(/^/gm, '  ')}\n`,
    'literal, kept': (inner) => `|+\n${inner.replaceAll(/^/gm, '  ')}\n\n`,
    folded: (inner) => `>\n${inner.replaceAll(/^/gm, '  ')}\n`,
    'folded, explicit': (inner) => `>2-\n${inner.replaceAll(/^/gm, '  ')}\n`,
  };
  it.each(Object.entries(frames))('any %s text: each letter at its own place', (_name, frame) => {
    fc.assert(
      fc.property(letters, (inner) => {
        expect(misplaced(frame(inner))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
