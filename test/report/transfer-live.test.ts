import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import {expect, test} from 'vitest';
import type {ImageProgress} from '../../src/api/types/image.ts';
import {liveReporter} from '../../src/report/live.ts';
import {liveFrame} from '../../src/report/live-frame.ts';
import {plainReporter} from '../../src/report/plain.ts';
import {emptyState, reduce, type ViewState} from '../../src/report/state.ts';

type Line = readonly [time: number, progress: ImageProgress];

function after(lines: readonly Line[], image = 'redis:7'): ViewState {
  return lines.reduce<ViewState>(
    (state, [time, progress]) => reduce(state, {time, kind: 'transfer', image, progress}),
    emptyState,
  );
}

const layer = (id: string, status: string, progressDetail: NonNullable<ImageProgress['progressDetail']> = {}) => ({
  ...{id, status, progressDetail},
});

const pulling: readonly Line[] = [
  [0, {status: 'Pulling from library/redis', id: '7'}],
  [0, layer('aaaaaaaaaaaa', 'Already exists')],
  [0, layer('bbbbbbbbbbbb', 'Waiting')],
  [0, layer('cccccccccccc', 'Downloading', {current: 0, total: 40_000_000})],
  [0, layer('dddddddddddd', 'Downloading', {current: 1, total: 20_000_000})],
  [1000, layer('dddddddddddd', 'Download complete')],
  [2000, layer('cccccccccccc', 'Downloading', {current: 10_000_000, total: 40_000_000})],
];

const options = {color: false, title: 'pull redis:7', now: 2000, step: 0, columns: 70, rows: 24};

test('a pull tells of all layers together, and of those that move by themselves', () => {
  expect(liveFrame(after(pulling), options)).toEqual([
    'pull redis:7  2.0s  2/4 layers  30.0 of 60.0 MB  15.0 MB/s',
    ' ✔ 2 layers',
    ' · bbbbbbbbbbbb  waiting',
    ' ⠋ cccccccccccc  [=====               ]  10.0 of 40.0 MB',
  ]);
});

test('where there is no room the layers that are done go first', () => {
  expect(liveFrame(after(pulling), {...options, rows: 5, columns: 30})).toEqual([
    'pull redis:7  2.0s  2/4 laye…',
    ' · bbbbbbbbbbbb  waiting',
    ' ⠋ cccccccccccc  [=====     …',
  ]);
});

test('line by line each layer is told of when its status changes, without the bytes', () => {
  let text = '';
  const {report} = plainReporter({output: {write: (piece) => (text += piece)}, now: () => 0});
  for (const [, progress] of pulling) report({kind: 'transfer', image: 'redis:7', progress});
  expect(text.split('\n')).toEqual([
    '7: Pulling from library/redis',
    'aaaaaaaaaaaa: Already exists',
    'bbbbbbbbbbbb: Waiting',
    'dddddddddddd: Download complete',
    '',
  ]);
});

test('what is told of the image as a whole stays below the last picture', () => {
  let text = '';
  const reporter = liveReporter({
    terminal: {columns: 70, rows: 24, write: (piece) => (text += piece)},
    color: false,
    title: 'pull redis:7',
    now: () => 0,
    every: () => ({[Symbol.dispose]: () => undefined}),
  });
  for (const [, progress] of pulling.slice(0, 2)) reporter.report({kind: 'transfer', image: 'redis:7', progress});
  reporter.report({kind: 'transfer', image: 'redis:7', progress: {status: 'Digest: sha256:12'}});
  reporter.finish();
  expect(text.replaceAll('\u001b[K', '').replaceAll('\u001b[0J', '').split('\n')).toEqual([
    'pull redis:7  0.0s  1/1 layer',
    ' ✔ 1 layer',
    '7: Pulling from library/redis',
    'Digest: sha256:12',
    '',
  ]);
});

const word = fc.string({unit: fc.constantFrom('a', '漢', '\u001b[2J', '\n'), maxLength: 60});
const line = fc.record({
  id: word,
  status: fc.oneof(word, fc.constantFrom('Downloading', 'Pushing', 'Pull complete')),
  progressDetail: fc.record({current: fc.nat(), total: fc.nat()}),
});

test('no frame is wider or as high as the terminal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5000), line), {maxLength: 40}),
      fc.integer({min: 1, max: 100}),
      fc.integer({min: 1, max: 20}),
      (lines, columns, rows) => {
        const frame = liveFrame(after(lines), {...options, columns, rows});
        for (const one of frame) {
          expect(stringWidth(one)).toBeLessThanOrEqual(Math.max(1, columns - 1));
          expect(one).not.toMatch(/[\u0000-\u001f]/);
        }
        expect(frame.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
      },
    ),
  );
});
