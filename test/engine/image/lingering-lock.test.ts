import {setImmediate as turn} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {createLingeringLock} from '../../../src/engine/image/lingering-lock.ts';

function bed({fails = 0}: {readonly fails?: number} = {}) {
  const log: string[] = [];
  let left = fails;
  const lock = createLingeringLock(async () => {
    if (left > 0) {
      left -= 1;
      throw new Error('no helper');
    }
    log.push('taken');
    return {
      async [Symbol.asyncDispose]() {
        log.push('given up');
      },
    };
  });
  return {log, lock};
}

test('users that follow each other without waiting share one lock', async () => {
  const {log, lock} = bed();
  for (const name of ['a', 'b', 'c']) await lock.during(() => log.push(name));
  expect(log).toEqual(['taken', 'a', 'b', 'c']);
  await turn();
  await turn();
  expect(log).toEqual(['taken', 'a', 'b', 'c', 'given up']);
});

test('it is held as long as anybody uses it, and taken again after that', async () => {
  const {log, lock} = bed();
  let finish = () => {};
  const long = lock.during(() => new Promise<void>((resolve) => (finish = resolve)));
  await lock.during(() => log.push('short'));
  for (let count = 0; count < 5; count += 1) await turn();
  expect(log).toEqual(['taken', 'short']);
  finish();
  await long;
  await turn();
  await turn();
  await lock.during(() => log.push('later'));
  expect(log).toEqual(['taken', 'short', 'given up', 'taken', 'later']);
});

test('what its user throws, and what taking it throws, is thrown; both times it goes on', async () => {
  const {log, lock} = bed({fails: 1});
  await expect(lock.during(() => log.push('never'))).rejects.toThrow('no helper');
  await turn();
  await turn();
  await expect(lock.during(() => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged');
  await lock.during(() => log.push('works'));
  await lock[Symbol.asyncDispose]();
  expect(log).toEqual(['taken', 'works', 'given up']);
});

test('whoever comes after one that could not take it tries anew, also while others go on', async () => {
  const {log, lock} = bed({fails: 1});
  const [first, second] = [lock.during(() => log.push('first')), lock.during(() => log.push('second'))];
  await expect(first).rejects.toThrow('no helper');
  const third = lock.during(() => log.push('third'));
  await expect(second).rejects.toThrow('no helper');
  await third;
  await lock[Symbol.asyncDispose]();
  expect(log).toEqual(['taken', 'third', 'given up']);
});

test('its end gives it up at once, and once only', async () => {
  const {log, lock} = bed();
  await lock.during(() => undefined);
  await lock[Symbol.asyncDispose]();
  expect(log).toEqual(['taken', 'given up']);
  await turn();
  await turn();
  expect(log).toEqual(['taken', 'given up']);
});
