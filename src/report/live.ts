import {renderDiagnostic} from '../base/diagnostic.ts';
import type {BuildView} from './build-state.ts';
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
  let paused = false;
  let redraw = createRedraw(terminal);
  const draw = (lines: readonly string[]): void => {
    redraw(lines);
    drawn = true;
  };
  const ticker = options.every(redrawEveryMs, () => {
    step += 1;
    if (paused) return;
    if (changed || isBusy(state)) draw(liveFrame(state, frameOptions(options, step)));
    changed = false;
  });
  return {
    report(content: ProgressContent) {
      state = reduce(state, {time: options.now(), ...content});
      changed = true;
    },
    pause() {
      if (drawn) draw(liveFrame(state, frameOptions(options, step)));
      paused = true;
      return () => {
        paused = false;
        // What was drawn before is above what somebody else wrote.
        redraw = createRedraw(terminal);
      };
    },
    finish() {
      ticker[Symbol.dispose]();
      if (!drawn && isEmpty(state)) {
        // A person who sees nothing at all does not know whether anything was understood.
        if (state.ended?.outcome === 'done') draw([oneLine(`${options.title}: nothing to do`)]);
        return;
      }
      draw([
        ...liveFrame(state, {...frameOptions(options, step), rows: undefined}),
        ...evidence(state),
        ...buildEnds(state.builds, options),
        ...state.transfers.flatMap(({notes}) => notes.map(oneLine)),
      ]);
    },
  };
}

function frameOptions({terminal, color, title, now}: LiveOptions, step: number): LiveFrameOptions {
  return {columns: terminal.columns, rows: terminal.rows, color, title, now: now(), step};
}

function isEmpty({rows, notices, builds, transfers}: ViewState): boolean {
  return [rows, notices, builds, transfers].every((list) => list.length === 0);
}

function isBusy(state: ViewState): boolean {
  if (state.transfers.length > 0 || state.builds.some(({phase}) => phase === 'working')) return true;
  return state.ended === undefined && state.rows.some(({phase}) => phase === 'working' || phase === 'waiting');
}

/** What is known of the containers that failed; the failures themselves are told by the command's error. */
function evidence(state: ViewState): readonly string[] {
  return state.rows.flatMap(({failure}) => (failure?.evidence === undefined ? [] : failureLines(failure)));
}

/** What is read once nothing moves any more: what is questionable in the Dockerfiles, and what a build alone came to. */
function buildEnds(builds: readonly BuildView[], {color}: LiveOptions): readonly string[] {
  const warnings = builds.flatMap((build) => build.warnings);
  const results = builds.flatMap((build) => (build.name === '' ? build.results : []));
  return [...warnings.flatMap((warning) => renderDiagnostic(warning, {color}).split('\n')), ...results];
}
