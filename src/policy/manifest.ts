/**
 * Promises: the policy documents of a file that an operator keeps: documents as they are, or inside the ConfigMap manifests that
 * `kubectl apply` takes, one or many, in lists or one after the other. Every place is one in that file.
 *
 * Manifests of other kinds are passed over: a file that is applied as a whole often has a Namespace or a Deployment beside the policy,
 * and its ConfigMaps need not all be policies. Only a file without any policy is a mistake.
 */
import { gather, limited, type ParsedFile, type PolicyFile, parseAll, parseDocument, parseParts } from './document.ts';
import type { Problem } from './problem.ts';
import { didYouMean } from './suggestion.ts';
import { type Tree, type TreePath, valueAt } from './tree.ts';
import { readYaml } from './yaml.ts';

/** Problems may be warnings, unlike those of `parseDocuments`; there are not more than anybody reads. */
export function readPolicyFile(file: PolicyFile): ParsedFile {
  return limited(readFile(file));
}

function readFile({ name, text, toPlace }: PolicyFile): ParsedFile {
  const { trees, problems } = readYaml(name, text, toPlace);
  const isReadable = problems.length === 0;
  const manifests = trees.map((tree) => (tree === undefined ? undefined : manifestOf(tree, [])));
  const parts = parseParts(name, trees, (tree, index) => {
    const manifest = manifests[index];
    return tree === undefined || manifest === undefined
      ? parseDocument(name, tree, isReadable)
      : readManifest({ file: name, tree, ...manifest });
  });
  const all = gather(problems, parts);
  // A mistake in a manifest may have cost a document something, and which one it was meant for is not known.
  if (hasErrors(all))
    return { ...all, documents: all.documents.map((document) => ({ ...document, isComplete: false })) };
  if (all.documents.length > 0) return all;
  const kinds = manifests.flatMap((manifest) => (manifest === undefined ? [] : [manifest.kind]));
  return gather([...all.problems, nothingIn(name, kinds)], []);
}

function hasErrors({ problems }: ParsedFile): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

interface Manifest {
  readonly kind: string;
  readonly path: TreePath;
}

interface Reading extends Manifest {
  readonly file: string;
  readonly tree: Tree;
}

/** What is no manifest is a policy document, or was meant to be one. */
function manifestOf(tree: Tree, path: TreePath): Manifest | undefined {
  const apiVersion = valueAt(tree, [...path, 'apiVersion']);
  const kind = valueAt(tree, [...path, 'kind']);
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion.startsWith('scopegate.dev/'))
    return undefined;
  const isKnown = apiVersion === 'v1' && (kind === 'ConfigMap' || kind.endsWith('List'));
  const hasMetadata = tree.container([...path, 'metadata']) !== undefined;
  return isKnown || hasMetadata ? { kind, path } : undefined;
}

function readManifest(reading: Reading): ParsedFile {
  if (reading.kind === 'ConfigMap') return readConfigMap(reading);
  return reading.kind.endsWith('List') ? readList(reading) : nothing;
}

const nothing: ParsedFile = { documents: [], problems: [] };

function readList({ file, tree, path }: Reading): ParsedFile {
  const items = valueAt(tree, [...path, 'items']);
  const parts = parseParts(file, Array.isArray(items) ? items : [], (_item, index) => {
    const manifest = manifestOf(tree, [...path, 'items', index]);
    return manifest === undefined ? nothing : readManifest({ file, tree, ...manifest });
  });
  return gather([], parts);
}

function readConfigMap(reading: Reading): ParsedFile {
  const { tree, path } = reading;
  const binary = tree.container([...path, 'binaryData']);
  const problems = binary === undefined ? [] : [warnBinary(reading)];
  const data = valueAt(tree, [...path, 'data']);
  if (data === undefined || data === null) return { documents: [], problems };
  if (typeof data !== 'object' || Array.isArray(data)) {
    return { documents: [], problems: [...problems, wrongType(reading, ['data'], 'a mapping')] };
  }
  const keys = Object.keys(data).filter((key) => /\.(?:yaml|yml|json)$/.test(key));
  return gather(
    problems,
    parseParts(reading.file, keys, (key) => readKey(reading, key)),
  );
}

function readKey(reading: Reading, key: string): ParsedFile {
  const { file: name, tree, path } = reading;
  const at = [...path, 'data', key];
  const text = valueAt(tree, at);
  if (typeof text === 'string') return parseAll({ name, text, toPlace: tree.placesIn(at) });
  return { documents: [], problems: [wrongType(reading, ['data', key], 'text', `write \`|\` behind the colon`)] };
}

function wrongType({ file, tree, path }: Reading, steps: TreePath, wanted: string, hint?: string): Problem {
  const place = tree.place([...path, ...steps]);
  const problem = { severity: 'error', file, ...place, code: 'wrong_type', message: `expected ${wanted}` } as const;
  return hint === undefined ? problem : { ...problem, hint };
}

function warnBinary({ file, tree, path }: Reading): Problem {
  const place = tree.place([...path, 'binaryData'], 'key');
  return { severity: 'warning', file, ...place, code: 'binary_data', message: '`binaryData` is never read' };
}

function nothingIn(file: string, kinds: readonly string[]): Problem {
  const problem = { severity: 'error', file, line: 1, column: 1, code: 'no_document' } as const;
  if (kinds.includes('ConfigMap')) {
    return { ...problem, message: 'no key of the ConfigMap ends in `.yaml`, `.yml` or `.json`' };
  }
  const hint = kinds.map((kind) => didYouMean(kind, ['ConfigMap'])).find((found) => found !== undefined);
  const message = 'the file holds no policy document and no ConfigMap';
  return hint === undefined ? { ...problem, message } : { ...problem, message, hint };
}
