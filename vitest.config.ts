/** Promises: one run finds every test of the repository, and a test that hangs ends it. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Folder for machine-readable results, one file a run; `.ci/run` counts them. */
const results = process.env['TEST_RESULTS_DIR'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start servers and read process state: each file gets a process of its own.
    pool: 'forks',
    // Files that talk to a real Envoy or issuer take seconds on two busy cores; a unit test that needs this long has failed anyway.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: results === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: join(results ?? '', `${process.pid}.json`) },
  },
});
