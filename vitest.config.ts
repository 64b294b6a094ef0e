/**
 * Promises: one run finds every test of the repository, and a test that hangs ends it. The tests that need a real API server are a
 * project of their own, `cluster`: they need Go and minutes once, and two cores for themselves always. So are those of the bundle and the
 * image, `image`, which need root, buildah and a minute, those with a real Redis, `redis`, those with real identity providers, `interop`, which
 * need Java, Maven, Go and Python, and those with clients written in Go, `peers`.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Folder for machine-readable results, one file a run; `.ci/run` counts them. */
const results = process.env['TEST_RESULTS_DIR'];
const clusterTests = 'test/kubernetes/**/*.test.ts';
const imageTests = 'test/image/**/*.test.ts';
const redisTests = 'test/redis/**/*.test.ts';
const interopTests = 'test/interop/**/*.test.ts';
const peerTests = 'test/peers/**/*.test.ts';

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
        // An image is built from the sources, packages and all.
        test: {
          name: 'image',
          include: [imageTests],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'local',
          include: ['test/**/*.test.ts'],
          exclude: [clusterTests, imageTests, interopTests, redisTests, peerTests],
        },
      },
      {
        extends: true,
        // They kill and freeze servers, and start four processes for each test.
        test: {
          name: 'redis',
          include: [redisTests],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        // Built with Go. One after the other: a peer that waits for its turn thinks that we are slow.
        test: {
          name: 'peers',
          include: [peerTests],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          include: [interopTests],
          globalSetup: 'test/interop/global-setup.ts',
          // One identity provider at a time: they measure too, and some have ports that cannot be chosen.
          fileParallelism: false,
          testTimeout: 60_000,
          // Keycloak starts in a quarter of a minute, and in two minutes where others work.
          hookTimeout: 300_000,
        },
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
