import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type BuildBed, openBuildBed} from './build-bed.ts';
import {type BuildCase, cases} from './cases/index.mjs';
import {type Difference, differences} from './differences.ts';
import {answerTo, expectFailure, recorded, withoutNothing} from './recorded-builds.ts';

let builds: BuildBed;

beforeAll(async () => {
  builds = await openBuildBed();
});

afterAll(async () => await builds?.[Symbol.asyncDispose]());

async function check(testCase: BuildCase): Promise<void> {
  const answer = answerTo(testCase.name);
  const body = builds.bodyOf(builds.context(testCase), testCase);
  const different: Partial<Difference> = differences[testCase.name] ?? {};
  if (different.fails ?? (answer.error !== undefined && different.files === undefined)) {
    const {line} = different;
    const lines = line === undefined ? answer.lines : ([line, line] as const);
    expectFailure(await builds.build(body).catch((reason: unknown) => reason), {...answer, ...(lines && {lines})});
    return;
  }
  const image = builds.configOf(await builds.build(body));
  if (answer.image !== undefined)
    expect(withoutNothing(image)).toEqual(withoutNothing({...answer.image, ...different.image}));
  const {base} = builds;
  const found = await builds.filesOf(body);
  const isBelow = (path: string) => answer.gone !== undefined && base[path] !== undefined;
  const changed = Object.entries(found).filter(([path, text]) => !isBelow(path) || base[path] !== text);
  const expected = Object.entries({...answer.files, ...different.files});
  const kept = expected.filter(([path]) => different.gone?.includes(path) !== true);
  expect(Object.fromEntries(changed)).toEqual(Object.fromEntries(kept));
  if (answer.gone !== undefined)
    expect(Object.keys(base).filter((path) => found[path] === undefined)).toEqual(answer.gone);
}

describe('what is built is what BuildKit builds', () => {
  test('every case was recorded', () => {
    expect(recorded.answers.map(({name}) => name)).toEqual(cases.map(({name}) => name));
    expect(new Set(cases.map(({name}) => name)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(700);
  });

  test('differences are of cases that there are', () => {
    expect(Object.keys(differences).filter((name) => !cases.some((known) => known.name === name))).toEqual([]);
  });

  const once = cases.filter(({edits}) => edits === undefined);
  test.each(once.map((testCase) => [testCase.name, testCase] as const))('%s', (_, testCase) => check(testCase), 60_000);
});
