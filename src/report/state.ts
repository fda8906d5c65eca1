import type {Notice, PlanNode} from '../plan/action.ts';
import {type BuildView, reduceBuilds} from './build-state.ts';
import type {FailureInfo, ProgressEvent, Summary} from './event.ts';
import {nodeStatus, nodeSubject, type Subject} from './subject.ts';
import {reduceTransfers, type TransferView} from './transfer-state.ts';

/** Everything that can be seen of a command's progress; a pure reduction of its events. */
export interface ViewState {
  /** In the order in which they first came up. */
  readonly rows: readonly ViewRow[];
  /** Images that are built, in the order in which that began. */
  readonly builds: readonly BuildView[];
  /** Images that are pulled or pushed by themselves. */
  readonly transfers: readonly TransferView[];
  readonly notices: readonly Notice[];
  /** Another process holds the project's lock. */
  readonly lockWait: boolean;
  readonly startedAt: number | undefined;
  readonly ended: Summary | undefined;
}

/** A network, volume or container, and what last happened to it. */
export interface ViewRow extends Subject {
  readonly phase: 'planned' | 'working' | 'waiting' | 'done' | 'failed' | 'skipped';
  /** `starting`, `started`, `healthy`. */
  readonly status: string;
  /** What it waits for, or why it failed. */
  readonly detail: string | undefined;
  readonly failure: FailureInfo | undefined;
  /** Time of the first action on it and of the end of the last one. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Actions that are still to come. */
  readonly open: number;
}

export const emptyState: ViewState = {
  rows: [],
  builds: [],
  transfers: [],
  notices: [],
  lockWait: false,
  startedAt: undefined,
  ended: undefined,
};

export function reduce(state: ViewState, event: ProgressEvent): ViewState {
  const current: ViewState = {...state, startedAt: state.startedAt ?? event.time};
  switch (event.kind) {
    case 'lockWait':
      return {...current, lockWait: true};
    case 'planned':
      return event.plan.nodes.reduce(withPlanned, {...forgetOpen(current), lockWait: false});
    case 'nodeStarted':
      return update(current, event.node, (row) => ({
        ...row,
        phase: 'working',
        status: nodeStatus(event.node).doing,
        detail: undefined,
        startedAt: row.startedAt ?? event.time,
      }));
    case 'nodeProgress':
      return update(current, event.node, (row) => ({...row, detail: event.detail}));
    case 'nodeDone':
      return update(current, event.node, (row) => ({
        ...row,
        phase: row.open > 1 ? 'working' : 'done',
        status: event.kept === true ? 'stays' : nodeStatus(event.node).done,
        open: Math.max(0, row.open - 1),
        detail: row.kind === 'image' ? undefined : row.detail,
        endedAt: event.time,
      }));
    case 'nodeFailed':
      return update(current, event.node, (row) => failedRow(row, event.failure, event.time));
    case 'nodeSkipped':
      // A wait that is not made says nothing of what it was for.
      if (event.node.action.kind === 'awaitCondition') return current;
      // What comes after the failure of one and the same thing says nothing new of it.
      return update(current, event.node, (row) =>
        row.phase === 'failed' || row.phase === 'skipped'
          ? row
          : {...row, phase: 'skipped', status: 'skipped', detail: event.reason, endedAt: event.time},
      );
    case 'waiting':
      return event.wait.containers.reduce(
        (next, name) =>
          change(next, {kind: 'container', name}, (row) => ({
            ...row,
            phase: 'waiting',
            status: 'waiting',
            detail: event.detail,
          })),
        current,
      );
    case 'waitEnded':
      return event.wait.containers.reduce(
        (next, name) => change(next, {kind: 'container', name}, (row) => endedWait(row, event)),
        current,
      );
    case 'build':
      return {
        ...current,
        builds: reduceBuilds(current.builds, {...event, image: event.node && nodeSubject(event.node).name}),
      };
    case 'transfer':
      return {...current, transfers: reduceTransfers(current.transfers, event)};
    case 'notice':
      return {...current, notices: [...current.notices, event.notice]};
    case 'summary':
      return {...current, ended: event.summary};
    default:
      // Watching is no part of a command's own work.
      return current;
  }
}

const goodEnds = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'exited',
  running_or_healthy: 'ready',
} as const;

function endedWait(row: ViewRow, event: ProgressEvent & {readonly kind: 'waitEnded'}): ViewRow {
  if (event.outcome === 'failed') return event.failure === undefined ? row : failedRow(row, event.failure, event.time);
  return {...row, phase: 'done', status: goodEnds[event.wait.condition], detail: undefined, endedAt: event.time};
}

function failedRow(row: ViewRow, failure: FailureInfo, time: number): ViewRow {
  // The failure of a condition is about one container of the service: the others are as they were.
  if (failure.evidence !== undefined && row.kind === 'container' && failure.evidence.container !== row.name) return row;
  return {...row, phase: 'failed', status: 'failed', detail: failure.message, failure, endedAt: time};
}

function withPlanned(state: ViewState, node: PlanNode): ViewState {
  return update(state, node, (row) => ({...row, open: row.open + 1}));
}

/** A new wave plans anew what is open. */
function forgetOpen(state: ViewState): ViewState {
  return {...state, rows: state.rows.map((row) => ({...row, open: 0}))};
}

function update(state: ViewState, node: PlanNode, apply: (row: ViewRow) => ViewRow): ViewState {
  if (node.action.kind === 'awaitCondition') {
    const {service} = node.action;
    const rows = state.rows.filter((row) => row.kind === 'container' && row.service === service);
    // Planning a wait changes nothing on what it waits for; only its failure does.
    return rows.reduce((next, row) => change(next, row, (old) => ({...apply(old), open: old.open})), state);
  }
  return change(state, nodeSubject(node), apply);
}

function change(state: ViewState, subject: Subject, apply: (row: ViewRow) => ViewRow): ViewState {
  const index = state.rows.findIndex(({kind, name}) => kind === subject.kind && name === subject.name);
  const row = state.rows[index];
  if (row === undefined) return {...state, rows: [...state.rows, apply(newRow(subject))]};
  return {...state, rows: state.rows.with(index, apply(row))};
}

function newRow(subject: Subject): ViewRow {
  return {
    ...subject,
    phase: 'planned',
    status: '',
    detail: undefined,
    failure: undefined,
    startedAt: undefined,
    endedAt: undefined,
    open: 0,
  };
}
