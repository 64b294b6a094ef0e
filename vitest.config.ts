/** Promises: one run finds every test of the repository, and a test that hangs ends it. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start servers and read process state: each file gets a process of its own.
    pool: 'forks',
    // Files that talk to a real Envoy or issuer take seconds on two busy cores; a unit test that needs this long has failed anyway.
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
