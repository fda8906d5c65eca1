import {expect, test} from 'vitest';
import {addNotes, emptyNotes, toCause} from '../../../src/watch/session/cause.ts';
import {createMeter, percentiles} from '../../../src/watch/session/meter.ts';

test('percentiles by nearest rank', () => {
  const hundred = Array.from({length: 100}, (_, index) => 100 - index);
  expect(percentiles(hundred)).toEqual({p50Ms: 50, p95Ms: 95});
  expect(percentiles([7])).toEqual({p50Ms: 7, p95Ms: 7});
  expect(percentiles([3, 1, 2])).toEqual({p50Ms: 2, p95Ms: 3});
});

test('of each service apart, over its latest 200 saves', () => {
  const meter = createMeter();
  expect(meter.times()).toEqual([]);
  expect(meter.servingOf('web')).toBeUndefined();
  meter.visible('web', 10);
  for (let save = 0; save < 300; save += 1) meter.visible('api', save < 100 ? 9_999 : 20);
  meter.serving('web', 400);
  meter.serving('web', 200);
  expect(meter.servingOf('web')).toEqual({saves: 2, p50Ms: 200, p95Ms: 400});
  expect(meter.times()).toEqual([
    {service: 'api', saves: 300, visible: {p50Ms: 20, p95Ms: 20}},
    // A save that synced nothing counts all the same.
    {service: 'web', saves: 2, visible: {p50Ms: 10, p95Ms: 10}, serving: {p50Ms: 200, p95Ms: 400}},
  ]);
});

test('a cause names the first paths and counts the others; the time is that of the first save', () => {
  const notes = emptyNotes();
  addNotes(notes, {paths: ['d', 'b'], savedAt: 20});
  addNotes(notes, {paths: ['a', 'b', 'c'], savedAt: 10});
  addNotes(notes, {paths: [], savedAt: undefined});
  expect(notes.savedAt).toBe(10);
  expect(toCause(notes.paths)).toEqual({paths: ['a', 'b', 'c'], more: 1});
  expect(toCause([])).toEqual({paths: [], more: 0});
  // Directories are not what somebody saved.
  expect(toCause(['src', 'src/deep', 'src/deep/a', 'src-b', 'empty'])).toEqual({
    paths: ['empty', 'src-b', 'src/deep/a'],
    more: 0,
  });
});
