/**
 * Promises: all that this room needs from outside: time, chance, timers, the network, files, and somebody to tell.
 */
import { open, realpath, stat } from 'node:fs/promises';
import { createGet } from '../keyset/fetch.ts';
import type { RequestFailureKind } from './failure.ts';
import { createPost } from './post.ts';
import type { RequestPorts } from './request-token.ts';

/** Told of what happens to the tokens, by the client's name. Never of a token. Must not throw. */
export interface ClientTokenObserver {
  /** An attempt ended. */
  requested(client: string, result: 'ok' | RequestFailureKind): void;
  /** A fault of ours; the attempt counts as failed. */
  fault(client: string, error: unknown): void;
}

export interface Timing {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back once after the delay; returns what cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** More than any secret, key or chain of certificates needs. */
const maxSecretBytes = 65_536;

/** Network and files of this process. */
export function systemRequestPorts(): RequestPorts {
  return { get: createGet(), post: createPost(), readSecret };
}

/**
 * What the machine tells of its processes, and what Kubernetes gives to the pod itself: whoever writes a policy names the file and the server that
 * its text is sent to, and need not be one who may have these.
 */
const closedFolder = /^\/(?:proc|sys|(?:var\/)?run\/secrets\/kubernetes\.io)\//;

/** Why it cannot be read is the same to the caller, and the operator finds the file named beside it in the log. */
async function readSecret(file: string): Promise<string | undefined> {
  try {
    const path = await realpath(file);
    if (closedFolder.test(path)) return undefined;
    const found = await stat(path);
    // What is no file, such as a pipe, may keep whoever opens it waiting.
    if (!found.isFile() || found.size > maxSecretBytes) return undefined;
    await using handle = await open(path, 'r');
    return await handle.readFile('utf8');
  } catch {
    return undefined;
  }
}
