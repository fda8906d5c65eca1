import fc from 'fast-check';
import {expect, test} from 'vitest';
import {anyDockerfile, expectJudged} from './any-dockerfile.ts';

const minutes = Number(process.env['TSCOMPOSE_FUZZ_MINUTES'] ?? 10);

test(
  `${minutes} minutes of Dockerfiles: each is judged, and every problem has its place`,
  async () => {
    const seed = Date.now() % 2 ** 31;
    process.stdout.write(`seed ${seed}\n`);
    const told = {files: 0, right: 0, problems: 0, slowestMs: 0, slowest: ''};
    await fc.assert(
      fc.asyncProperty(anyDockerfile, async (text) => {
        const start = performance.now();
        const problems = await expectJudged(text);
        const took = performance.now() - start;
        told.files += 1;
        told.problems += problems;
        if (problems === 0) told.right += 1;
        if (took > told.slowestMs) Object.assign(told, {slowestMs: Math.round(took), slowest: text.slice(0, 200)});
      }),
      {seed, numRuns: 1e9, interruptAfterTimeLimit: minutes * 60_000, markInterruptAsFailure: false},
    );
    process.stdout.write(`${JSON.stringify(told)}\n`);
    expect(told.files).toBeGreaterThan(1_000);
  },
  (minutes + 2) * 60_000,
);
