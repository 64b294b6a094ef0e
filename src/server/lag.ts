/**
 * Promises: how long what is read now may have waited to be read, while the event loop was busy with other requests. Under overload this
 * is where requests queue, and nothing else tells of it.
 */
export interface LagPorts {
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  readonly loop: () => LoopState;
  /** Runs a task once the loop has read what there is. */
  readonly afterTurn: (task: () => void) => void;
}

export interface LoopState {
  /** For how long the event loop has had nothing to do, in ms, all in all. */
  readonly idleMs: number;
  /** How often it has gone round. */
  readonly rounds: number;
}

export interface Lag {
  /** Of a request that is read now, in ms; at most, and 0 where nothing is known. */
  waitedMs(): number;
}

export const systemLagPorts = {
  loop: (): LoopState => {
    const { idleTime, uvMetricsInfo } = performance.nodeTiming;
    return { idleMs: idleTime, rounds: uvMetricsInfo.loopCount };
  },
  afterTurn: (task: () => void) => {
    setImmediate(task);
  },
} as const;

export function createLag({ now, loop, afterTurn }: LagPorts): Lag {
  let isInTurn = false;
  let ended: (LoopState & { readonly at: number }) | undefined;
  let mayBeFrom = 0;

  function endTurn(): void {
    isInTurn = false;
    ended = { ...loop(), at: now() };
  }

  function beginTurn(): void {
    isInTurn = true;
    const { idleMs, rounds } = loop();
    // Had it come while the loop was waiting for something to read, or a round ago, it would have been read then.
    mayBeFrom = ended !== undefined && rounds <= ended.rounds + 1 ? ended.at + (idleMs - ended.idleMs) : now();
    afterTurn(endTurn);
  }

  return {
    waitedMs: () => {
      if (!isInTurn) beginTurn();
      return Math.max(0, now() - mayBeFrom);
    },
  };
}
