import fc from 'fast-check';
import {expect, it} from 'vitest';
import {startWatchdog} from '../support/watchdog.ts';
import {mutatedCase} from './mutations.ts';
import {expectSurvival} from './survival.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const minutes = 10;

it(`ten minutes of changed stacks (TSCOMPOSE_TEST_SEED=${seed})`, {timeout: (minutes + 5) * 60_000}, async () => {
  using watchdog = startWatchdog();
  let stacks = 0;
  const property = fc.asyncProperty(mutatedCase, async (stack) => {
    stacks += 1;
    watchdog.working(JSON.stringify(stack.files));
    await expectSurvival(stack);
  });
  await fc.assert(property, {
    numRuns: 1_000_000_000,
    seed,
    interruptAfterTimeLimit: minutes * 60_000,
    markInterruptAsFailure: false,
  });
  expect(stacks).toBeGreaterThan(1000);
});
