import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import {expect, test} from 'vitest';
import type {ProgressContent} from '../../src/report/event.ts';
import {liveReporter} from '../../src/report/live.ts';
import {liveFrame} from '../../src/report/live-frame.ts';
import {node, plan, stateAfter, unhealthyRun} from './events.ts';

const options = {color: false, title: 'up shop', now: 8500, step: 0};

test('a frame shows what goes on, in columns', () => {
  const frame = liveFrame(stateAfter(...unhealthyRun.slice(0, 8)), {...options, columns: 80, rows: 24});
  expect(frame).toEqual([
    'up shop  1/3  8.5s',
    ' ✔ network shop_default  created   1.0s',
    ' ⠋ container shop-db-1   waiting   5.5s  starting, last probe exit 2: no answer',
    ' · container shop-web-1',
  ]);
});

test('in a narrow terminal the kind goes, then the beginning of a name; never the status', () => {
  const state = stateAfter(...unhealthyRun.slice(0, 8));
  expect(liveFrame(state, {...options, columns: 40, rows: 24}).slice(1)).toEqual([
    ' ✔ network shop_default  created   1.0s',
    ' ⠋ container shop-db-1   waiting   5.5s',
    ' · container shop-web-1',
  ]);
  expect(liveFrame(state, {...options, columns: 39, rows: 24}).slice(1)).toEqual([
    ' ✔ shop_default  created   1.0s',
    ' ⠋ shop-db-1     waiting   5.5s',
    ' · shop-web-1',
  ]);
  expect(liveFrame(state, {...options, columns: 26, rows: 24}).slice(1)).toEqual([
    ' ✔ …fault  created   1.0s',
    ' ⠋ …-db-1  waiting   5.5s',
    ' · …web-1',
  ]);
});

test('what one should know takes a line while things go on, and is told whole in the end, with what to do', () => {
  const notice = {level: 'warning', message: 'no service has container shop-old-1', hint: 'remove it'} as const;
  const state = stateAfter({kind: 'notice', notice});
  expect(liveFrame(state, {...options, columns: 40, rows: 24}).slice(1)).toEqual([
    ' ! warning: no service has container s…',
  ]);
  expect(liveFrame(state, {...options, columns: 40, rows: undefined}).slice(1)).toEqual([
    ' ! warning: no service has container',
    '   shop-old-1',
    '   hint: remove it',
  ]);
});

test('colour is never all there is: every phase has its own symbol', () => {
  const frame = liveFrame(stateAfter(...unhealthyRun), {...options, columns: 100, rows: undefined});
  expect(frame.slice(1).map((line) => line.slice(0, 3))).toEqual([' ✔ ', ' ✘ ', ' - ']);
});

test('an image that is built has the lines of its build in place of its own', () => {
  const one = node(1, {kind: 'buildImage', image: 'shop-web', services: ['web']});
  const build = {kind: 'build', build: 'web', node: one} as const;
  const state = stateAfter(
    {kind: 'planned', wave: 1, plan: plan(one)},
    {kind: 'nodeStarted', node: one},
    {...build, event: {kind: 'began'}},
    {...build, event: {kind: 'step', step: 2, title: '[2/2] RUN make', status: 'start'}},
    {...build, event: {kind: 'output', step: 2, stream: 'stderr', text: 'no rule\nfor web\n'}},
  );
  expect(liveFrame(state, {...options, columns: 80, rows: 24})).toEqual([
    'up shop  0/1  8.5s',
    expect.stringMatching(/^ ⠋ build web +\d\.\ds {2}1 step$/),
    expect.stringMatching(/^ {3}⠋ \[2\/2\] RUN make +\d\.\ds$/),
    '       no rule',
    '       for web',
  ]);
});

const name = fc.string({
  unit: fc.constantFrom('a', '-', '漢', '👩‍🚀', '\u001b[2J', '\n', 'e\u0301'),
  minLength: 1,
  maxLength: 60,
});
const step = fc.record({name, detail: name, phase: fc.constantFrom('start', 'done', 'wait', 'fail')});

const anyEvents = fc.array(step, {maxLength: 40}).map((steps): ProgressContent[] =>
  steps.flatMap(({name: container, detail, phase}, index): ProgressContent[] => {
    const one = node(index + 1, {kind: 'createContainer', service: container, replica: 1, name: container});
    const failure = {kind: 'internal', message: detail} as const;
    return [
      {kind: 'planned', wave: 1, plan: plan(one)},
      {kind: 'nodeStarted', node: one},
      ...(phase === 'done' ? [{kind: 'nodeDone', node: one, tookMs: 1} as const] : []),
      ...(phase === 'fail' ? [{kind: 'nodeFailed', node: one, failure} as const] : []),
      ...(phase === 'wait'
        ? [
            {
              kind: 'waiting',
              wait: {service: container, containers: [container], condition: 'service_healthy'},
              detail,
            } as const,
          ]
        : []),
      ...(phase === 'wait' ? [{kind: 'notice', notice: {level: 'warning', message: detail}} as const] : []),
    ];
  }),
);

test('no frame is wider or as high as the terminal, whatever names and texts there are', () => {
  fc.assert(
    fc.property(
      anyEvents,
      fc.integer({min: 1, max: 120}),
      fc.option(fc.integer({min: 1, max: 30}), {nil: undefined}),
      fc.boolean(),
      (events, columns, rows, color) => {
        const frame = liveFrame(stateAfter(...events), {...options, columns, rows, color});
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

/** A terminal that knows what the reporter sends: text, line feeds, cursor up, clearing a line's and the screen's rest. */
function screen(columns: number, rows: number) {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  return {
    columns,
    rows,
    lines,
    write(text: string) {
      for (const part of text.split(/(\u001b\[\d+A|\u001b\[0J|\u001b\[K|\r|\n)/)) {
        const up = /^\u001b\[(\d+)A$/.exec(part);
        const line = lines[row] ?? '';
        if (up !== null) row -= Number(up[1]);
        else if (part === '\u001b[K') lines[row] = line.slice(0, column);
        else if (part === '\u001b[0J') lines.splice(row, lines.length, line.slice(0, column));
        else if (part === '\n') row += 1;
        else if (part !== '\r') lines[row] = line.slice(0, column) + part + line.slice(column + part.length);
        column = part === '\n' || part === '\r' ? 0 : column + (part.startsWith('\u001b') ? 0 : part.length);
        lines[row] ??= '';
        if (row < 0) throw new Error('the cursor left the screen');
      }
    },
  };
}

test('frames replace each other, what stood before stays, and the last one stays whole with the evidence', () => {
  const terminal = screen(70, 10);
  terminal.write('$ tscompose up\n');
  let tick: () => void = () => undefined;
  let time = 0;
  const reporter = liveReporter({
    terminal,
    color: false,
    title: 'up shop',
    now: () => time,
    every: (_ms, callback) => {
      tick = callback;
      return {[Symbol.dispose]: () => (tick = () => undefined)};
    },
  });
  for (const event of unhealthyRun) {
    reporter.report(event);
    time += 1000;
    tick();
    tick();
  }
  reporter.finish();
  expect(terminal.lines).toEqual([
    '$ tscompose up',
    'up shop  1/3  9.0s',
    ' ✔ network shop_default  created   1.0s',
    ' ✘ container shop-db-1   failed    5.0s  dependency failed to start:…',
    ' - container shop-web-1  skipped         needs service "db", which f…',
    'dependency failed to start: container shop-db-1 is unhealthy',
    '  last probe: exit 2: no answer',
    '  shop-db-1 | FATAL: disk',
    '',
  ]);
});

test.each([
  ['done', ['up shop: nothing to do', '']],
  ['canceled', ['']],
] as const)('a command that finds nothing to do says so once it is %s, and else draws nothing', (outcome, lines) => {
  const terminal = screen(80, 24);
  const reporter = liveReporter({
    terminal,
    color: false,
    title: 'up shop',
    now: () => 0,
    every: () => ({[Symbol.dispose]: () => undefined}),
  });
  reporter.report({kind: 'planned', wave: 1, plan: plan()});
  reporter.report({kind: 'summary', command: 'up', summary: {outcome, tookMs: 0, done: 0, failed: 0, skipped: 0}});
  reporter.finish();
  expect(terminal.lines).toEqual(lines);
});
