/**
 * Promises: the path of a rule as segments, or why it is none. What canonicalisation would spell otherwise is refused, since no
 * request could ever match it as it stands.
 */
import { Stop } from '../decision/step.ts';
import type { PathPattern, Segment } from './match.ts';
import { canonicalPath } from './path.ts';
import { quote } from './wording.ts';

export class PatternRefusal {
  readonly code: 'path' | 'template';
  readonly message: string;
  readonly hint: string | undefined;

  constructor(code: 'path' | 'template', message: string, hint?: string) {
    this.code = code;
    this.message = message;
    this.hint = hint;
  }
}

/** JWT-14 for template names: conditions look them up as they look up claims. */
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function parsePathPattern(path: string, pathParameters: 'reject' | 'keep'): PathPattern | PatternRefusal {
  const canonical = canonicalPath(path, pathParameters);
  if (canonical instanceof Stop)
    return new PatternRefusal('path', canonical.detail ?? '', spelling(path, pathParameters));
  if (canonical !== path) {
    const message = path.includes('?') ? 'a path has no query' : 'the path is not in its canonical spelling';
    return new PatternRefusal('path', message, `write ${quote(canonical)}`);
  }
  const texts = path.slice(1).split('/');
  const hasRest = texts.at(-1) === '**';
  const segments: Segment[] = [];
  for (const text of hasRest ? texts.slice(0, -1) : texts) {
    const segment = parseSegment(text);
    if (segment instanceof PatternRefusal) return segment;
    const isRepeated = segment.kind === 'parameter' && segments.some((other) => isSame(other, segment));
    if (isRepeated) return new PatternRefusal('template', `the name ${quote(segment.text)} is used twice in one path`);
    segments.push(segment);
  }
  return { segments, hasRest };
}

function parseSegment(text: string): Segment | PatternRefusal {
  if (text.includes('*')) {
    return new PatternRefusal('template', '`*` stands only in a trailing `/**`', '`{name}` is one segment of any text');
  }
  if (!/[{}]/.test(text)) return { kind: 'literal', text };
  const name = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
  if (name === undefined)
    return new PatternRefusal('template', `expected \`{name}\` as a whole segment, not ${quote(text)}`);
  return reserved.has(name)
    ? new PatternRefusal('template', `${quote(name)} cannot be a name in a path`)
    : { kind: 'parameter', text: name };
}

function isSame(a: Segment, b: Segment): boolean {
  return a.kind === b.kind && a.text === b.text;
}

/** Text beyond ASCII is the one thing that has an obvious other spelling. */
function spelling(path: string, pathParameters: 'reject' | 'keep'): string | undefined {
  const escaped = path.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
  const canonical = escaped === path ? undefined : canonicalPath(escaped, pathParameters);
  return typeof canonical === 'string' ? `write ${quote(canonical)}` : undefined;
}

/** Two patterns of one shape match the same paths; names of parameters do not matter. */
export function shapeOf({ segments, hasRest }: PathPattern): string {
  const texts = segments.map(({ kind, text }) => (kind === 'literal' ? text : '{}'));
  return `/${[...texts, ...(hasRest ? ['**'] : [])].join('/')}`;
}
