import {mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {batchEvents} from '../../../src/watch/files/batch-events.ts';
import type {Batch} from '../../../src/watch/files/types.ts';
import {manualClock} from '../manual-clock.ts';

test('one batch at a time; what comes while one is handled comes after it, together', async () => {
  const clock = manualClock();
  const got: Batch[] = [];
  let finish: () => void = () => {};
  const batches = batchEvents({
    clock,
    onBatch: (batch) => {
      got.push(batch);
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  batches.note({path: '/a'});
  await clock.advance(24);
  expect(got).toEqual([]);
  await clock.advance(1);
  expect(got).toMatchObject([{paths: ['/a']}]);
  batches.note({path: '/b'});
  await clock.advance(1000);
  batches.note({path: '/c'});
  await clock.advance(1000);
  expect(got).toHaveLength(1);
  finish();
  await clock.advance(0);
  expect(got).toMatchObject([{paths: ['/a']}, {paths: ['/b', '/c']}]);
  finish();
  await batches.close();
});

test("git's lock is looked for: a batch waits until it is gone, unless a git that died left it", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-batch-'));
  try {
    const lock = join(directory, 'index.lock');
    writeFileSync(lock, '');
    const clock = manualClock(Date.now());
    const got: Batch[] = [];
    const batches = batchEvents({clock, locks: [lock], onBatch: (batch) => void got.push(batch)});
    batches.note({path: '/a'});
    await clock.advance(2_000);
    expect(got).toEqual([]);
    rmSync(lock);
    await clock.advance(1_000);
    expect(got).toMatchObject([{kind: 'everything', reason: 'storm'}]);

    writeFileSync(lock, '');
    const old = new Date(clock.now() - 61_000);
    utimesSync(lock, old, old);
    batches.note({path: '/b'});
    await clock.advance(25);
    expect(got[1]).toMatchObject({kind: 'paths', paths: ['/b']});
    await batches.close();
  } finally {
    rmSync(directory, {recursive: true});
  }
});

test('what is gathered is dropped at the end, and nothing comes after it', async () => {
  const clock = manualClock();
  const got: Batch[] = [];
  const batches = batchEvents({clock, onBatch: (batch) => void got.push(batch)});
  batches.note({path: '/a'});
  await batches.close();
  batches.note({path: '/b'});
  await clock.advance(10_000);
  expect(got).toEqual([]);
});
