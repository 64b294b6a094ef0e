/**
 * Promises: what a command writes is out before the process ends, however slowly it is read. A reader that has gone, as `head` does, is
 * no error; a disk that is full is one.
 */
export interface Output {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Waits until what was written so far is out, for a command that writes more than memory should hold. */
  readonly flush: () => Promise<void>;
  /** Waits until all is written; the exit code, which is 1 where the result could not be written. */
  readonly end: (exitCode: number) => Promise<number>;
}

/** What is needed of a stream of the process. */
export interface OutputStream {
  write(text: string, written?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export function createOutput(stdout: OutputStream, stderr: OutputStream): Output {
  let failure: Error | undefined;
  stdout.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) failure ??= error;
  });
  // There is nobody left to tell.
  stderr.on('error', () => undefined);
  return {
    writeOut: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    flush: () => written(stdout),
    end: async (exitCode) => {
      await written(stdout);
      if (failure !== undefined) stderr.write(`scopegate: stdout cannot be written: ${failure.message}\n`);
      await written(stderr);
      return failure === undefined ? exitCode : 1;
    },
  };
}

/** A write is done after those before it, or failed with them. */
async function written(stream: OutputStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.write('', () => resolve());
  await promise;
}
