/**
 * Promises: the path of a document as a path of a policy. What a policy has no word for, such as a template inside a segment, becomes a
 * wider path that covers it, marked as not exact: there a request can be refused, and never be allowed for this path's sake.
 */
import { Stop } from '../decision/step.ts';
import { canonicalPath } from '../policy/path.ts';
import { PatternRefusal, parsePathPattern, shapeOf } from '../policy/path-pattern.ts';

export interface PathTemplate {
  /** As a rule has it. */
  readonly text: string;
  /** The same for all paths that match the same requests. */
  readonly shape: string;
  readonly isExact: boolean;
  /** A name such as `{proxy+}` or `{path:.*}`, by which some gateways mean more than one segment. */
  readonly isGreedy: boolean;
}

/** Undefined: no request can have such a path, or none that could be told from others. */
export function translatePath(path: string): PathTemplate | undefined {
  const names: string[] = [];
  // Out of the way first: a name may hold what ends a segment or a path.
  const numbered = path.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => `{${names.push(name) - 1}}`);
  const [plain = ''] = numbered.split(/[?#]/, 1);
  const segments = plain.split('/').slice(1);
  if (!plain.startsWith('/') || segments.slice(0, -1).includes('')) return undefined;
  const translated = segments.map((segment) => translateSegment(segment, names));
  const text = `/${nameParameters(translated).join('/')}`;
  const pattern = parsePathPattern(text, 'reject');
  if (pattern instanceof PatternRefusal) return undefined;
  return {
    text,
    shape: shapeOf(pattern),
    isExact: plain === numbered && translated.every(({ isExact }) => isExact),
    isGreedy: names.some((name) => /[+*:]/.test(name)),
  };
}

interface Segment {
  readonly kind: 'literal' | 'parameter';
  /** A literal in its canonical spelling; the name of a parameter, as the document has it. */
  readonly text: string;
  readonly isExact: boolean;
}

function translateSegment(segment: string, names: readonly string[]): Segment {
  const index = /^\{(\d+)\}$/.exec(segment)?.[1];
  if (index !== undefined) return { kind: 'parameter', text: names[Number(index)] ?? '', isExact: true };
  const escaped = segment.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
  const canonical = /[{}*]/.test(segment) ? undefined : canonicalPath(`/${escaped}`, 'reject');
  return canonical === undefined || canonical instanceof Stop
    ? { kind: 'parameter', text: 'segment', isExact: false }
    : { kind: 'literal', text: canonical.slice(1), isExact: true };
}

/** JWT-14: names that a policy refuses. */
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Each name once in a path, of letters, digits and `_`. */
function nameParameters(segments: readonly Segment[]): readonly string[] {
  const used = new Set<string>();
  return segments.map(({ kind, text }) => {
    if (kind === 'literal') return text;
    const base = identifier(text);
    let name = base;
    for (let count = 2; used.has(name); count += 1) name = `${base}_${count}`;
    used.add(name);
    return `{${name}}`;
  });
}

function identifier(name: string): string {
  const plain = name.slice(0, 60).replaceAll(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(plain) && !reserved.has(plain) ? plain : `p_${plain}`;
}
