import {layoutOf, type Pane} from './layout.ts';
import type {LogResult} from './log-result.ts';
import type {LogLine, LogReader} from './log-store.ts';
import {comparePositions} from './log-track.ts';
import {foundLines, shownLines} from './log-view.ts';
import type {Key, KeyResult, LogPosition, UiState} from './types.ts';
import {rowsOfLine} from './view-log.ts';

/** Keys of the log pane; those that scroll only while it has the focus. Undefined: the key is none of them. */
export function logKey(state: UiState, key: Key, logs: LogReader): KeyResult | undefined {
  const next = settingKey(state, key, logs) ?? (state.focus === 'logs' ? scrollKey(state, key, logs) : undefined);
  if (next !== undefined) return {state: next, effects: []};
  if (key.name !== 'P') return undefined;
  return previousLog(state);
}

function settingKey(state: UiState, key: Key, logs: LogReader): UiState | undefined {
  const {log} = state;
  switch (key.name) {
    case 'l': {
      const scope = log.scope === 'all' ? 'selected' : 'all';
      return {...state, log: {...log, scope, previous: false, position: 'follow', match: undefined}};
    }
    case 'W':
      return {...state, log: {...log, wrap: !log.wrap}};
    case 't':
      return {...state, log: {...log, timestamps: !log.timestamps}};
    case 'x':
      return log.search === 'level:error' && log.match !== undefined
        ? withNextMatch(state, logs, 'older')
        : withNewestMatch({...state, log: {...log, search: 'level:error', match: undefined}}, logs);
    case 'n':
      return withNextMatch(state, logs, 'older');
    case 'N':
      return withNextMatch(state, logs, 'newer');
    default:
      return undefined;
  }
}

function previousLog(state: UiState): KeyResult {
  const service = state.selection?.service;
  if (service === undefined) return {state, effects: []};
  const log = {...state.log, position: 'follow' as const, match: undefined};
  if (state.log.previous) return {state: {...state, log: {...log, previous: false}}, effects: []};
  const command = `${state.command} logs ${service}`;
  return {
    state: {...state, log: {...log, scope: 'selected', previous: true}},
    effects: [{kind: 'loadPreviousLog', service, command}],
  };
}

function scrollKey(state: UiState, key: Key, logs: LogReader): UiState | undefined {
  const pane = logPane(state);
  const page = Math.max(1, pane.height - pane.heading - 1);
  switch (key.name) {
    case 'up':
    case 'k':
      return scrolled(state, logs, -1);
    case 'down':
    case 'j':
      return scrolled(state, logs, 1);
    case 'pageup':
    case 'b':
      return scrolled(state, logs, -page);
    case 'pagedown':
    case 'space':
      return scrolled(state, logs, page);
    case 'home':
    case 'g':
      return scrolled(state, logs, Number.NEGATIVE_INFINITY);
    case 'end':
    case 'G':
      return {...state, log: {...state.log, position: 'follow', match: undefined}};
    default:
      return undefined;
  }
}

/** By lines. Down to the newest follows again; up ends where the oldest line is the first on the screen. */
function scrolled(state: UiState, logs: LogReader, by: number): UiState {
  const shown = shownLines(state, logs);
  const newest = shown.newest();
  if (newest === undefined) return state;
  const {position} = state.log;
  const highest = firstScreenEnd(state, shown);
  if (by > 0) {
    if (position === 'follow') return state;
    const from = comparePositions(position, highest) < 0 ? highest : position;
    const below = shown.after(from, by).at(-1);
    return at(state, below === undefined || below === newest ? 'follow' : below);
  }
  const count = Number.isFinite(by) ? 1 - by : 1;
  const above = Number.isFinite(by) ? shown.upTo(position === 'follow' ? 'end' : position, count)[0] : highest;
  const target = above === undefined || comparePositions(above, highest) < 0 ? highest : above;
  // All of it is on the screen: there is nothing to hold.
  return position === 'follow' && target === newest ? state : at(state, target);
}

function at(state: UiState, position: 'follow' | LogPosition): UiState {
  const place = position === 'follow' ? position : {key: position.key, id: position.id};
  return {...state, log: {...state.log, position: place}};
}

/** The line at the bottom when the oldest is at the top. */
function firstScreenEnd(state: UiState, shown: LogResult<LogLine>): LogLine | LogPosition {
  const pane = logPane(state);
  const height = pane.height - pane.heading;
  const lines = shown.after('start', height);
  let rows = 0;
  for (const line of lines) {
    rows += rowsOfLine(line, state, pane.width);
    if (rows >= height) return line;
  }
  return lines.at(-1) ?? {key: 0, id: 0};
}

/** The pane as it is or, where it is not on the screen now, as it will be. */
function logPane(state: UiState): Pane {
  const {logs} = layoutOf(state, state.columns, state.rows);
  return logs ?? {width: state.columns, height: Math.max(1, state.rows), heading: 0};
}

/** The newest match at or above the bottom of the screen, else the newest of all. */
export function withNewestMatch(state: UiState, logs: LogReader): UiState {
  const found = foundLines(state, logs);
  if (found === undefined) return state;
  const {position} = state.log;
  const match = found.upTo(position === 'follow' ? 'end' : position, 1)[0] ?? found.newest();
  return match === undefined ? state : atMatch(state, logs, match);
}

function withNextMatch(state: UiState, logs: LogReader, direction: 'older' | 'newer'): UiState {
  const found = foundLines(state, logs);
  if (found === undefined) return {...state, hint: 'nothing is searched: / begins a search'};
  const {match} = state.log;
  if (match === undefined) return withNewestMatch(state, logs);
  const rank = found.rank(match);
  const next = direction === 'newer' ? found.after(match, 1)[0] : found.upTo(match, 2)[0];
  // At the end it begins again from the other one.
  const other = direction === 'newer' ? found.oldest() : found.newest();
  const target = next === undefined || (direction === 'older' && rank < 2) ? other : next;
  if (target === undefined) return {...state, hint: `nothing matches ${state.log.search}`};
  const wrapped = target === other && found.count > 1;
  const hint = wrapped ? {hint: direction === 'newer' ? 'on from the oldest match' : 'on from the newest match'} : {};
  return {...atMatch(state, logs, target), ...hint};
}

/** With as much of what came after it as of what came before. */
function atMatch(state: UiState, logs: LogReader, match: LogPosition): UiState {
  const pane = logPane(state);
  const below = Math.floor((pane.height - pane.heading) / 2);
  const bottom = shownLines(state, logs).after(match, below).at(-1) ?? match;
  const next = at(state, bottom);
  return {...next, log: {...next.log, match: {key: match.key, id: match.id}}};
}
