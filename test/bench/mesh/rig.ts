/**
 * Promises: what all measurements share: an issuer with its keys over HTTP, tokens in files, an upstream that answers everything, Envoy in
 * front of an authorizer. Gone with `close()`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyConfig } from '../../../deploy/envoy/config.ts';
import { envoyBinary } from '../../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../../deploy/envoy/process.ts';
import { type JwksServer, startJwksServer } from '../../support/jwks-server.ts';
import { type BenchAlgorithm, type BenchTokens, createTokens, policyText } from './tokens.ts';

export class Rig {
  readonly #folder = mkdtempSync(join(tmpdir(), 'scopegate-bench-'));
  readonly #tokens: BenchTokens;
  readonly #binary: string;
  readonly #upstream: Server;
  #files = 0;

  static async open(): Promise<Rig> {
    const [tokens, binary] = [await createTokens(), await envoyBinary((line) => console.error(line))];
    const upstream = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      // A request has no body and comes as one piece.
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => upstream.once('listening', resolve));
    return new Rig(tokens, binary, upstream);
  }

  constructor(tokens: BenchTokens, binary: string, upstream: Server) {
    this.#tokens = tokens;
    this.#binary = binary;
    this.#upstream = upstream;
  }

  get tokens(): BenchTokens {
    return this.#tokens;
  }

  /** A file of new tokens, one a line; `spoil` makes of each another text. */
  async file(algorithm: BenchAlgorithm, count: number, spoil = (token: string): string => token): Promise<string> {
    this.#files += 1;
    const path = join(this.#folder, `tokens-${this.#files}.txt`);
    const made = await this.#tokens.make(algorithm, count);
    writeFileSync(path, `${made.map(spoil).join('\n')}\n`);
    return path;
  }

  /** Where a new policy is; `keys`: where they are when they are not in it. */
  policy(rules: number, keys?: string): string {
    this.#files += 1;
    const path = join(this.#folder, `policy-${this.#files}.json`);
    this.rewrite(path, rules, keys);
    return path;
  }

  rewrite(path: string, rules: number, keys?: string): void {
    writeFileSync(path, policyText(keys ?? this.#tokens.keys, rules));
  }

  async issuer(): Promise<JwksServer> {
    const server = await startJwksServer();
    server.publish(this.#tokens.keys);
    return server;
  }

  envoy(authorizerPort: number): Promise<RunningEnvoy> {
    const { port } = this.#upstream.address() as AddressInfo;
    const authz = { host: '127.0.0.1', port: authorizerPort };
    const config = envoyConfig({ listenPort: 0, authz, upstream: { host: '127.0.0.1', port } });
    return startEnvoy(this.#binary, config, 0);
  }

  close(): void {
    this.#upstream.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
