/**
 * Promises: which rules had to do with a request, and why each of them does or does not decide. Only the index that decides is asked
 * whether a route matches, so the explanation cannot know it better.
 */
import { buildRouteIndex, type PathPattern, type Route, type Segment } from '../policy/match.ts';
import type { ConsideredRule, ConsideredRules } from './explanation.ts';

/** A request in its canonical spelling. */
export interface Place {
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

const maxConsidered = 8;

export function considerRules(routes: readonly Route[], place: Place): ConsideredRules {
  const matching = bySpecificity(routes, place);
  const [winner] = matching;
  const nearby = winner === undefined ? nearMisses(routes, place) : othersOfPath(routes, place);
  const misses = onePerRule(nearby, new Set(matching.map(({ rule }) => rule.name)));
  const all = [
    ...onePerRule(matching, new Set()).map((route) => explainMatching(route, winner)),
    ...misses.map((route) => row(route, 'no_match', whyNot(route, place))),
  ];
  return { considered: all.slice(0, maxConsidered), omitted: Math.max(0, all.length - maxConsidered) };
}

/** The routes that match, most specific first: the index chooses among those that it has not chosen yet. */
function bySpecificity(routes: readonly Route[], place: Place): readonly Route[] {
  let left = routes.filter((route) => doesMatch(route, place));
  const ranked: Route[] = [];
  while (left.length > 0) {
    const numbered = left.map((route, at) => ({ ...route, rule: { ...route.rule, name: String(at) } }));
    const found = buildRouteIndex(numbered).match(place.host, place.path, place.method);
    const best = left[Number(found?.rule.name)];
    if (best === undefined) break;
    ranked.push(best);
    left = left.filter((route) => route !== best);
  }
  return ranked;
}

/** Whether the named parts of a route match; the others are taken to. */
function doesMatch(
  route: Route,
  { host, path, method }: Place,
  parts: Partial<Record<Part, boolean>> = every,
): boolean {
  const asked: Route = {
    rule: route.rule,
    host: parts.host === true ? route.host : undefined,
    path: parts.path === true ? route.path : anyPath,
    methods: parts.methods === true ? route.methods : undefined,
  };
  return buildRouteIndex([asked]).match(host, path, method) !== undefined;
}

type Part = 'host' | 'path' | 'methods';
const every = { host: true, path: true, methods: true };
const anyPath: PathPattern = { segments: [], hasRest: true };

/** Rules of this path that are for other methods or hosts. */
function othersOfPath(routes: readonly Route[], place: Place): readonly Route[] {
  return routes.filter((route) => doesMatch(route, place, { path: true }) && !doesMatch(route, place));
}

/** Where nothing matches: rules of this path, else those whose path begins alike, the most alike first. */
function nearMisses(routes: readonly Route[], place: Place): readonly Route[] {
  const ofPath = othersOfPath(routes, place);
  if (ofPath.length > 0) return ofPath;
  const alike = routes.map((route) => ({ route, common: commonSegments(route.path, place.path) }));
  return alike
    .filter(({ common }) => common > 0)
    .toSorted((a, b) => b.common - a.common)
    .map(({ route }) => route);
}

function commonSegments({ segments }: PathPattern, path: string): number {
  const texts = path.slice(1).split('/');
  const firstOther = segments.findIndex((segment, at) => !takes(segment, texts[at]));
  return firstOther === -1 ? segments.length : firstOther;
}

function takes({ kind, text }: Segment, sent: string | undefined): boolean {
  return kind === 'literal' ? text === sent : sent !== undefined && sent !== '';
}

/** The first route of each rule that is not `known` yet. */
function onePerRule(routes: readonly Route[], known: ReadonlySet<string>): readonly Route[] {
  const seen = new Set(known);
  return routes.filter(({ rule }) => {
    const isNew = !seen.has(rule.name);
    seen.add(rule.name);
    return isNew;
  });
}

function explainMatching(route: Route, winner: Route | undefined): ConsideredRule {
  if (route === winner || winner === undefined) return row(route, 'chosen', 'the most specific rule that matches');
  return row(route, 'less_specific', whyLost(route, winner));
}

/** The first difference decides (interface section 3), so it is all there is to say. */
function whyLost(route: Route, winner: Route): string {
  if (route.host !== winner.host) {
    const other = `${winner.host ?? 'any host'} of ${winner.rule.name}`;
    return route.host === undefined
      ? `no host is less specific than ${other}`
      : `${route.host} is less specific than ${other}`;
  }
  if (pathText(route.path) === pathText(winner.path) || sameShape(route.path, winner.path)) {
    return `no methods are less specific than ${winner.methods?.join(', ') ?? 'any'} of ${winner.rule.name}`;
  }
  const at = firstDifference(route.path, winner.path);
  return `segment ${at + 1}: ${segmentText(route.path, at)} is less specific than ${segmentText(winner.path, at)} of ${winner.rule.name}`;
}

function sameShape(a: PathPattern, b: PathPattern): boolean {
  return firstDifference(a, b) === -1;
}

/** Index of the first segment that differs in kind or text; -1: none does. Names of parameters say nothing. */
function firstDifference(a: PathPattern, b: PathPattern): number {
  const length = Math.max(a.segments.length, b.segments.length) + 1;
  for (let at = 0; at < length; at += 1) {
    const [mine, others] = [segmentText(a, at), segmentText(b, at)].map((text) =>
      text.startsWith('`{') ? '{}' : text,
    );
    if (mine !== others) return at;
  }
  return -1;
}

function segmentText({ segments, hasRest }: PathPattern, at: number): string {
  const segment = segments[at];
  if (segment === undefined) return at === segments.length && hasRest ? '`/**`' : 'the end';
  if (segment.kind === 'parameter') return `\`{${segment.text}}\``;
  return segment.text === '' ? 'the slash at the end' : `\`${segment.text}\``;
}

function whyNot(route: Route, place: Place): string {
  const parts: [Part, string][] = [
    ['path', 'its path does not match'],
    ['host', `host ${place.host} is not ${route.host ?? ''}`],
    ['methods', `method ${place.method} is not ${oneOf(route.methods ?? [])}`],
  ];
  return parts
    .filter(([part]) => !doesMatch(route, place, { [part]: true }))
    .map(([, why]) => why)
    .join('; ');
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? (words[0] ?? '') : `one of ${words.join(', ')}`;
}

export function pathText({ segments, hasRest }: PathPattern): string {
  const texts = segments.map(({ kind, text }) => (kind === 'literal' ? text : `{${text}}`));
  return `/${[...texts, ...(hasRest ? ['**'] : [])].join('/')}`;
}

function row(route: Route, outcome: ConsideredRule['outcome'], because: string): ConsideredRule {
  const { rule, host, path, methods } = route;
  return { rule: rule.name, methods: methods ?? null, host: host ?? null, path: pathText(path), outcome, because };
}
