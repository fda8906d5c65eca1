import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {answerTo, type ConfigAnswer} from './config-answer.ts';
import {readConfigCases} from './config-cases.mjs';
import {type Difference, differences} from './config-differences.ts';

type Recording =
  | {readonly exitCode: 0; readonly json: unknown; readonly yaml: string}
  | {readonly exitCode: number; readonly message: string};

const {answers} = JSON.parse(readFileSync(new URL('../recorded/config.json', import.meta.url), 'utf8')) as {
  readonly answers: Readonly<Record<string, Recording>>;
};
const cases = readConfigCases();

describe('config beside Compose', () => {
  it('has an answer of Compose for every case, and none too many', () => {
    const names = cases.map(({name}) => name);
    expect(names.length).toBeGreaterThanOrEqual(420);
    expect(Object.keys(answers)).toEqual(names);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(differences)));
  });

  for (const stack of cases) {
    const {name} = stack;
    const difference = differences[name];
    it(difference === undefined ? name : `${name} differs: ${difference.why}`, async () => {
      const theirs = answers[name];
      if (theirs === undefined) throw new Error('Compose was not asked: see docs/loading.md');
      const ours = await answerTo(stack);
      if (!ours.ok) expectReason(ours);
      if (difference === undefined) expectSame(ours, theirs);
      else expectDifference(ours, theirs, difference.ours);
    });
  }
});

/** Problems of a stack file have places; what is not about its text says so with an exit code of its own. */
function expectReason({error}: Extract<ConfigAnswer, {ok: false}>): void {
  expect(error.message).not.toBe('');
  for (const {severity, file, line} of error.diagnostics)
    if (severity === 'error') expect([file, line], error.message).toEqual([expect.any(String), expect.any(Number)]);
}

function expectSame(ours: ConfigAnswer, theirs: Recording): void {
  if (!('json' in theirs)) {
    expect(ours.ok, `Compose refuses it: ${theirs.message}`).toBe(false);
    return;
  }
  if (!ours.ok)
    throw new Error(`Compose accepts it: ${ours.error.message}\n${renderDiagnostics(ours.error.diagnostics)}`);
  expect(ours.json).toEqual(theirs.json);
  expect(ours.yaml.trimEnd()).toBe(theirs.yaml.trimEnd());
}

/** A difference that is gone fails: then it is none any more. */
function expectDifference(ours: ConfigAnswer, theirs: Recording, expected: Difference['ours']): void {
  if (expected === 'refuses' || expected === 'accepts') {
    expect({ours: ours.ok, theirs: 'json' in theirs}).toEqual({
      ours: expected === 'accepts',
      theirs: expected === 'refuses',
    });
    return;
  }
  if (!ours.ok) throw ours.error;
  if (!('json' in theirs)) throw new Error(`Compose refuses it: ${theirs.message}`);
  if (expected === 'json') {
    expect(ours.yaml.trimEnd()).toBe(theirs.yaml.trimEnd());
    expect(ours.json).not.toEqual(theirs.json);
    return;
  }
  expect(ours.yaml).not.toBe(theirs.yaml);
  for (const [before, after] of expected) {
    expect(theirs.yaml).toContain(before);
    expect(ours.yaml).toContain(after);
  }
}
