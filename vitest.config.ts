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
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/global-setup.ts'],
  },
});
