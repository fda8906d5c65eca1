import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import {expect, test} from 'vitest';
import type {BuildEvent} from '../../src/api/types/build.ts';
import type {BuildBounds, ProgressContent} from '../../src/report/event.ts';
import {liveFrame} from '../../src/report/live-frame.ts';
import {plainReporter} from '../../src/report/plain.ts';
import {emptyState, reduce, type ViewState} from '../../src/report/state.ts';

type Told = readonly [atMs: number, event: BuildEvent | BuildBounds, build?: string];

/** The state after what is told of builds, each at its time. */
function after(told: readonly Told[]): ViewState {
  return told.reduce<ViewState>(
    (state, [time, event, build = '']) => reduce(state, {time, kind: 'build', build, event}),
    {
      ...emptyState,
      startedAt: 0,
    },
  );
}

const options = {color: false, title: 'build shop:1', now: 8000, step: 0, columns: 60, rows: 24};
const start = (step: number, title: string): BuildEvent => ({kind: 'step', step, title, status: 'start'});
const end = (step: number, status: 'cached' | 'done' | 'failed' | 'canceled'): BuildEvent => ({
  kind: 'step',
  step,
  status,
});
const says = (step: number, text: string): BuildEvent => ({kind: 'output', step, stream: 'stdout', text});

const running: readonly Told[] = [
  [0, {kind: 'began'}],
  [0, start(0, '[1/5] FROM busybox')],
  [0, end(0, 'cached')],
  [0, start(1, '[2/5] WORKDIR /app')],
  [0, end(1, 'cached')],
  [1000, start(2, '[3/5] COPY . .')],
  [1500, end(2, 'done')],
  [2000, start(3, '[4/5] RUN make')],
  [2500, says(3, 'cc a.c\ncc b.c\n 10%\r 20%\r 30%')],
];

test('steps have their times, what was cached is one line, and a running step shows what it said last', () => {
  expect(liveFrame(after(running), options)).toEqual([
    'build shop:1  8.0s  4 steps, 2 cached',
    ' = 2 steps         cached',
    ' ✔ [3/5] COPY . .    0.5s',
    ' ⠋ [4/5] RUN make    6.0s',
    '     cc a.c',
    '     cc b.c',
    '     30%',
  ]);
});

test('one step alone that was cached keeps its name', () => {
  expect(liveFrame(after(running.slice(0, 3)), options)).toEqual([
    'build shop:1  8.0s  1 step, 1 cached',
    ' = [1/5] FROM busybox  cached',
  ]);
});

test('what goes on stays where there is no room for all', () => {
  expect(liveFrame(after(running), {...options, rows: 5, columns: 22})).toEqual([
    'build shop:1  8.0s  …',
    '   … 2 more',
    ' ⠋ [4/5] RUN…    6.0s',
  ]);
});

test('the last picture is whole, without what was said, and with the time that it took', () => {
  const done = after([
    ...running,
    [4000, end(3, 'done')],
    [5000, {kind: 'built', image: 'sha256:1234', names: ['shop:1']}],
  ]);
  expect(liveFrame(done, {...options, rows: undefined})).toEqual([
    'build shop:1  5.0s  4 steps, 2 cached',
    ' = 2 steps         cached',
    ' ✔ [3/5] COPY . .    0.5s',
    ' ✔ [4/5] RUN make    2.0s',
  ]);
});

test('steps that went on when a build ended do not seem to go on', () => {
  const state = after([...running, [4000, {kind: 'ended', outcome: 'canceled'}]]);
  expect(liveFrame(state, {...options, rows: undefined}).at(-1)).toBe(' - [4/5] RUN make   ended');
});

test('of several builds, those that are done are a line each', () => {
  const several: readonly Told[] = [
    [0, {kind: 'began'}, 'api'],
    [0, {kind: 'began'}, 'web'],
    [0, start(0, '[1/2] FROM busybox'), 'api'],
    [0, end(0, 'cached'), 'api'],
    [3000, {kind: 'built', image: 'sha256:1', names: []}, 'api'],
    [
      0,
      {kind: 'pull', reference: 'node:22', progress: layer('Downloading', {current: 30_000_000, total: 40_000_000})},
      'web',
    ],
  ];
  expect(liveFrame(after(several), {...options, title: 'build shop'})).toEqual([
    'build shop  0/0  8.0s',
    ' ✔ build api            3.0s  1 step, 1 cached',
    ' ⠋ build web            8.0s  0 steps',
    '   ⠋ pulling node:22  30.0 of 40.0 MB',
  ]);
});

test('why a step was built anew is told below it once all is done', () => {
  const explained = {verdict: 'built', reasons: ['file "a.c" changed']} as const;
  const state = after([...running, [3000, {kind: 'explained', step: 3, explained}], [4000, end(3, 'done')]]);
  expect(liveFrame(state, {...options, rows: undefined}).slice(-2)).toEqual([
    ' ✔ [4/5] RUN make        2.0s',
    '     not cached: file "a.c" changed',
  ]);
});

test('several builds are told apart line by line, too', () => {
  let text = '';
  const {report} = plainReporter({output: {write: (piece) => (text += piece)}, now: () => 0});
  const told: readonly Told[] = [
    [0, {kind: 'began'}, 'api'],
    [0, start(0, '[1/2] FROM busybox'), 'api'],
    [0, end(0, 'cached'), 'api'],
    [
      0,
      {kind: 'pull', reference: 'node:22', progress: layer('Downloading', {current: 40_000_000, total: 40_000_000})},
      'api',
    ],
    [0, {kind: 'pulled', reference: 'node:22'}, 'api'],
    [0, start(1, '[2/2] RUN make'), 'api'],
    [0, says(1, 'cc a.c\nno new'), 'api'],
    [0, {kind: 'note', text: 'importing cache from c'}, 'api'],
    [0, end(1, 'failed'), 'api'],
    [0, {kind: 'built', image: 'sha256:1', names: ['web:1']}, 'web'],
  ];
  for (const [, event, build = ''] of told) report({kind: 'build', build, event});
  expect(text).toBe(
    [
      'api #1 [1/2] FROM busybox',
      'api #1 CACHED\n',
      'api pulling node:22',
      'api pulled node:22 40.0 of 40.0 MB',
      'api #2 [2/2] RUN make',
      'api #2 0.000 cc a.c',
      'api importing cache from c',
      'api #2 0.000 no new',
      'api #2 ERROR\n',
      'web naming to web:1',
      'web built sha256:1\n',
    ].join('\n'),
  );
});

function layer(status: string, progressDetail: {readonly current: number; readonly total: number}) {
  return {status, id: 'layer', progressDetail};
}

const text = fc.string({
  unit: fc.constantFrom('a', ' ', '漢', '👩‍🚀', '\u001b[2J', '\n', '\r', 'e\u0301'),
  maxLength: 90,
});
const one = fc.record({
  build: fc.constantFrom('', 'api', '漢'),
  step: fc.integer({min: 0, max: 6}),
  text,
  what: fc.constantFrom('start', 'says', 'cached', 'done', 'failed', 'canceled', 'pull', 'explained', 'ended'),
});

function eventOf({step, text: said, what}: {step: number; text: string; what: string}): BuildEvent | BuildBounds {
  switch (what) {
    case 'start':
      return start(step, said);
    case 'says':
      return says(step, said);
    case 'pull':
      return {kind: 'pull', reference: said, progress: layer('Downloading', {current: step, total: 6})};
    case 'explained':
      return {kind: 'explained', step, explained: {verdict: 'built', reasons: [said]}};
    case 'ended':
      return {kind: 'ended', outcome: 'failed'};
    default:
      return end(step, what as 'done');
  }
}

test('no frame is wider or as high as the terminal, whatever is built and said', () => {
  fc.assert(
    fc.property(
      fc.array(one, {maxLength: 50}),
      fc.integer({min: 1, max: 120}),
      fc.option(fc.integer({min: 1, max: 30}), {nil: undefined}),
      fc.boolean(),
      (events, columns, rows, color) => {
        const contents = events.map(
          (event): ProgressContent => ({kind: 'build', build: event.build, event: eventOf(event)}),
        );
        const state = contents.reduce<ViewState>((known, content) => reduce(known, {time: 1, ...content}), emptyState);
        const frame = liveFrame(state, {...options, columns, rows, color});
        for (const line of frame) {
          expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1));
          expect(line.replace(/\u001b\[\d+m/g, '')).not.toMatch(/[\u0000-\u001f]/);
        }
        if (rows !== undefined) expect(frame.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
      },
    ),
    {numRuns: 300},
  );
});
