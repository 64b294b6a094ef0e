/**
 * Promises: a socket path that is free to bind, or one line that says why it is not. Only a socket that nobody listens on is ever
 * removed: a live one, a symbolic link or any other file is left as it is.
 * Leaves to others: binding (listen.ts).
 */
import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, rename, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { errorCode } from './error-code.ts';

const taken = 'another process listens on this socket';

/** Undefined: the path can be bound. */
export async function freeSocketPath(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const folderProblem = await checkFolder(folder);
  if (folderProblem !== undefined) {
    return folderProblem;
  }
  try {
    const entry = await lstat(path, { bigint: true });
    return entry.isSocket() ? await removeIfStale(path, identity(entry)) : 'the path exists and is not a socket';
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : `the path cannot be examined: ${errorCode(error)}`;
  }
}

async function checkFolder(folder: string): Promise<string | undefined> {
  try {
    return (await stat(folder)).isDirectory() ? undefined : `${folder} is not a folder`;
  } catch (error) {
    return errorCode(error) === 'ENOENT'
      ? `the folder ${folder} does not exist`
      : `the folder ${folder} cannot be examined: ${errorCode(error)}`;
  }
}

async function removeIfStale(path: string, seen: string): Promise<string | undefined> {
  const outcome = await knock(path);
  if (outcome === 'ECONNREFUSED') {
    return removeOnly(path, seen);
  }
  if (outcome === 'ENOENT') {
    return undefined;
  }
  return outcome === 'answered' ? taken : `the socket exists and cannot be tried: ${outcome}`;
}

/**
 * Removes the file that was seen and no other: a process that starts at the same moment may have removed it and bound its own. To rename
 * takes whatever is there now, in one step, and binding fails when anything is; so of two processes one gets the path.
 */
async function removeOnly(path: string, seen: string): Promise<string | undefined> {
  const aside = join(dirname(path), `.${randomUUID()}`);
  await rename(path, aside);
  if (identity(await lstat(aside, { bigint: true })) === seen) {
    await unlink(aside);
    return undefined;
  }
  await rename(aside, path);
  return taken;
}

/** The time too, because a file system gives the number of a removed file to the next one. */
function identity({ dev, ino, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${mtimeNs}`;
}

/** The one sure sign of a listener: the kernel refuses a connection to a socket file whose process is gone. */
function knock(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve('answered');
    });
    socket.once('error', (error) => {
      resolve(errorCode(error));
    });
  });
}
