/**
 * Promises: a short, stable name for an error of the operating system, whatever was thrown.
 */

/** `ENOENT`, `EADDRINUSE` and the like; `UNKNOWN` where there is none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
