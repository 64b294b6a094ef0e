/**
 * Promises: a socket path that is free to bind, or one line that says why it is not. Only a socket that nobody listens on is ever
 * removed: a live one, a symbolic link or any other file is left as it is.
 * Leaves to others: binding (listen.ts).
 */
import { lstat, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { errorCode } from './error-code.ts';

/** Undefined: the path can be bound. */
export async function freeSocketPath(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const folderProblem = await checkFolder(folder);
  if (folderProblem !== undefined) {
    return folderProblem;
  }
  try {
    if (!(await lstat(path)).isSocket()) {
      return 'the path exists and is not a socket';
    }
    return await removeIfStale(path);
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

async function removeIfStale(path: string): Promise<string | undefined> {
  const outcome = await knock(path);
  if (outcome === 'ECONNREFUSED') {
    await unlink(path);
    return undefined;
  }
  if (outcome === 'ENOENT') {
    return undefined;
  }
  return outcome === 'answered'
    ? 'another process listens on this socket'
    : `the socket exists and cannot be tried: ${outcome}`;
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
