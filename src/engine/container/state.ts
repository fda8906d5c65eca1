import type {ContainerState, Health} from '../../api/types/container.ts';
import {formatNanoseconds, unixNanoseconds, zeroTime} from '../clock.ts';
import {validateContainerState} from '../generated/record-validators.js';
import {connectControl, isMonitorGone} from '../helper/control.ts';
import {readRecord, writeRecord} from '../record-store.ts';
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
  | {readonly kind: 'exited'; readonly state: MonitorState}
  /** Its monitor died without a word, and the container with it. See `settleLost`. */
  | {readonly kind: 'lost'; readonly state: MonitorState};

export function readState(path: string): Promise<MonitorState | undefined> {
  return readRecord<MonitorState>(path, validateContainerState);
}

/** Reads the container's files and asks whether its monitor still listens; starts no process. */
export async function observe(
  {layout, bootId}: Pick<ContainerContext, 'layout' | 'bootId'>,
  id: string,
): Promise<Observation> {
  const paths = layout.container(id);
  const state = await readState(paths.state);
  if (state !== undefined) {
    if (await isAlive(state, paths.control, bootId)) return {kind: 'live', state};
    // A monitor that ends writes `exit` and takes `state` away: only a state that stays tells of one that was killed.
    const still = await readState(paths.state);
    if (still !== undefined && still.monitor === state.monitor && still.boot === state.boot)
      return {kind: 'lost', state: still};
    if (still !== undefined) return {kind: 'live', state: still};
  }
  const exit = await readState(paths.exit);
  return exit === undefined ? {kind: 'created'} : {kind: 'exited', state: exit};
}

/** A process number alone may be another's by now, so a living one must also answer at the control socket. */
async function isAlive(state: MonitorState, control: string, bootId: string): Promise<boolean> {
  if (state.boot !== undefined && state.boot !== '' && state.boot !== bootId) return false;
  if (state.monitor !== undefined) {
    try {
      process.kill(state.monitor, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    }
  }
  try {
    (await connectControl(control)).destroy();
    return true;
  } catch (error) {
    if (isMonitorGone(error)) return false;
    throw error;
  }
}

/** Exit code of a container whose monitor was killed: it died by SIGKILL with it. */
const lostExitCode = 137;
const lostError = 'monitor lost';

/** Writes down the end that a lost monitor could not. The caller holds the operation lock and found the monitor's lock free. */
export async function recordLoss(context: ContainerContext, lost: MonitorState): Promise<MonitorState> {
  const exit: MonitorState = {
    ...lost,
    status: 'exited',
    pid: 0,
    finishedAt: formatNanoseconds(unixNanoseconds(context.now)),
    exitCode: lostExitCode,
    error: lostError,
  };
  await writeRecord(context.layout.container(lost.id).exit, exit);
  return exit;
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
  // Its start failed: the error is told, and it stays what it was.
  const neverRan = state.startedAt === '' || state.startedAt === zeroTime;
  return {
    ...noState,
    Status: restarting ? 'restarting' : running ? 'running' : neverRan ? 'created' : 'exited',
    Running: running,
    Restarting: restarting,
    OOMKilled: state.oomKilled,
    Pid: running && !restarting ? (state.pid ?? 0) : 0,
    ExitCode: running && !restarting ? 0 : state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt || zeroTime,
    FinishedAt: state.finishedAt || zeroTime,
    ...(state.health ? {Health: toHealth(state.health, running)} : {}),
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

function toHealth({status, failingStreak, log}: MonitorHealth, running: boolean): Health {
  return {
    // Nobody probes a container that does not run; Docker calls it unhealthy.
    Status: running ? status : 'unhealthy',
    FailingStreak: failingStreak,
    Log: log.map(({start, end, exitCode, output}) => ({Start: start, End: end, ExitCode: exitCode, Output: output})),
  };
}
