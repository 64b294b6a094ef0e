/**
 * Promises: the layout of src/ is a rule and not a habit. Imports point one way, so that a decision is made without clock, network
 * or process; a package has one room that answers for it; one place makes an Allow.
 * Leaves to others: cycles, globals and function sizes (.oxlintrc.json).
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Room {
  /** Rooms that it may import; its own files it always may. */
  readonly ours: readonly string[];
  /** Packages that it may import; `node:*` stands for all of Node's. */
  readonly packages: readonly string[];
}

/**
 * Lowest first: a row names only rooms above it in this table. What a pure room may take of a Node module is
 * narrower still: `no-restricted-imports` in .oxlintrc.json.
 */
const rooms: Readonly<Record<string, Room>> = {
  decision: { ours: [], packages: [] },
  token: { ours: ['decision'], packages: ['jose', 'node:crypto', 'node:buffer'] },
  condition: { ours: ['decision'], packages: ['@bufbuild/cel', '@bufbuild/protobuf', '@bufbuild/re2'] },
  policy: { ours: ['decision', 'token', 'condition'], packages: ['zod', 'yaml', 'node:crypto', 'node:buffer'] },
  authorizer: { ours: ['decision', 'token', 'condition', 'policy'], packages: ['node:crypto'] },
  rehearsal: { ours: ['decision', 'token', 'policy', 'authorizer'], packages: ['node:timers'] },
  report: { ours: ['policy', 'rehearsal'], packages: ['node:util'] },
  openapi: { ours: ['decision', 'policy'], packages: ['yaml'] },
  envoy: { ours: ['decision'], packages: ['node:buffer'] },
  keyset: {
    ours: ['decision', 'token'],
    packages: ['jose', 'node:buffer', 'node:crypto', 'node:http', 'node:https', 'node:net', 'node:timers', 'node:tls'],
  },
  egress: {
    ours: ['decision', 'token', 'keyset'],
    packages: ['oauth4webapi', 'node:crypto', 'node:fs', 'node:http', 'node:https'],
  },
  proofs: { ours: ['token'], packages: ['@redis/client', 'node:fs'] },
  introspection: {
    ours: ['decision', 'token', 'keyset', 'egress'],
    packages: ['oauth4webapi', 'node:crypto'],
  },
  explanation: {
    ours: ['decision', 'token', 'condition', 'policy', 'authorizer', 'report', 'envoy', 'keyset'],
    packages: [],
  },
  replay: { ours: ['decision', 'condition', 'token', 'policy', 'authorizer', 'report'], packages: [] },
  telemetry: { ours: ['decision'], packages: ['pino', 'prom-client', 'node:*'] },
  http2: { ours: [], packages: [] },
  server: { ours: ['http2'], packages: ['@grpc/grpc-js', 'grpc-health-check', 'node:*'] },
  source: { ours: [], packages: ['node:fs', 'node:path', 'node:crypto'] },
  kubernetes: { ours: [], packages: ['@kubernetes/client-node', 'yaml', 'node:*'] },
  admission: { ours: ['policy', 'report'], packages: [] },
  state: { ours: ['source'], packages: ['node:*'] },
  config: { ours: [], packages: ['node:net'] },
  check: { ours: ['decision', 'authorizer', 'envoy', 'telemetry'], packages: [] },
  sidecar: {
    ours: [
      'decision',
      'token',
      'policy',
      'authorizer',
      'envoy',
      'keyset',
      'egress',
      'introspection',
      'proofs',
      'telemetry',
      'server',
      'source',
      'kubernetes',
      'admission',
      'state',
      'config',
      'check',
      'rehearsal',
    ],
    packages: ['node:*'],
  },
  workers: {
    ours: ['decision', 'token', 'policy', 'keyset', 'egress', 'telemetry', 'server', 'config', 'sidecar'],
    packages: ['node:*'],
  },
  commands: {
    ours: [
      'policy',
      'rehearsal',
      'report',
      'openapi',
      'explanation',
      'replay',
      'source',
      'sidecar',
      'workers',
      'config',
    ],
    packages: ['commander', 'node:*'],
  },
  main: { ours: ['commands'], packages: ['node:*'] },
};

/** `policy/match.ts` is of room policy, `main.ts` is room main. */
function roomOf(file: string): string {
  return file.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const files = globSync('**/*.ts', { cwd: join(root, 'src') }).toSorted();
const source = new Map(files.map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')]));

const imports = [...source].flatMap(([file, text]) =>
  [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, to = '']) => ({ file, room: roomOf(file), to })),
);
const inner = imports.filter(({ to }) => to.startsWith('.'));
const outer = imports.filter(({ to }) => !to.startsWith('.'));

/** The room of what `file` imports as `to`. */
function target(file: string, to: string): string {
  return roomOf(join(file, '..', to));
}

/** Files whose text matches, so that a failure names them. */
function filesWith(pattern: RegExp): readonly string[] {
  return files.filter((file) => pattern.test(source.get(file) ?? ''));
}

describe('rooms of src/', () => {
  it('each has a row', () => {
    expect(files.filter((file) => rooms[roomOf(file)] === undefined)).toEqual([]);
  });

  it('no row lets a room import one that is not below it', () => {
    const names = Object.keys(rooms);
    const upward = names.filter((name, at) => rooms[name]?.ours.some((other) => !names.slice(0, at).includes(other)));
    expect(upward).toEqual([]);
  });

  it('each imports only the rooms that its row names', () => {
    const wrong = inner.filter(
      ({ file, room, to }) => ![room, ...(rooms[room]?.ours ?? [])].includes(target(file, to)),
    );
    expect(wrong).toEqual([]);
  });

  it('each imports only the packages that its row names', () => {
    const wrong = outer.filter(({ room, to }) => {
      const allowed = rooms[room]?.packages ?? [];
      return !allowed.includes(packageOf(to)) && !(to.startsWith('node:') && allowed.includes('node:*'));
    });
    expect(wrong).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const runtime = Object.keys(manifest['dependencies'] ?? {});
  const all = [...runtime, ...Object.keys(manifest['devDependencies'] ?? {})];

  it('at run time each is used by a room', () => {
    const used = new Set(outer.map(({ to }) => packageOf(to)));
    expect(runtime.filter((name) => !used.has(name))).toEqual([]);
  });

  it('each has a section in docs/dependencies.md that says why, and no other has', () => {
    const sections = [...readFileSync(join(root, 'docs/dependencies.md'), 'utf8').matchAll(/^### `(.+)`$/gm)];
    expect(sections.map(([, name = '']) => name).toSorted()).toEqual(all.toSorted());
  });

  it('each is pinned: an upgrade is a commit, not an accident', () => {
    const versions = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('the lock file names no registry, so that each machine uses its own', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved": "http');
  });
});

describe('source files', () => {
  it('only authorizer/authorize.ts makes an Allow', () => {
    expect(filesWith(/\bnew Allow\s*\(|\bextends Allow\b/)).toEqual(['authorizer/authorize.ts']);
  });

  it('none has a default export: a name is the same wherever it is used', () => {
    expect(filesWith(/^export (?:default\b|\{[^}]*\bas default\b)/m)).toEqual([]);
  });

  it('each opens with what it promises; of a test file, its tests say it', () => {
    const ours = globSync(['{src,test,deploy,proto}/**/*.ts', '*.ts'], { cwd: root, exclude: ['**/*.test.ts'] });
    const opening = /^(?:#!.*\n)?\/\*\*/;
    expect(ours.filter((file) => !opening.test(readFileSync(join(root, file), 'utf8'))).toSorted()).toEqual([]);
  });
});
