import {expect, test} from 'vitest';
import {createPacer} from '../../../src/tui/app/pacer.ts';
import {manualTimers} from './manual-timers.ts';

function paced() {
  const timers = manualTimers();
  const frames: number[] = [];
  return {timers, frames, pacer: createPacer(timers, () => frames.push(timers.now()))};
}

test('the first frame comes at once, the next as soon as its reason allows', () => {
  const {timers, frames, pacer} = paced();
  pacer.request('soon');
  timers.pass(0);
  pacer.request('clock');
  timers.pass(500);
  pacer.request('soon');
  timers.pass(1000);
  expect(frames).toEqual([0, 500]);
});

test('while logs flow there are at most five frames a second, while clocks change one', () => {
  const {timers, frames, pacer} = paced();
  for (let ms = 0; ms < 10_000; ms += 10) {
    pacer.request('soon');
    timers.pass(10);
  }
  expect(frames.filter((time) => time < 10_000).length).toBe(50);
  const clocks = paced();
  for (let ms = 0; ms < 10_000; ms += 100) {
    clocks.pacer.request('clock');
    clocks.timers.pass(100);
  }
  expect(clocks.frames.filter((time) => time < 10_000).length).toBe(10);
});

test('a key does not wait for the logs, and keys that are held down are not drawn one by one', () => {
  const {timers, frames, pacer} = paced();
  pacer.request('soon');
  timers.pass(1);
  pacer.request('soon');
  pacer.request('now');
  timers.pass(30);
  expect(frames).toEqual([0, 15]);
  for (let ms = 0; ms < 100; ms += 1) {
    pacer.request('now');
    timers.pass(1);
  }
  expect(frames.length).toBeLessThanOrEqual(9);
});

test('nothing is drawn after it was disposed', () => {
  const {timers, frames, pacer} = paced();
  pacer.request('now');
  pacer[Symbol.dispose]();
  pacer.request('now');
  timers.pass(5000);
  expect(frames).toEqual([]);
});
