/**
 * Promises: the keys of `--dpop-nonce-key`, read again and again: new ones count once two looks agree, so that no half-written file does; a
 * file that holds no keys changes nothing and is reported once.
 */
import { readFile } from 'node:fs/promises';
import { createNonceSealer, type NonceKeys, type NonceSealer } from '../token/dpop-nonce.ts';
import { readNonceKeys } from '../token/nonce-keys.ts';

export interface NonceKeyPorts {
  /** Calls back once, after so many milliseconds; returns what calls it off. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  readonly onReload: (count: number) => void;
  /** The old keys stay. */
  readonly onProblem: (reason: string) => void;
  readonly onFault: (error: unknown) => void;
}

export interface WatchedNonces {
  /** Of the keys that are in force when it is asked. */
  readonly nonces: NonceSealer;
  stop(): void;
}

/** Reading it, instead of waiting for events, sees the swapped link of a mounted Secret too. */
const pollMs = 5000;

/** Rejects with one clear line when the file holds no keys at this first look. */
export async function watchNonceKeys(file: string, ports: NonceKeyPorts): Promise<WatchedNonces> {
  const first = await look(file);
  if (typeof first.keys === 'string') throw new Error(`nonce keys ${file}: ${first.keys}`);
  let sealer = createNonceSealer(first.keys);
  let used = first.content;
  let previous = first.content;
  let isStopped = false;
  let callOff = ports.schedule(poll, pollMs);

  function consider({ content, keys: found }: Look): void {
    const isSettled = content === previous;
    previous = content;
    if (!isSettled || content === used) return;
    used = content;
    if (typeof found === 'string') {
      ports.onProblem(found);
      return;
    }
    sealer = createNonceSealer(found);
    ports.onReload(found.length);
  }

  async function lookAgain(): Promise<void> {
    const next = await look(file);
    if (isStopped) return;
    consider(next);
    callOff = ports.schedule(poll, pollMs);
  }

  function poll(): void {
    lookAgain().catch(ports.onFault);
  }

  return {
    nonces: {
      issue: (nowMs) => sealer.issue(nowMs),
      judge: (nonce, nowMs) => sealer.judge(nonce, nowMs),
    },
    stop: () => {
      isStopped = true;
      callOff();
    },
  };
}

interface Look {
  /** Equal for equal files. */
  readonly content: string;
  readonly keys: NonceKeys | string;
}

async function look(file: string): Promise<Look> {
  try {
    const text = await readFile(file, 'utf8');
    return { content: `text ${text}`, keys: readNonceKeys(text) };
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    const reason = `cannot be read (${typeof code === 'string' ? code : 'error'})`;
    return { content: reason, keys: reason };
  }
}
