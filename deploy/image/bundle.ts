/**
 * Promises: `dist-bundle/`, the program as it goes into the image: all of `src/` and of the packages that it needs in a handful of
 * readable files, and the licences of those packages beside them. Fails where a package cannot be bundled as was thought.
 * Leaves to others: the image (Dockerfile).
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { rolldown } from 'rolldown';
import { chunkNames } from './chunks.ts';
import { lateModules } from './late-modules.ts';
import { noticesOf, readManifest } from './notices.ts';
import { packageChanges } from './package-changes.ts';

const root = join(import.meta.dirname, '..', '..');

/** Back with the files that were written, main.js first. */
export async function bundle(folder: string): Promise<readonly string[]> {
  rmSync(folder, { recursive: true, force: true });
  const changes = packageChanges();
  const chunks = chunkNames(join(root, 'src'));
  const build = await rolldown({
    cwd: root,
    input: { main: 'src/main.ts' },
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    plugins: [lateModules(), changes.plugin, chunks.plugin],
    onLog: (level, { code, message }) => {
      // A module that one command loads when it runs, and another at once.
      if (code === 'INEFFECTIVE_DYNAMIC_IMPORT' || level === 'debug' || level === 'info') return;
      throw new Error(`rolldown: ${code ?? level}: ${message}`);
    },
  });
  const { output } = await build.write({
    dir: join(folder, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    comments: { legal: true, annotation: false, jsdoc: false },
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ debugName: 'when it is loaded', name: chunks.name }],
    },
  });
  await build.close();
  const modules = output.flatMap((file) =>
    file.type === 'chunk'
      ? Object.entries(file.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []))
      : [],
  );
  writeBeside(folder, modules);
  if (changes.readsHealthProto()) copyProto(folder);
  return output.map(({ fileName }) => join(folder, 'dist', fileName));
}

/** What has to travel with the program. */
function writeBeside(folder: string, modules: readonly string[]): void {
  const manifest = { ...readManifest(root), type: 'module' };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  // Written and not copied: the image must not take over the modes of somebody's checkout.
  const license = readFileSync(join(root, 'LICENSE'), 'utf8');
  writeFileSync(join(folder, 'LICENSE'), license);
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), noticesOf(modules, license));
}

function copyProto(folder: string): void {
  const proto = join(folder, 'dist/proto/health/v1/health.proto');
  mkdirSync(dirname(proto), { recursive: true });
  writeFileSync(proto, readFileSync(join(root, 'node_modules/grpc-health-check/proto/health/v1/health.proto')));
}

if (import.meta.main) {
  const files = await bundle(join(root, 'dist-bundle'));
  for (const file of files) {
    process.stdout.write(`${file.slice(root.length + 1)}  ${(statSync(file).size / 1024).toFixed(0)} KiB\n`);
  }
}
