/**
 * Promises: checks are worked on in the order in which they came: at once while there is time, and else in slices between which connections
 * are read, so that they wait here, where it is known for how long, and not in the kernel. What could only be answered late is
 * refused, at a fraction of the cost of an answer, so that those behind it are in time.
 * A pause of the process (a collection of garbage, a new policy) is no overload: what has come meanwhile is answered while there is time
 * left for it. Only behind a queue that has not been empty for a while are checks refused earlier, so that waiting stays short for all.
 */
export interface WaitingCheck {
  /** To the deadline, in ms, when it was read. */
  readonly leftMs: number;
  readonly bytes: number;
  /** Nobody waits for an answer. */
  readonly isOver: boolean;
  /** Never throws; nor does the other. */
  run(waitedMs: number): void;
  refuse(waitedMs: number): void;
}

export interface CheckQueuePorts {
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Runs a task once connections were read. */
  readonly afterReads: (task: () => void) => void;
  /** Runs a task when what was begun has been worked on as far as it can be. */
  readonly afterWork: (task: () => void) => void;
}

export interface CheckQueue {
  /** Bytes of a connection were read: the checks in them came now, or before. */
  beginRead(): void;
  /** Runs it, refuses it, or does one of both later. */
  offer(check: WaitingCheck): void;
}

/** How long checks are worked on before connections are read again: as long as reading took, so that neither starves the other. */
const sliceMs = { least: 4, most: 20 } as const;
/** Checks between two looks at the clock. */
const batch = 16;
/** A check that has waited for more of its time than this would be answered too late. */
const maxShare = 0.8;
/** The same behind a queue that stands: what is waited for there is lost for everybody. */
const maxStandingShare = 0.4;
/** A queue that was not empty for this long, in ms, stands: it is no pause but more than can be done. */
const standingMs = 250;
/** What checks in the queue may hold; `overheadBytes` for each in round numbers. */
const maxBytes = 64 * 1024 * 1024;
const overheadBytes = 8192;

export function createCheckQueue(ports: CheckQueuePorts): CheckQueue {
  return new Queue(ports);
}

interface Entry {
  readonly check: WaitingCheck;
  readonly readAt: number;
}

class Queue implements CheckQueue {
  readonly #ports: CheckQueuePorts;
  /** The oldest is at `#first`. */
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #readAt = 0;
  #isInTurn = false;
  /** When connections began to be read. */
  #turnAt = 0;
  /** When the queue began to be without a gap. */
  #since = 0;

  constructor(ports: CheckQueuePorts) {
    this.#ports = ports;
  }

  beginRead(): void {
    this.#readAt = this.#ports.now();
  }

  offer(check: WaitingCheck): void {
    if (!this.#isInTurn) this.#beginTurn(this.#readAt);
    const now = this.#ports.now();
    if (this.#isEmpty && now - this.#turnAt < sliceMs.least) settle(check, now - this.#readAt, maxShare);
    else this.#push(check, now);
  }

  get #isEmpty(): boolean {
    return this.#first === this.#entries.length;
  }

  #beginTurn(at: number): void {
    this.#isInTurn = true;
    this.#turnAt = at;
    this.#ports.afterReads(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isInTurn = false;
    if (this.#isEmpty) return;
    const now = this.#ports.now();
    this.#work(now + Math.min(sliceMs.most, Math.max(sliceMs.least, now - this.#turnAt)));
  }

  #push(check: WaitingCheck, now: number): void {
    const bytes = overheadBytes + check.bytes;
    if (this.#bytes + bytes > maxBytes) {
      check.refuse(now - this.#readAt);
      return;
    }
    if (this.#isEmpty) this.#since = now;
    this.#bytes += bytes;
    this.#entries.push({ check, readAt: this.#readAt });
  }

  #work(untilMs: number): void {
    let now = this.#ports.now();
    const share = now - this.#since >= standingMs ? maxStandingShare : maxShare;
    for (let count = 0; count < batch; count += 1) {
      const entry = this.#shift();
      if (entry === undefined) return;
      settle(entry.check, now - entry.readAt, share);
      now = this.#ports.now();
    }
    if (this.#isEmpty) return;
    if (now < untilMs) this.#ports.afterWork(() => this.#work(untilMs));
    else if (!this.#isInTurn) this.#beginTurn(now);
  }

  #shift(): Entry | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#entries[this.#first] = undefined;
    this.#first += 1;
    this.#bytes -= overheadBytes + entry.check.bytes;
    if (this.#isEmpty || this.#first >= 4096) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return entry;
  }
}

function settle(check: WaitingCheck, waitedMs: number, share: number): void {
  if (check.isOver) return;
  if (waitedMs > share * check.leftMs) check.refuse(waitedMs);
  else check.run(waitedMs);
}
