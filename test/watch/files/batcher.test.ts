import {expect, test} from 'vitest';
import {batchTimes, createBatcher} from '../../../src/watch/files/batcher.ts';

const {quietMs, ceilingMs, stormEvents, calmMs, stormCeilingMs, lockCeilingMs} = batchTimes;

test('a batch is due when nothing came for the quiet time, with each path once and the time of the first event', () => {
  const batcher = createBatcher();
  expect(batcher.due()).toBeUndefined();
  batcher.note({path: '/a'}, 1000);
  batcher.note({path: '/b'}, 1010);
  batcher.note({path: '/a'}, 1020);
  expect(batcher.due()).toBe(1020 + quietMs);
  expect(batcher.take(1020 + quietMs - 1)).toBeUndefined();
  expect(batcher.take(1020 + quietMs)).toEqual({kind: 'paths', paths: ['/a', '/b'], firstEventAt: 1000});
  expect(batcher.due()).toBeUndefined();
  expect(batcher.take(9999)).toBeUndefined();
});

test('a file that is written all the time waits no longer than the ceiling', () => {
  const batcher = createBatcher();
  for (let now = 1000; now < 1000 + ceilingMs; now += 20) batcher.note({path: '/log'}, now);
  expect(batcher.due()).toBe(1000 + ceilingMs);
  expect(batcher.take(1000 + ceilingMs)?.kind).toBe('paths');
});

test('many events in a short time are a storm: one look at everything, once it is calm', () => {
  const batcher = createBatcher();
  for (let event = 0; event <= stormEvents; event += 1) batcher.note({path: `/f${event}`}, 1000 + event / 10);
  expect(batcher.inStorm()).toBe(true);
  // It is still at work: what came meanwhile puts the end off.
  batcher.note({path: '/late'}, 1100);
  expect(batcher.due()).toBe(1100 + calmMs);
  expect(batcher.take(1100 + calmMs - 1)).toBeUndefined();
  expect(batcher.take(1100 + calmMs)).toEqual({kind: 'everything', reason: 'storm', firstEventAt: 1000});
  expect(batcher.inStorm()).toBe(false);
});

test('as many events over a longer time are none', () => {
  const batcher = createBatcher({...batchTimes, ceilingMs: 1_000_000});
  for (let event = 0; event <= 3 * stormEvents; event += 1) batcher.note({path: `/f${event}`}, 1000 + event);
  expect(batcher.inStorm()).toBe(false);
  expect(batcher.take(1_000_000)).toMatchObject({kind: 'paths'});
});

test('a storm that does not end is looked at all the same', () => {
  const batcher = createBatcher();
  for (let now = 1000; now < 1000 + 2 * stormCeilingMs; now += 0.4) batcher.note({path: '/f'}, now);
  expect(batcher.due()).toBe(1000 + stormCeilingMs);
});

test('while git holds its lock the end is waited for; a lock that was left behind only once', () => {
  const batcher = createBatcher();
  batcher.note({path: '/a'}, 1000);
  batcher.lock(true, 1010);
  expect(batcher.inStorm()).toBe(true);
  batcher.lock(true, 4000);
  expect(batcher.due()).toBe(4000 + calmMs);
  batcher.lock(false, 4050);
  expect(batcher.take(4000 + calmMs)).toMatchObject({kind: 'everything', reason: 'storm'});

  // Held for ever: waited for until the ceiling, and no longer held against what comes after.
  batcher.note({path: '/b'}, 10_000);
  for (let now = 10_000; now < 10_000 + lockCeilingMs; now += 50) batcher.lock(true, now);
  expect(batcher.take(10_000 + lockCeilingMs)?.kind).toBe('everything');
  batcher.note({path: '/c'}, 50_000);
  batcher.lock(true, 50_001);
  expect(batcher.take(50_000 + quietMs)).toEqual({kind: 'paths', paths: ['/c'], firstEventAt: 50_000});
  // Once it was gone a new one counts again.
  batcher.lock(false, 60_000);
  batcher.note({path: '/d'}, 60_000);
  batcher.lock(true, 60_001);
  expect(batcher.inStorm()).toBe(true);
});

test('lost events are an overflow, also in a storm', () => {
  const batcher = createBatcher();
  for (let event = 0; event <= stormEvents; event += 1) batcher.note({path: '/f'}, 1000);
  batcher.note({path: '/root', overflow: true}, 1001);
  expect(batcher.take(1001 + calmMs)).toEqual({kind: 'everything', reason: 'overflow', firstEventAt: 1000});
});
