/** Clients that ask in a loop, for tests that change something under load. */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });

/** The status that a GET of `path` on 127.0.0.1 gets; rejects when the connection breaks. */
export function ask(port: number, path: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });
}

/** Several clients at once, each asking again as soon as it has its answer, until `stop`. */
export class Traffic {
  readonly #ask: () => Promise<number>;
  readonly #counts = new Map<number, number>();
  readonly #clients: Promise<void>[];
  readonly #waiting = new Set<() => void>();
  #total = 0;
  #isOver = false;

  constructor(clients: number, askOnce: () => Promise<number>) {
    this.#ask = askOnce;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  /** Resolves after so many further answers. */
  atLeast(count: number): Promise<void> {
    const goal = this.#total + count;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#total < goal) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Answers by status. */
  async stop(): Promise<ReadonlyMap<number, number>> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return this.#counts;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const status = await this.#ask();
      this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
      this.#total += 1;
      for (const look of this.#waiting) look();
    }
  }
}
