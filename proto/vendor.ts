/**
 * Promises: repeats how the `.proto` files of this folder came here. Fetches the pinned packages with npm and cargo, checks their
 * digests, takes the files that Check and Health need with all they import, and reports each difference to what is committed.
 * `npm run proto` writes them, `npm run proto -- --check` only compares (exit 1 on a difference, 2 when a package cannot be had).
 * Leaves to others: test/unit/proto/proto.test.ts checks the committed files on every run, without network.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const folder = import.meta.dirname;

/** The files that something of ours names; the rest follows from their imports. */
const entries = ['envoy/service/auth/v3/external_auth.proto', 'grpc/health/v1/health.proto'];

/** Comes with every protobuf runtime, ours included. */
const wellKnown = 'google/protobuf/';

/** What a package is and where it keeps the files: import path → path below the unpacked archive, tried in this order. */
interface Source {
  readonly name: string;
  readonly version: string;
  /** `algorithm-digest` in base64, of the archive as the registry serves it. */
  readonly integrity: string;
  readonly fetch: (source: Source, into: string) => string;
  readonly places: readonly ((path: string) => string)[];
}

const sources: readonly Source[] = [
  {
    name: 'envoy-types',
    version: '0.7.7',
    integrity: 'sha256-4f3T+n6DR4ct1dboYmRBWJ8P2H1/zzADpMyiED7MOcA=',
    fetch: fetchCrate,
    places: ['data-plane-api', 'xds', 'protoc-gen-validate', 'googleapis'].map(
      (set) => (path) => `envoy-types-0.7.7/proto/${set}/${path}`,
    ),
  },
  {
    name: 'grpc-health-check',
    version: '2.1.0',
    integrity: 'sha512-HH3WjwNtusMTEQAtRelFgsFyNcOdihvpjusNDIrGYfWG8tPNSHqELrSyriIjm70k65YSxetsKG1y4H1L5gi1wQ==',
    fetch: fetchNpm,
    places: [(path) => path.replace(/^grpc\//, 'package/proto/')],
  },
];

/** A package that cannot be had, in one line for a person. */
class Unavailable extends Error {}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  } catch (error) {
    const last = error instanceof Error ? error.message.trim().split('\n').at(-1) : '';
    throw new Unavailable(
      `${command} ${args.join(' ')} failed; is ${command} installed and its registry reachable? ${last}`,
    );
  }
}

function fetchNpm({ name, version }: Source, into: string): string {
  return join(into, run('npm', ['pack', '--silent', `${name}@${version}`], into).trim());
}

/** `cargo info` is the one command of cargo that downloads a single package without those it depends on. */
function fetchCrate({ name, version }: Source, into: string): string {
  const home = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo');
  const find = (): string | undefined => globSync(join(home, `registry/cache/*/${name}-${version}.crate`))[0];
  if (find() === undefined) run('cargo', ['info', '--quiet', `${name}@${version}`], into);
  const archive = find();
  if (archive === undefined) throw new Unavailable(`cargo left no ${name}-${version}.crate in ${home}`);
  return archive;
}

function verify(archive: string, { name, version, integrity }: Source): void {
  const [algorithm = '', wanted] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
  if (found !== wanted) throw new Unavailable(`${name} ${version} is not the pinned archive: ${algorithm}-${found}`);
}

/** Import path → text, of the entries and all they import. */
function collect(unpacked: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const wanted = [...entries];
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (files.has(path) || path.startsWith(wellKnown)) continue;
    const text = readFileSync(locate(unpacked, path), 'utf8');
    files.set(path, text);
    for (const match of text.matchAll(/^import (?:public |weak )?"(.+)";/gm)) wanted.push(match[1] ?? '');
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function locate(unpacked: string, path: string): string {
  const places = sources.flatMap((source) => source.places.map((place) => join(unpacked, place(path))));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Unavailable(`no pinned package has ${path}`);
  return found;
}

/** The format of `sha256sum`, so that `sha256sum --check SHA256SUMS` works too. */
function sums(files: ReadonlyMap<string, string>): string {
  return [...files].map(([path, text]) => `${createHash('sha256').update(text).digest('hex')}  ${path}\n`).join('');
}

function differences(files: ReadonlyMap<string, string>): readonly string[] {
  const committed = new Set(globSync('**/*.proto', { cwd: folder }));
  const changed = [...files].filter(
    ([path, text]) => committed.has(path) && readFileSync(join(folder, path), 'utf8') !== text,
  );
  return [
    ...changed.map(([path]) => `differs: ${path}`),
    ...[...files.keys()].filter((path) => !committed.has(path)).map((path) => `missing: ${path}`),
    ...[...committed].filter((path) => !files.has(path)).map((path) => `not in the packages: ${path}`),
  ];
}

function write(files: ReadonlyMap<string, string>): void {
  for (const path of globSync('**/*.proto', { cwd: folder })) if (!files.has(path)) rmSync(join(folder, path));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(join(folder, 'SHA256SUMS'), sums(files));
}

function vendor(into: string, isCheck: boolean): number {
  for (const source of sources) {
    const archive = source.fetch(source, into);
    verify(archive, source);
    run('tar', ['-xzf', archive], into);
  }
  const files = collect(into);
  const found = differences(files);
  for (const line of found) console.log(line);
  console.log(`${files.size} files, ${found.length} differences`);
  if (!isCheck) write(files);
  return isCheck && found.length > 0 ? 1 : 0;
}

const into = mkdtempSync(join(tmpdir(), 'scopegate-proto-'));
try {
  process.exitCode = vendor(into, process.argv.includes('--check'));
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.error(`proto: ${error.message}`);
  process.exitCode = 2;
} finally {
  rmSync(into, { recursive: true, force: true });
}
