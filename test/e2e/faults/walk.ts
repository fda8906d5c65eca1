import {expect} from 'vitest';
import {type ErrorKind, hasKind, toTscomposeError} from '../../../src/base/errors.ts';
import type {Engine} from '../../../src/engine/engine.ts';
import {randomNumbers} from '../../support/random.ts';
import type {Answer, Fault, FaultBed} from './bed.ts';
import {type Call, perform} from './calls.ts';
import type {FaultCase} from './cases.ts';

/** Where to interrupt: everywhere, or at one place of each of so many parts of the operation. */
export interface Places {
  readonly parts: number | 'all';
  readonly seed: number;
}

/** What is wrong at the place. */
export type Wrong = Pick<Fault, 'roles' | 'action' | 'calls'>;

/**
 * Kills whoever is at it, or has the kernel refuse it what it asks for, at one operation after another, and looks each time what
 * is left. A refusal ends in an error of kind `exhausted`, where it cannot be passed over.
 */
export async function walk(
  bed: FaultBed,
  test: FaultCase,
  {parts, seed}: Places,
  wrong: Wrong = {action: 'kill'},
): Promise<void> {
  const whole = await bed.run({...wrong, action: 'count'}, test.before ?? [], test.calls);
  expect(whole.answers.map(({error}) => error)).toEqual(test.calls.map(() => undefined));
  await finish(bed, test, {what: `${test.name}, not interrupted`, done: true, told: true});
  for (const index of places(whole.operations.length, parts, randomNumbers(seed))) {
    const {answers, operations} = await bed.run({...wrong, first: index}, test.before ?? [], test.calls);
    const hit = operations.find((line) => line.endsWith('!')) ?? 'nothing';
    const done = answers.length === test.calls.length && answers.every(({error}) => error === undefined);
    const what = `${test.name}, ${wrong.action} at ${hit} (seed ${seed})`;
    if (wrong.action !== 'kill') checkAnswers(what, answers, test);
    await finish(bed, test, {what, done, told: wrong.action === 'kill'});
  }
}

function checkAnswers(what: string, answers: readonly Answer[], {calls}: FaultCase): void {
  const refused = answers.flatMap(({error}) => (error === undefined ? [] : [error]));
  expect({what, answers: answers.length, refused}).toEqual({
    what,
    answers: calls.length,
    refused: refused.map(({message}) => expect.objectContaining({kind: 'exhausted', message})),
  });
}

/** Numbers of operations, from 1. */
export function places(count: number, parts: number | 'all', random: () => number): readonly number[] {
  if (parts === 'all' || parts >= count) return Array.from({length: count}, (_unused, index) => index + 1);
  return Array.from({length: parts}, (_unused, part) => 1 + Math.floor(((part + random()) / parts) * count));
}

/** What the next command finds and does, until nothing is left of it all. */
async function finish(
  bed: FaultBed,
  test: FaultCase,
  {what, done, told}: {readonly what: string; readonly done: boolean; readonly told: boolean},
): Promise<void> {
  try {
    await bed.withEngine(async (engine) => {
      for (const {Id} of await engine.containers.list({all: true})) await engine.containers.inspect(Id);
      await test.between?.(engine, done);
      for (const call of test.calls) await performUnless(engine, call, test.again);
      await test.after?.(engine, bed.host);
      if (told) await test.told?.(engine);
    });
    await bed.withEngine(async (engine) => {
      for (const call of test.restore) await performUnless(engine, call, ['notFound']);
    });
  } catch (error) {
    const {kind, message} = toTscomposeError(error);
    throw new Error(`${what}: ${kind}: ${message}`, {cause: error});
  }
  await bed.checkUntouched(what);
}

async function performUnless(engine: Engine, call: Call, kinds: readonly ErrorKind[]): Promise<void> {
  try {
    await perform(engine, call);
  } catch (error) {
    if (!hasKind(error, ...kinds)) throw error;
  }
}
