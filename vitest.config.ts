/**
 * Promises: one run finds every test of the repository, and a test that hangs ends it. The tests that need a real API server are a
 * project of their own, `cluster`: they need Go and minutes once, and two cores for themselves always.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Folder for machine-readable results, one file a run; `.ci/run` counts them. */
const results = process.env['TEST_RESULTS_DIR'];
const clusterTests = 'test/kubernetes/**/*.test.ts';

export default defineConfig({
  test: {
    // Tests start servers and read process state: each file gets a process of its own.
    pool: 'forks',
    // Files that talk to a real Envoy or issuer take seconds on two busy cores; a unit test that needs this long has failed anyway.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: results === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: join(results ?? '', `${process.pid}.json`) },
    projects: [
      {
        extends: true,
        test: { name: 'local', include: ['test/**/*.test.ts'], exclude: [clusterTests] },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: [clusterTests],
          globalSetup: 'test/kubernetes/global-setup.ts',
          // They measure how fast a change arrives: one API server, one Envoy and one load at a time.
          fileParallelism: false,
          // Upper bounds of what is waited for.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
