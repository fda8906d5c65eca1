import fc from 'fast-check';
import {describe, it} from 'vitest';
import {startWatchdog} from '../support/watchdog.ts';
import {mutatedCase} from './mutations.ts';
import {expectSurvival} from './survival.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

describe(`any text is read or refused with a place (TSCOMPOSE_TEST_SEED=${seed})`, () => {
  it('that was a stack before something in it was changed', async () => {
    using watchdog = startWatchdog();
    const property = fc.asyncProperty(mutatedCase, async (stack) => {
      watchdog.working(JSON.stringify(stack.files));
      await expectSurvival(stack);
    });
    await fc.assert(property, {numRuns: 1500, seed});
  });

  it('of any kind', async () => {
    using watchdog = startWatchdog();
    const property = fc.asyncProperty(fc.string({unit: 'binary', maxLength: 60}), async (text) => {
      watchdog.working(text);
      const files = {'compose.yaml': text, '.env': text};
      await expectSurvival({
        ...{name: 'text', arguments: [], services: [], environment: {}, directory: '.', input: undefined},
        files,
      });
    });
    await fc.assert(property, {numRuns: 500, seed});
  });
});
