import {actOnKey} from './keys-action.ts';
import {logKey} from './keys-log.ts';
import {overlayKey} from './keys-overlay.ts';
import {promptKey, withPrompt} from './keys-prompt.ts';
import {layoutOf} from './layout.ts';
import type {LogReader} from './log-store.ts';
import {scrolledTop, selectedIndex, tableRows} from './table-rows.ts';
import type {Key, KeyResult, UiState} from './types.ts';

/**
 * What a key means: the state after it, and what the world is asked to do. Keys without a meaning change nothing (the
 * state is the same object). The logs are only looked at, for where a search or a scroll leads.
 */
export function reduceKey(state: UiState, key: Key, logs: LogReader): KeyResult {
  if (key.ctrl) {
    if (key.name === 'c') return {state, effects: [{kind: 'quit'}]};
    if (key.name === 'z') return {state, effects: [{kind: 'suspend'}]};
    if (key.name === 'l') return {state, effects: [{kind: 'redraw'}]};
  }
  // What a key before this one was told has been read.
  const before = state.hint === undefined ? state : {...state, hint: undefined};
  const result =
    before.prompt !== undefined
      ? done(promptKey(before, before.prompt, key, logs))
      : before.overlay !== undefined
        ? overlayKey(before, before.overlay, key)
        : screenKey(before, key, logs);
  const next = result.state === before ? before : withTableTop(result.state);
  return {state: next, effects: result.effects};
}

function done(state: UiState): KeyResult {
  return {state, effects: []};
}

function screenKey(state: UiState, key: Key, logs: LogReader): KeyResult {
  if (key.ctrl || key.meta) return done(state);
  switch (key.name) {
    case 'q':
      return {state, effects: [{kind: 'quit'}]};
    case '?':
    case 'f1':
      return done({...state, overlay: {kind: 'help', top: 0}});
    case 'v':
      return done({...state, overlay: {kind: 'events', above: 0}});
    case 'B':
      return done({...state, overlay: {kind: 'builds', above: 0}});
    case 'tab':
      return done({...state, focus: state.focus === 'services' ? 'logs' : 'services'});
    case 'escape':
      return done(withoutNarrowing(state));
    case '/':
      return done(withPrompt({...state, focus: 'logs'}, 'search'));
    case 'f':
      return done(withPrompt({...state, focus: 'logs'}, 'filter'));
  }
  return (
    logKey(state, key, logs) ?? actOnKey(state, key) ?? done(state.focus === 'services' ? tableKey(state, key) : state)
  );
}

/** Step by step back to all lines of all services. */
function withoutNarrowing(state: UiState): UiState {
  const {log} = state;
  if (log.search !== '') return {...state, log: {...log, search: '', match: undefined, position: 'follow'}};
  if (log.filter !== '') return {...state, log: {...log, filter: '', position: 'follow'}};
  if (log.previous) return {...state, log: {...log, previous: false, position: 'follow'}};
  if (log.position !== 'follow') return {...state, log: {...log, position: 'follow'}};
  return state.focus === 'logs' ? {...state, focus: 'services'} : state;
}

function tableKey(state: UiState, key: Key): UiState {
  const page = Math.max(1, (layoutOf(state, state.columns, state.rows).table?.height ?? 2) - 2);
  switch (key.name) {
    case 'up':
    case 'k':
      return moved(state, -1);
    case 'down':
    case 'j':
      return moved(state, 1);
    case 'pageup':
      return moved(state, -page);
    case 'pagedown':
      return moved(state, page);
    case 'home':
    case 'g':
      return moved(state, Number.NEGATIVE_INFINITY);
    case 'end':
    case 'G':
      return moved(state, Number.POSITIVE_INFINITY);
    case 'right':
      return expanded(state, true);
    case 'left':
      return expanded(state, false);
    case 'enter':
    case 'space': {
      const service = selectedService(state);
      if (service === undefined) return state;
      if (service.replicas.length > 1 && state.selection?.replica === undefined)
        return expanded(state, !state.expanded.includes(service.name));
      return {...state, focus: 'logs', log: {...state.log, scope: 'selected', position: 'follow', match: undefined}};
    }
    default:
      return state;
  }
}

function moved(state: UiState, by: number): UiState {
  const rows = tableRows(state);
  const index = Math.max(0, Math.min(rows.length - 1, selectedIndex(rows, state.selection) + by));
  const row = rows[index];
  if (row === undefined) return state;
  const {service, replica} = row;
  if (service.name === state.selection?.service && replica?.number === state.selection.replica) return state;
  const selection = replica === undefined ? {service: service.name} : {service: service.name, replica: replica.number};
  // Another log comes into the pane: its newest lines are shown.
  const log =
    state.log.scope === 'selected' || state.log.previous
      ? {...state.log, position: 'follow' as const, match: undefined, previous: false}
      : state.log;
  return {...state, selection, log};
}

function expanded(state: UiState, open: boolean): UiState {
  const service = selectedService(state);
  if (service === undefined || state.expanded.includes(service.name) === open) return state;
  if (open) return service.replicas.length < 2 ? state : {...state, expanded: [...state.expanded, service.name]};
  return {
    ...state,
    expanded: state.expanded.filter((name) => name !== service.name),
    selection: {service: service.name},
  };
}

function selectedService({services, selection}: UiState): UiState['services'][number] | undefined {
  return services.find(({name}) => name === selection?.service);
}

/** The table is moved on so that the selected line is seen. */
function withTableTop(state: UiState): UiState {
  const {table} = layoutOf(state, state.columns, state.rows);
  if (table === undefined) return state;
  const rows = tableRows(state);
  const height = table.height - table.heading;
  const top = scrolledTop(state.tableTop, selectedIndex(rows, state.selection), rows.length, height);
  return top === state.tableTop ? state : {...state, tableTop: top};
}
