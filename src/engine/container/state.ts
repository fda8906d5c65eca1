import {stat} from 'node:fs/promises';
import type {ContainerState, Health} from '../../api/types/container.ts';
import {hasKind} from '../../base/errors.ts';
import {formatNanoseconds, type Now, unixNanoseconds, zeroTime} from '../clock.ts';
import {validateContainerState} from '../generated/record-validators.js';
import {connectControl, isMonitorGone, watchMonitor} from '../helper/control.ts';
import {readRecord, readText} from '../record-store.ts';
import {readInterrupted} from './begun.ts';
import type {ContainerContext} from './context.ts';

/** What a monitor writes (schemas/record/container-state.schema.json). */
export interface MonitorState {
  readonly v: 1;
  readonly id: string;
  readonly status: 'created' | 'running' | 'restarting' | 'exited';
  readonly pid?: number;
  readonly monitor?: number;
  readonly boot?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly restartCount: number;
  readonly stoppedByUser: boolean;
  /** Absent: written by a monitor of an earlier version, which cannot pause. */
  readonly paused?: boolean;
  readonly health?: MonitorHealth;
}

export interface MonitorHealth {
  readonly status: Health['Status'];
  readonly failingStreak: number;
  readonly log: readonly {
    readonly start: string;
    readonly end: string;
    readonly exitCode: number;
    readonly output: string;
  }[];
}

/** What is known about a container from outside. */
export type Observation =
  /** Never ran. */
  | {readonly kind: 'created'; readonly state?: undefined}
  /** Its monitor lives: it runs, or waits to be restarted. */
  | {readonly kind: 'live'; readonly state: MonitorState}
  /** `ending`: its monitor is still clearing up, and its last events may not be written yet. */
  | {readonly kind: 'exited'; readonly state: MonitorState; readonly ending: boolean}
  /** Its monitor died without a word, and the container with it. See `settleLost`. */
  | {readonly kind: 'lost'; readonly state: MonitorState};

function readState(path: string): Promise<MonitorState | undefined> {
  return readRecord<MonitorState>(path, validateContainerState);
}

/** These two are not synced, as they change all the time: after a power loss they may be empty, and that must stop nobody. */
export async function readUnlessDamaged(
  path: string,
  otherwise: () => MonitorState | undefined | Promise<MonitorState | undefined>,
): Promise<MonitorState | undefined> {
  try {
    return await readState(path);
  } catch (error) {
    if (!hasKind(error, 'internal')) throw error;
    return await otherwise();
  }
}

/** The state as a living monitor tells it. */
async function askMonitor(control: string): Promise<MonitorState | undefined> {
  try {
    for await (const state of watchMonitor<MonitorState>(control)) return state;
  } catch (error) {
    if (!isMonitorGone(error)) throw error;
  }
  return undefined;
}

/** In place of a damaged record at `path`: the container has ended, nobody knows how. */
export async function unknownEnd(id: string, path: string): Promise<MonitorState> {
  const time = formatNanoseconds((await stat(path, {bigint: true})).mtimeNs);
  return {
    ...{v: 1, id, status: 'exited', startedAt: time, finishedAt: time, exitCode: lostExitCode},
    ...{oomKilled: false, error: 'the record of its end is damaged', restartCount: 0, stoppedByUser: false},
  };
}

/** Reads the container's files and looks for its monitor; starts no process. */
export async function observe(context: Pick<ContainerContext, 'layout' | 'bootId'>, id: string): Promise<Observation> {
  const paths = context.layout.container(id);
  const state = await readUnlessDamaged(paths.state, () => askMonitor(paths.control));
  if (state !== undefined) {
    if (state.status === 'exited') return {kind: 'exited', state, ending: true};
    if (await isMonitorAlive(context, id, state)) return {kind: 'live', state};
    // A monitor that ends takes its state away: only one that stays tells of a monitor that was killed.
    const still = await readUnlessDamaged(paths.state, () => undefined);
    if (still?.status === 'exited') return {kind: 'exited', state: still, ending: true};
    if (still !== undefined) return {kind: still.monitor === state.monitor ? 'lost' : 'live', state: still};
  }
  const interrupted = await readInterrupted(context, id);
  if (interrupted !== undefined) return {kind: 'lost', state: interrupted};
  const exit = await readUnlessDamaged(paths.exit, () => unknownEnd(id, paths.exit));
  return exit === undefined ? {kind: 'created'} : {kind: 'exited', state: exit, ending: false};
}

/** True while its processes are frozen. */
export function isPaused(observation: Observation): boolean {
  return observation.kind === 'live' && observation.state.paused === true;
}

/** By its process, or, from a process namespace where that is not seen, by its control socket. */
export async function isMonitorAlive(
  {layout, bootId}: Pick<ContainerContext, 'layout' | 'bootId'>,
  id: string,
  state: MonitorState,
): Promise<boolean> {
  if (state.boot !== undefined && state.boot !== '' && state.boot !== bootId) return false;
  if (state.monitor !== undefined && (await isMonitorProcess(state.monitor))) return true;
  try {
    (await connectControl(layout.container(id).control)).destroy();
    return true;
  } catch (error) {
    if (isMonitorGone(error)) return false;
    throw error;
  }
}

/** What a monitor calls itself: its process number may be another program's by now. */
const monitorName = '(tscompose-monit)';

/** Whether the process is a monitor, and lives. */
export async function isMonitorProcess(pid: number): Promise<boolean> {
  const stat = await readText(`/proc/${pid}/stat`).catch(() => undefined);
  const nameEnd = stat?.lastIndexOf(') ') ?? -1;
  if (stat === undefined || nameEnd < 0) return false;
  // Dead but not reaped yet: it holds nothing any more (proc_pid_stat(5)).
  const isDead = ['Z', 'X'].includes(stat.charAt(nameEnd + 2));
  return !isDead && stat.slice(stat.indexOf('('), nameEnd + 1) === monitorName;
}

/** Exit code of a container whose monitor was killed: it died by SIGKILL with it. */
const lostExitCode = 137;
const lostError = 'monitor lost';

/** The end of a run that its monitor could not write down. */
export function lossOf(lost: MonitorState, now: Now): MonitorState {
  return {
    ...lost,
    status: 'exited',
    pid: 0,
    finishedAt: formatNanoseconds(unixNanoseconds(now)),
    exitCode: lostExitCode,
    error: lostError,
  };
}

/** As inspect answers it. */
export function toContainerState(observation: Observation): ContainerState {
  const {state} = observation;
  if (state === undefined) return noState;
  // Another process is about to write its end down.
  if (observation.kind === 'lost')
    return {
      ...noState,
      Status: 'exited',
      ExitCode: lostExitCode,
      Error: lostError,
      StartedAt: state.startedAt || zeroTime,
    };
  const live = observation.kind === 'live';
  const restarting = live && state.status === 'restarting';
  const running = live && state.status !== 'exited';
  const paused = isPaused(observation);
  // Its start failed: the error is told, and it stays what it was.
  const neverRan = state.startedAt === '' || state.startedAt === zeroTime;
  return {
    ...noState,
    Status: paused ? 'paused' : restarting ? 'restarting' : running ? 'running' : neverRan ? 'created' : 'exited',
    Running: running,
    Paused: paused,
    Restarting: restarting,
    OOMKilled: state.oomKilled,
    Pid: running && !restarting ? (state.pid ?? 0) : 0,
    ExitCode: running && !restarting ? 0 : state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt || zeroTime,
    FinishedAt: state.finishedAt || zeroTime,
    ...(state.health ? {Health: toHealth(state.health, running && !paused)} : {}),
  };
}

const noState: ContainerState = {
  Status: 'created',
  Running: false,
  Paused: false,
  Restarting: false,
  OOMKilled: false,
  Dead: false,
  Pid: 0,
  ExitCode: 0,
  Error: '',
  StartedAt: zeroTime,
  FinishedAt: zeroTime,
};

function toHealth({status, failingStreak, log}: MonitorHealth, probed: boolean): Health {
  return {
    // Nobody probes a container that does not run or rests; Docker calls it unhealthy.
    Status: probed ? status : 'unhealthy',
    FailingStreak: failingStreak,
    Log: log.map(({start, end, exitCode, output}) => ({Start: start, End: end, ExitCode: exitCode, Output: output})),
  };
}
