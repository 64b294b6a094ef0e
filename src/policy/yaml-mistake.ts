/**
 * Promises: what the YAML library found wrong in a document, in our words, and without what only follows from a mistake before it.
 */

/** The part of an error of the library that is used here. */
export interface SyntaxMistake {
  readonly code: string;
  readonly pos: readonly [number, number];
  readonly message: string;
}

export interface WordedMistake {
  readonly offset: number;
  readonly message: string;
}

const messages: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot start here, text that holds `: ` needs quotes',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  BAD_DQ_ESCAPE: 'the escape in the quoted text is not valid',
  BAD_DIRECTIVE: 'the directive is not valid',
  BAD_SCALAR_START: 'plain text cannot start with this character, it needs quotes',
  KEY_OVER_1024_CHARS: 'a key must be shorter than 1024 characters',
  MISSING_CHAR: 'a character is missing, such as `:`, `,` or a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line, perhaps `:` is missing',
  NON_STRING_KEY: 'expected a key that is plain text',
  TAB_AS_INDENT: 'a tab cannot indent, use spaces',
  TAG_RESOLVE_FAILED: 'tags are not supported',
  RESOURCE_EXHAUSTION: 'the document is nested too deeply',
};

/** Of one document, in the order of the library. */
export function wordMistakes(text: string, mistakes: readonly SyntaxMistake[]): readonly WordedMistake[] {
  const worded: WordedMistake[] = [];
  const offsets = new Set<number>();
  for (const mistake of mistakes) {
    const [offset] = mistake.pos;
    // From either on the library reads the text as something else than was meant: what it finds behind is no mistake of its own.
    if (isTemplate(text, offset)) return [...worded, { offset, message: 'a path with `{` and `}` needs quotes' }];
    if (isIndentation(text, mistake)) {
      const message = 'the indentation differs from the line above';
      return [...worded, { offset: firstWord(text, offset), message }];
    }
    // One missing bracket ends every collection around it; each of them would say so at the same place.
    if (offsets.has(offset)) continue;
    offsets.add(offset);
    worded.push({ offset, message: messages[mistake.code] ?? 'not valid YAML' });
  }
  return worded;
}

/** A brace in the middle of a plain text with a slash before it. */
function isTemplate(text: string, offset: number): boolean {
  return text[offset] === '{' && text[offset - 1] === '/';
}

/** An entry of a mapping or list that starts at another column than the one before it. */
function isIndentation(text: string, { pos: [offset], message }: SyntaxMistake): boolean {
  const isEntry = message.includes('start at the same column') || message.includes('item without - indicator');
  return isEntry && text[offset - 1] === '\n' && /[^ \n]/.test(text[firstWord(text, offset)] ?? '\n');
}

function firstWord(text: string, lineStart: number): number {
  let at = lineStart;
  while (text[at] === ' ') at += 1;
  return at;
}
