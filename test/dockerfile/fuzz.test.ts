import fc from 'fast-check';
import {test} from 'vitest';
import {anyDockerfile, expectJudged} from './any-dockerfile.ts';

test('whatever a Dockerfile says, it is judged, and every problem has its place', async () => {
  await fc.assert(
    fc.asyncProperty(anyDockerfile, async (text) => void (await expectJudged(text))),
    {numRuns: 500},
  );
}, 60_000);
