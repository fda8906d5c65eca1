import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type BuildBed, openBuildBed} from './build-bed.ts';
import {type BuildCase, cases} from './cases/index.mjs';
import {writeFiles} from './context-files.mjs';
import {differences} from './differences.ts';
import {answerTo, byTitle, verdictsOf, withoutNothing} from './recorded-builds.ts';

let builds: BuildBed;

beforeAll(async () => {
  builds = await openBuildBed();
});

afterAll(async () => await builds?.[Symbol.asyncDispose]());

/** Builds, and again after each edit. */
async function check(testCase: BuildCase): Promise<void> {
  const answer = answerTo(testCase.name);
  const context = builds.context(testCase);
  // What other cases built does not count.
  await builds.bed.engine.builds.prune({all: true, filters: {}});
  const image = builds.configOf(await builds.build(builds.bodyOf(context, testCase)));
  expect(withoutNothing(image)).toEqual(withoutNothing(answer.image));
  for (const [index, edit] of (testCase.edits ?? []).entries()) {
    writeFiles(context, edit);
    const next = builds.bodyOf(context, {...testCase, ...testCase.next});
    const {events, failed} = await builds.attempt(next);
    const expected = {...answer.verdicts?.[index], ...differences[testCase.name]?.verdicts};
    expect(verdictsOf(events)).toEqual(byTitle(expected));
    expect(failed).toBe(Object.values(expected).includes('ERROR'));
  }
}

describe('what comes from the cache is what BuildKit takes from its cache', () => {
  const edited = cases.filter(({edits}) => edits !== undefined);

  test('there are cases', () => expect(edited.length).toBeGreaterThan(90));

  test.each(edited.map((testCase) => [testCase.name, testCase] as const))(
    '%s',
    (_, testCase) => check(testCase),
    60_000,
  );
});
