import {expect, test} from 'vitest';
import {createLoopGuard} from '../../../src/watch/session/loop-guard.ts';

/** Goes on with a guard as a session does: a change, and the action that it sets off for 100 ms. */
function session() {
  const guard = createLoopGuard();
  let now = 10_000;
  return {
    guard,
    pass: (ms: number) => {
      now += ms;
    },
    change(...paths: string[]) {
      const verdict = guard.judge({paths, firstEventAt: now});
      if (verdict.kind === 'go' || verdict.kind === 'resumed') {
        guard.actionBegins(now);
        now += 100;
        guard.actionEnds(now);
      }
      return verdict.kind === 'suspended' ? verdict : verdict.kind;
    },
  };
}

test('a service that writes into its own directory at each start is suspended, and other files resume it', () => {
  const {change, pass, guard} = session();
  expect(change('src/a')).toBe('go');
  for (let round = 1; round < 5; round += 1) {
    pass(50);
    expect(change('log/out')).toBe('go');
  }
  pass(50);
  expect(change('log/out')).toEqual({kind: 'suspended', paths: ['log/out'], times: 5, withinMs: 600});
  expect(guard.isSuspended()).toBe(true);
  pass(60_000);
  expect(change('log/out')).toBe('held');
  expect(change('src/a')).toBe('resumed');
  expect(guard.isSuspended()).toBe(false);
  pass(5_000);
  expect(change('log/out')).toBe('go');
});

test('a person who saves the same file often is no loop: the action is over each time', () => {
  const {change, pass} = session();
  for (let save = 0; save < 30; save += 1) {
    expect(change('src/a')).toBe('go');
    pass(1_200);
  }
});

test('files with another name each time count by where they are', () => {
  const {change, pass} = session();
  const verdicts = Array.from({length: 7}, (_, round) => {
    pass(50);
    return change(`cache/${round}.tmp`);
  });
  expect(verdicts.slice(0, 5)).toEqual(Array(5).fill('go'));
  expect(verdicts[5]).toMatchObject({kind: 'suspended', times: 5});
  expect(verdicts[6]).toBe('held');
  expect(change('cache/one-more.tmp')).toBe('held');
  expect(change('src/a')).toBe('resumed');
});

test('changes elsewhere in between begin a new row', () => {
  const {change, pass} = session();
  change('src/a');
  for (let round = 0; round < 12; round += 1) {
    pass(50);
    expect(change(round % 4 === 3 ? 'src/b' : 'log/out')).toBe('go');
  }
});

test('what comes while the action is still at work belongs to it, however long it takes', () => {
  const guard = createLoopGuard();
  guard.actionBegins(1_000);
  for (let round = 1; round < 5; round += 1)
    expect(guard.judge({paths: ['out'], firstEventAt: 1_000 + round * 10_000}).kind).toBe('go');
  expect(guard.judge({paths: ['out'], firstEventAt: 90_000}).kind).toBe('suspended');
  // A change from before the action is a save.
  const other = createLoopGuard();
  other.actionBegins(1_000);
  for (let round = 0; round < 9; round += 1) expect(other.judge({paths: ['out'], firstEventAt: 999}).kind).toBe('go');
});
