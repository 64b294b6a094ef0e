/**
 * Promises: something that the person at the keyboard can mend, said in one line; no stack is of use to them.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
