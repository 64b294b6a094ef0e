/**
 * A client that asks at an even pace, whatever the answers take, and keeps what it was told: `200 ada` where the request was let through
 * and the upstream saw that identity, `403 no_rule` where it was not and why.
 */
import { Agent, request } from 'node:http';

export interface Question {
  readonly port: number;
  readonly path: string;
  readonly token?: string;
}

export interface SteadyClientOptions extends Question {
  readonly perSecond: number;
}

/** What one GET is answered; rejects when the connection breaks. */
export function ask({ port, path, token }: Question, agent?: Agent): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(`${response.statusCode} ${gist(Buffer.concat(chunks).toString())}`));
    })
      .on('error', reject)
      .end();
  });
}

function gist(body: string): string {
  if (!body.startsWith('{')) return body;
  return String((JSON.parse(body) as { reason?: unknown }).reason);
}

export class SteadyClient {
  readonly counts = new Map<string, number>();
  /** Of the slowest answer. */
  slowestMs = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #pending = new Set<Promise<void>>();
  readonly #waiting = new Set<(answer: string) => void>();
  readonly #timer: NodeJS.Timeout;

  constructor({ perSecond, ...question }: SteadyClientOptions) {
    const startedMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      // A timer that comes late does not lower the rate.
      const due = ((performance.now() - startedMs) * perSecond) / 1000;
      for (; sent < due; sent += 1) this.#send(question);
    }, 2);
  }

  /** The time of the first such answer from now on, as `performance.now()` has it. */
  seen(wanted: string): Promise<number> {
    return new Promise((resolve) => {
      const look = (answer: string): void => {
        if (answer !== wanted) return;
        this.#waiting.delete(look);
        resolve(performance.now());
      };
      this.#waiting.add(look);
    });
  }

  /** Forgets what it was told so far, and what it will be told of what it has asked by now. */
  async forget(): Promise<void> {
    await Promise.all(this.#pending);
    this.counts.clear();
  }

  answers(): readonly string[] {
    return [...this.counts.keys()].toSorted();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#agent.destroy();
  }

  #send(question: Question): void {
    const answered = this.#ask(question).finally(() => this.#pending.delete(answered));
    this.#pending.add(answered);
  }

  async #ask(question: Question): Promise<void> {
    const startedMs = performance.now();
    const answer = await ask(question, this.#agent).catch((error: unknown) => `broken: ${String(error)}`);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
    this.counts.set(answer, (this.counts.get(answer) ?? 0) + 1);
    for (const look of this.#waiting) look(answer);
  }
}
