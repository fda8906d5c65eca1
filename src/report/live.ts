import {oneLine} from './cells.ts';
import type {ProgressContent} from './event.ts';
import {failureLines} from './evidence.ts';
import {type LiveFrameOptions, liveFrame} from './live-frame.ts';
import {createRedraw, type Terminal} from './redraw.ts';
import type {Reporter} from './reporter.ts';
import {emptyState, reduce, type ViewState} from './state.ts';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly color: boolean;
  /** `up shop`. */
  readonly title: string;
  readonly now: () => number;
  /** Calls back again and again until disposed; drives the clock and the spinner. */
  readonly every: (ms: number, callback: () => void) => Disposable;
}

const redrawEveryMs = 100;

/**
 * Status lines that are drawn over and over, at most ten times a second, for a terminal. What scrolled away is never
 * touched: a frame is always lower than the screen, and no line is wider. The last frame stays, whole.
 */
export function liveReporter(options: LiveOptions): Reporter {
  const {terminal} = options;
  let state = emptyState;
  let drawn = false;
  let changed = false;
  let step = 0;
  const redraw = createRedraw(terminal);
  const draw = (lines: readonly string[]): void => {
    redraw(lines);
    drawn = true;
  };
  const ticker = options.every(redrawEveryMs, () => {
    step += 1;
    if (changed || isBusy(state)) draw(liveFrame(state, frameOptions(options, step)));
    changed = false;
  });
  return {
    report(content: ProgressContent) {
      state = reduce(state, {time: options.now(), ...content});
      changed = true;
    },
    finish() {
      ticker[Symbol.dispose]();
      if (state.rows.length === 0 && !drawn && state.notices.length === 0) return;
      draw([...liveFrame(state, {...frameOptions(options, step), rows: undefined}), ...evidence(state)]);
    },
  };
}

function frameOptions({terminal, color, title, now}: LiveOptions, step: number): LiveFrameOptions {
  return {columns: terminal.columns, rows: terminal.rows, color, title, now: now(), step};
}

function isBusy(state: ViewState): boolean {
  return state.ended === undefined && state.rows.some(({phase}) => phase === 'working' || phase === 'waiting');
}

/** What is known of the containers and builds that failed; the failures themselves are told by the command's error. */
function evidence(state: ViewState): readonly string[] {
  return state.rows.flatMap(({failure, name, output}) => {
    if (failure === undefined) return [];
    return [
      ...(failure.evidence === undefined ? [] : failureLines(failure)),
      ...output.map((line) => `  ${name} | ${oneLine(line)}`),
    ];
  });
}
