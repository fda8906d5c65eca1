import {reduceBuilds} from '../report/build-state.ts';
import {oneLine} from '../report/cells.ts';
import type {ProgressEvent} from '../report/event.ts';
import {emptyState, reduce} from '../report/state.ts';
import {
  containerEvents,
  withCause,
  withContainer,
  withHealth,
  withoutContainer,
  withSamples,
  withSnapshot,
  withStack,
} from './reduce-containers.ts';
import {withHistory} from './run-history.ts';
import {probeEnd} from './status.ts';
import {tableRows} from './table-rows.ts';
import {type EventEntry, eventLimit, type UiEvent, type UiState} from './types.ts';

export interface UiStart {
  readonly project: string;
  /** As its user types the program: `tscompose -p shop`. */
  readonly command: string;
  readonly columns: number;
  readonly rows: number;
}

export function initialUiState({project, command, columns, rows}: UiStart): UiState {
  return {
    project,
    command,
    revision: 0,
    services: [],
    plan: undefined,
    events: [],
    watch: undefined,
    builds: [],
    action: undefined,
    connected: true,
    columns,
    rows,
    terminalFocused: undefined,
    selection: undefined,
    tableTop: 0,
    expanded: [],
    focus: 'services',
    overlay: undefined,
    log: {
      scope: 'all',
      search: '',
      filter: '',
      wrap: false,
      // Where there is room for them beside the text.
      timestamps: (columns >= 100 && columns < 120) || columns >= 160,
      previous: false,
      position: 'follow',
      match: undefined,
    },
    prompt: undefined,
    hint: undefined,
  };
}

/** What the screen's state becomes by what happened. Events that change nothing give back the same object. */
export function reduceUi(state: UiState, event: UiEvent): UiState {
  switch (event.kind) {
    case 'stack':
      return withValidSelection({
        ...withEvents(
          state,
          state.revision === 0 ? [] : [{time: event.time, level: 'info', text: 'the stack file was read anew'}],
        ),
        project: event.project,
        revision: state.revision + 1,
        services: withStack(state.services, event.services),
      });
    case 'snapshot':
      return withValidSelection({...state, services: withSnapshot(state.services, event.containers, event.time)});
    case 'container': {
      const services = withContainer(state.services, event.container, event.time, event.cause);
      const events = containerEvents(state.services, event.container, event.time, event.cause);
      return withValidSelection(withEvents({...state, services}, events));
    }
    case 'containerGone':
      return withValidSelection({...state, services: withoutContainer(state.services, event.id, event.time)});
    case 'history':
      return {...state, services: withHistory(state.services, event.runs)};
    case 'stats':
      return {...state, services: withSamples(state.services, event.samples)};
    case 'health':
      return withHealthEvent(state, event);
    case 'plan':
      return {...state, plan: event.plan};
    case 'watch':
      return {...state, watch: event.watch};
    case 'watchApplied': {
      const took = event.tookMs === undefined ? '' : ` in ${(event.tookMs / 1000).toFixed(2)}s`;
      const entry = {time: event.time, level: 'good', service: event.service, text: `${event.text}${took}`} as const;
      const services = event.restarted
        ? withCause(state.services, event.service, {time: event.time, kind: 'watch', detail: event.text})
        : state.services;
      return withEvents({...state, services}, [entry]);
    }
    case 'notice':
      return withEvents(state, [
        {
          time: event.time,
          level: event.level,
          text: event.text,
          ...(event.service === undefined ? {} : {service: event.service}),
        },
      ]);
    case 'actionStarted':
      return {
        ...state,
        action: {
          command: event.command,
          phase: 'running',
          startedAt: event.time,
          endedAt: undefined,
          message: undefined,
          progress: emptyState,
        },
      };
    case 'progress':
      return withProgress(withBuild(state, event.event), event.event);
    case 'build':
      return withBuild(state, event);
    case 'actionEnded':
      return withActionEnd(state, event);
    case 'connection':
      if (state.connected === event.connected) return state;
      return withEvents({...state, connected: event.connected}, [
        event.connected
          ? {time: event.time, level: 'good', text: 'the engine answers again'}
          : {time: event.time, level: 'error', text: `the engine cannot be reached: ${event.reason ?? 'no answer'}`},
      ]);
    case 'resize':
      return event.columns === state.columns && event.rows === state.rows
        ? state
        : {...state, columns: event.columns, rows: event.rows};
    case 'terminalFocus':
      return {...state, terminalFocused: event.focused};
    case 'tick':
    case 'logs':
      return state;
  }
}

function withProgress(state: UiState, event: ProgressEvent): UiState {
  const {action} = state;
  return action === undefined ? state : {...state, action: {...action, progress: reduce(action.progress, event)}};
}

function withBuild(state: UiState, event: ProgressEvent): UiState {
  return event.kind === 'build' ? {...state, builds: reduceBuilds(state.builds, event)} : state;
}

function withHealthEvent(state: UiState, event: UiEvent & {readonly kind: 'health'}): UiState {
  const change = withHealth(state.services, event.id, event.health);
  if (change === undefined) return state;
  const next = {...state, services: change.services};
  // That a container starts is told by its start.
  if (change.before === event.health.status || event.health.status === 'starting') return next;
  const {status, exitCode, output} = event.health;
  const reason = status !== 'unhealthy' ? '' : `: probe ${probeEnd(exitCode)}${output === '' ? '' : `, ${output}`}`;
  const level = status === 'healthy' ? 'good' : 'error';
  const text = `${change.name} is ${status}${reason}`;
  return withEvents(next, [{time: event.time, level, service: change.service, text}]);
}

function withActionEnd(state: UiState, event: UiEvent & {readonly kind: 'actionEnded'}): UiState {
  if (state.action === undefined) return state;
  const failure = state.action.progress.rows.find((row) => row.failure !== undefined)?.failure?.message;
  const message = event.message ?? (event.outcome === 'failed' ? failure : undefined);
  const {command} = state.action;
  return withEvents(
    {...state, action: {...state.action, phase: event.outcome, endedAt: event.time, message}},
    event.outcome === 'done'
      ? [{time: event.time, level: 'good', text: `${command}: done`}]
      : [{time: event.time, level: 'error', text: `${command}: ${message ?? 'failed'}`}],
  );
}

function withEvents(state: UiState, entries: readonly EventEntry[]): UiState {
  if (entries.length === 0) return state;
  const clean = entries.map((entry) => ({...entry, text: oneLine(entry.text)}));
  return {...state, events: [...state.events, ...clean].slice(-eventLimit)};
}

/** The selection is always on a line that is there; at the start on the first. */
function withValidSelection(state: UiState): UiState {
  const rows = tableRows(state);
  const selected = rows.find(
    ({service, replica}) => service.name === state.selection?.service && replica?.number === state.selection?.replica,
  );
  if (selected !== undefined) return state;
  const fallback = rows.find(({service}) => service.name === state.selection?.service) ?? rows[0];
  return {...state, selection: fallback === undefined ? undefined : {service: fallback.service.name}};
}
