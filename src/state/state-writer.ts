/**
 * Promises: the newest text of a file gets on the disk, one write at a time; what fails is tried again until it succeeds or something newer
 * has come. Nobody waits for it.
 */
export interface StateWriter {
  save(text: string): void;
  /** Ends with the last write; what fails then is given up. */
  close(): Promise<void>;
}

export interface StateWriterPorts {
  readonly write: (text: string) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Calls back once after the delay; returns what cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** A disk that is full stays full for a while. */
const retryMs = 10_000;

export function createStateWriter(ports: StateWriterPorts): StateWriter {
  return new Writer(ports);
}

class Writer implements StateWriter {
  readonly #ports: StateWriterPorts;
  #wanted: string | undefined;
  #written: string | undefined;
  #isWriting = false;
  #isClosed = false;
  #cancelRetry: (() => void) | undefined;
  /** The newest run, over or not. */
  #run: Promise<void> = Promise.resolve();

  constructor(ports: StateWriterPorts) {
    this.#ports = ports;
  }

  save(text: string): void {
    if (this.#isClosed) return;
    this.#wanted = text;
    this.#start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    await this.#run;
  }

  #start(): void {
    if (this.#isWriting) return;
    this.#cancelRetry?.();
    this.#isWriting = true;
    this.#run = this.#write();
  }

  async #write(): Promise<void> {
    while (this.#wanted !== undefined && this.#wanted !== this.#written) {
      const text = this.#wanted;
      try {
        await this.#ports.write(text);
        this.#written = text;
      } catch (error) {
        this.#ports.failed(error);
        if (!this.#isClosed) this.#cancelRetry = this.#ports.schedule(() => this.#start(), retryMs);
        break;
      }
    }
    this.#isWriting = false;
  }
}
