/**
 * Promises: what a document holds as plain values, and the place of every key and value in its text. No value is echoed.
 * Leaves to others: reading a text into a tree (yaml.ts) and what the values should be (schema.ts).
 */
import { alignScalar } from './scalar-text.ts';

/** Member names and list indexes, from the document inwards. */
export type TreePath = readonly PropertyKey[];

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

/** Where an offset into a text stands. */
export type ToPlace = (offset: number) => Place;

/** Offsets into the text for one mapping or list; `keys` is absent for a list. */
export interface NodeOffsets {
  readonly start: number;
  readonly keys?: string[];
  /** Of the keys of a mapping; empty for a list. */
  readonly keyOffsets: number[];
  /** Of the values of a mapping or the items of a list. */
  readonly valueOffsets: number[];
}

/** Of a mapping that is about to be read, to be filled key by key. */
export function mappingOffsets(start: number): NodeOffsets & { readonly keys: string[] } {
  return { start, keys: [], keyOffsets: [], valueOffsets: [] };
}

export interface Tree {
  readonly value: unknown;
  /** Where the value at a path, or its key, stands; for a path that leads nowhere, the deepest node that exists. */
  readonly place: (path: TreePath, part?: 'key' | 'value') => Place;
  /** Where the code units of the text at a path stand; at the start of that text when its spelling does not tell. */
  readonly placesIn: (path: TreePath) => ToPlace;
  /** Takes the node out of the tree, so that the rest can still be checked. */
  remove(path: TreePath): void;
  /** The mapping or list at a path; undefined when there is none. */
  container(path: TreePath): object | undefined;
}

/** The text that a tree was read from. */
export interface TreeSource {
  readonly text: string;
  readonly toPlace: ToPlace;
}

export function createTree(
  value: unknown,
  start: number,
  offsets: ReadonlyMap<object, NodeOffsets>,
  { text, toPlace }: TreeSource,
): Tree {
  const positions = createPositions();
  const offsetOf = (path: TreePath, part: 'key' | 'value'): number => {
    let node = value;
    let found = start;
    for (const [depth, step] of path.entries()) {
      const known = isContainer(node) ? offsets.get(node) : undefined;
      if (known === undefined) return found;
      const index = positions.of(known, step);
      const isLast = depth === path.length - 1;
      const next = (part === 'key' && isLast ? known.keyOffsets[index] : undefined) ?? known.valueOffsets[index];
      if (next === undefined) return found;
      found = next;
      node = childOf(node, step);
    }
    return found;
  };
  const container = (path: TreePath): object | undefined => {
    const node = path.reduce<unknown>(childOf, value);
    return isContainer(node) ? node : undefined;
  };
  return {
    value,
    place: (path, part = 'value') => toPlace(offsetOf(path, part)),
    placesIn: (path) => {
      const scalarStart = offsetOf(path, 'value');
      const scalar = path.reduce<unknown>(childOf, value);
      const toSource = typeof scalar === 'string' ? alignScalar(text, scalarStart, scalar) : undefined;
      return (offset) => toPlace(toSource === undefined ? scalarStart : toSource(offset));
    },
    remove: (path) => {
      const parent = container(path.slice(0, -1));
      const step = path.at(-1);
      const known = parent === undefined ? undefined : offsets.get(parent);
      if (parent === undefined || known === undefined || step === undefined) return;
      positions.drop(known, step);
      if (Array.isArray(parent)) parent.splice(Number(step), 1);
      else Reflect.deleteProperty(parent, step);
    },
    container,
  };
}

/** Where the entries of a mapping or list stand among its offsets. Made when first asked for: a tree without problems never is. */
interface Positions {
  readonly of: (known: NodeOffsets, step: PropertyKey) => number;
  readonly drop: (known: NodeOffsets, step: PropertyKey) => void;
}

function createPositions(): Positions {
  const known = new Map<NodeOffsets, Map<string, number>>();
  const ofKeys = (offsets: NodeOffsets, keys: readonly string[]): Map<string, number> => {
    const positions = known.get(offsets) ?? new Map(keys.map((key, index) => [key, index]));
    known.set(offsets, positions);
    return positions;
  };
  return {
    of: (offsets, step) => {
      const { keys } = offsets;
      return keys === undefined ? Number(step) : (ofKeys(offsets, keys).get(String(step)) ?? -1);
    },
    drop: (offsets, step) => {
      const { keys, valueOffsets } = offsets;
      // The offsets of a key stay where they are, so that taking out many is no work on all the others each time.
      if (keys === undefined) valueOffsets.splice(Number(step), 1);
      else ofKeys(offsets, keys).delete(String(step));
    },
  };
}

function isContainer(node: unknown): node is object {
  return typeof node === 'object' && node !== null;
}

function childOf(node: unknown, step: PropertyKey): unknown {
  return isContainer(node) && Object.hasOwn(node, step) ? Reflect.get(node, step) : undefined;
}

/** The value at a path; undefined when there is none. */
export function valueAt(tree: Tree, path: TreePath): unknown {
  return path.reduce<unknown>(childOf, tree.value);
}
