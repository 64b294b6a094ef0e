/** Requests at an even pace, whatever the answers take, each with what it was answered and when it was sent. */
export interface Answered {
  /** As `performance.now()` has it. */
  readonly sentMs: number;
  readonly answer: string;
}

export class SteadyLoad {
  readonly answered: Answered[] = [];
  readonly #ask: () => Promise<string>;
  readonly #pending = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;

  constructor(perSecond: number, ask: () => Promise<string>) {
    this.#ask = ask;
    const startedMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      // A timer that comes late does not lower the rate.
      const due = ((performance.now() - startedMs) * perSecond) / 1000;
      for (; sent < due; sent += 1) this.#send();
    }, 5);
  }

  /** Resolves when so many that were sent from now on are answered. */
  next(count: number): Promise<void> {
    const fromMs = performance.now();
    return this.#until(() => this.answered.filter(({ sentMs }) => sentMs >= fromMs).length >= count);
  }

  /** Resolves when one of those sent from now on is answered in this way. */
  async seen(answer: RegExp): Promise<Answered> {
    const fromMs = performance.now();
    const find = (): Answered | undefined =>
      this.answered.find((one) => one.sentMs >= fromMs && answer.test(one.answer));
    await this.#until(() => find() !== undefined);
    return find() as Answered;
  }

  /** The different answers to what was sent in this time, in order. */
  between(fromMs: number, toMs = Number.POSITIVE_INFINITY): string {
    const within = this.answered.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs);
    return [...new Set(within.map(({ answer }) => answer))].toSorted().join(', ');
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  #send(): void {
    const sentMs = performance.now();
    const done = this.#finish(sentMs).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  async #finish(sentMs: number): Promise<void> {
    const answer = await this.#ask().catch((error: unknown) => `broken: ${String(error)}`);
    this.answered.push({ sentMs, answer });
    for (const look of this.#waiting) look();
  }

  #until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isTrue()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
