import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {backoffDelays} from '../../src/base/backoff.ts';
import {createLimiter, mapLimited} from '../../src/base/concurrency.ts';

test('no more tasks run at a time than allowed, in the order in which they came', async () => {
  const limit = createLimiter(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const tasks = [0, 1, 2, 3].map((index) =>
    limit(async () => {
      begun.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return index;
    }),
  );
  while (begun.length < 4) {
    await new Promise(setImmediate);
    ends.shift()?.();
  }
  while (ends.length > 0) ends.shift()?.();
  expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3]);
  expect([begun, most]).toEqual([[0, 1, 2, 3], 2]);
});

test('a task that fails gives its place to the next', async () => {
  const limit = createLimiter(1);
  const failing = limit(() => Promise.reject(new Error('no')));
  const next = limit(async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

test('mapping keeps the order of the items', async () => {
  const mapped = await mapLimited([3, 1, 2], 3, async (wait) => {
    await delay(wait);
    return wait * 10;
  });
  expect(mapped).toEqual([30, 10, 20]);
});

test('delays grow up to the longest one, and end', () => {
  expect([...backoffDelays({firstMs: 50, maxMs: 300, attempts: 5})]).toEqual([50, 100, 200, 300, 300]);
});
