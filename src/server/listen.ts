/**
 * Promises: a net.Server bound to a configured address, and the address that it really got; or a ListenError with the address and a
 * one-line cause.
 * Leaves to others: what happens on its connections.
 */
import { chmod } from 'node:fs/promises';
import type { ListenOptions, Server } from 'node:net';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { errorCode } from './error-code.ts';
import { freeSocketPath } from './unix-socket.ts';

/** An address that cannot be used. */
export class ListenError extends Error {
  /** As it was configured. */
  readonly address: string;
  /** One line, without the address. */
  readonly reason: string;

  constructor(address: string, reason: string) {
    super(`cannot listen on ${address}: ${reason}`);
    this.name = 'ListenError';
    this.address = address;
    this.reason = reason;
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'address already in use'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['EAFNOSUPPORT', 'this machine has no addresses of this family'],
  ['ENOTFOUND', 'the host name cannot be resolved'],
  ['EAI_AGAIN', 'the host name cannot be resolved at the moment'],
]);

/** Binds `server`; `socketMode` are the permission bits of a unix socket. */
export async function listen(server: Server, configured: string, socketMode: number): Promise<string> {
  const address = parseAddress(configured);
  if (typeof address === 'string') {
    throw new ListenError(configured, address);
  }
  if (address.kind === 'unix') {
    const problem = await freeSocketPath(address.path);
    if (problem !== undefined) {
      throw new ListenError(configured, problem);
    }
  }
  try {
    await bind(server, address, socketMode);
  } catch (error) {
    throw new ListenError(configured, reasons.get(errorCode(error)) ?? firstLine(error));
  }
  return boundAddress(server);
}

async function bind(server: Server, address: Address, socketMode: number): Promise<void> {
  if (address.kind === 'tcp') {
    await bound(server, { host: address.host, port: address.port });
    return;
  }
  // The file is made by bind() with what the mask leaves, inside this very call: at no moment can it be opened by more than it should.
  const mask = process.umask(0o777 & ~socketMode);
  const ready = bound(server, { path: address.path });
  process.umask(mask);
  await ready;
  // Where another process binds on our behalf (node:cluster), the mask of this one had no say.
  await chmod(address.path, socketMode);
}

function bound(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function boundAddress(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    return `unix:${address ?? ''}`;
  }
  return formatAddress({ kind: 'tcp', host: address.address, port: address.port });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1).join('');
}
