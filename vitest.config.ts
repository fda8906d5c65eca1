import {defineConfig} from 'vitest/config';

/** Levels: `quick` ⊂ `ci` ⊂ `long`. A file named `*.long.test.ts` runs at level `long` only. */
const level = process.env['TSCOMPOSE_TEST_LEVEL'] ?? 'ci';

export default defineConfig({
  define: {TSCOMPOSE_VERSION: JSON.stringify('0.0.0-test')},
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...(level === 'long' ? [] : ['test/**/*.long.test.ts']),
      ...(level === 'quick' ? ['test/**/*.ci.test.ts', 'test/e2e/**', 'test/conformance/**'] : []),
      'node_modules/**',
    ],
    pool: 'forks',
    maxWorkers: 2,
    // Nothing is timed here: what is waited for comes within a second, or within many on a busy machine. These say when a
    // test that hangs has hung; each is longer than those within it, so that what was waited for is told.
    expect: {poll: {timeout: 30_000}},
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: ['test/support/global-setup.ts'],
  },
});
