/**
 * Promises: the programs that are measured, each started on a port that Envoy asks: Scopegate in its variants, and authorizers that allow
 * everything, as the least that any can cost.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../deploy/envoy/install.ts';

export interface Start {
  readonly port: number;
  /** A file. */
  readonly policy: string;
  /** Tells of its longest stalls (stall-probe.ts). */
  readonly isProbed?: boolean;
}

export interface Contender {
  readonly name: string;
  /** Measured in every cell; the others in those that are for all. */
  readonly isMain: boolean;
  readonly command: (at: Start) => readonly string[];
}

const here = import.meta.dirname;
const root = join(here, '../../..');
const bundle = join(root, 'dist-bundle/dist/main.js');
/** As the image starts it. */
const flags = ['--max-semi-space-size=16'];

function scopegate(name: string, options: readonly string[] = [], program = bundle): Contender {
  return {
    name,
    isMain: options.length === 0,
    command: ({ port, policy, isProbed = false }) => [
      process.execPath,
      ...flags,
      ...(isProbed ? ['--import', join(here, 'stall-probe.ts')] : []),
      program,
      'serve',
      '--policy',
      policy,
      '--grpc',
      `127.0.0.1:${port}`,
      '--admin',
      '127.0.0.1:0',
      ...options,
    ],
  };
}

function allowAll(name: string, transport: string): Contender {
  const program = join(here, 'servers/allow-all.ts');
  return { name, isMain: false, command: ({ port }) => [process.execPath, program, transport, String(port)] };
}

/** `beside`: the main file of another build, to compare with. */
export async function contenders(beside?: string): Promise<readonly Contender[]> {
  if (!existsSync(bundle)) throw new Error('there is no bundle to measure: npm run bundle');
  const go = await goAllowAll();
  return [
    scopegate('scopegate'),
    ...(beside === undefined ? [] : [scopegate('another build', [], beside)]),
    scopegate('scopegate, decision log of all', ['--decision-log', 'all', '--decision-log-rate', '1000000']),
    scopegate('scopegate, decision log off', ['--decision-log', 'off']),
    scopegate('scopegate, grpc-js', ['--transport', 'grpc-js']),
    allowAll('allow-all, node:http2', 'http2'),
    allowAll('allow-all, @grpc/grpc-js', 'grpc-js'),
    ...(go === undefined ? [] : [go]),
  ];
}

/** Undefined where there is no Go. */
async function goAllowAll(): Promise<Contender | undefined> {
  const program = join(cacheFolder(process.env), 'bench-go-allow');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOTOOLCHAIN: 'local' };
  try {
    await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: join(here, 'servers/go-allow'), env });
  } catch (error) {
    console.error(`grpc-go is left out: ${String(error).split('\n', 1).join('')}`);
    return undefined;
  }
  return { name: 'allow-all, grpc-go', isMain: false, command: ({ port }) => [program, String(port)] };
}
