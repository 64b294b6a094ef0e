/** Promises: what must not happen ends the test that it happens in. */
import { inspect } from 'node:util';

/** For values that must not come. */
export function unexpected(value: unknown): never {
  throw new Error(`not expected: ${inspect(value)}`);
}

/** What a promise is rejected with; being fulfilled is the failure. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(unexpected, (thrown: unknown) => thrown);
}
