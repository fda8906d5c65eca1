import type {Project} from '../model/types.ts';
import {type DownOptions, planDown} from '../plan/down.ts';
import type {Desired, UpOptions} from '../plan/input.ts';
import {type KillInput, planKill} from '../plan/kill.ts';
import type {Observed} from '../plan/observed.ts';
import {planPause} from '../plan/pause.ts';
import {planReplica, type ReplicaInput} from '../plan/replica.ts';
import {planRestart} from '../plan/restart.ts';
import {planRm, type RmInput} from '../plan/rm.ts';
import {planStart} from '../plan/start.ts';
import {planStop} from '../plan/stop.ts';
import {planUp} from '../plan/up.ts';
import type {ContainerInfo} from '../report/event.ts';
import type {Condition} from './conditions.ts';
import {type ConvergeContext, converge, type Goal} from './converge.ts';
import type {Lowering} from './lowering.ts';
import type {Expected} from './work-memory.ts';

/** A project by its stack file, or only by its name. */
export interface Target {
  readonly name: string;
  readonly project: Project | undefined;
}

export interface UpRequest {
  readonly project: Project;
  readonly desired: Desired;
  readonly lowering: Lowering;
  readonly options: UpOptions;
  /** Wait until everything runs and is healthy. */
  readonly wait?: {readonly timeoutMs?: number};
}

/** Answers the containers that the services have then. */
export function up(
  {project, desired, lowering, options, wait}: UpRequest,
  context: ConvergeContext,
): Promise<readonly ContainerInfo[]> {
  // Of the service that something is run of, nothing need be there.
  const services = new Set(Object.keys(project.services).filter((name) => name !== options.oneOff?.service));
  const goal: Goal = {
    command: 'up',
    starts: true,
    name: project.name,
    project,
    lowering,
    renewAnonymousVolumes: options.renewAnonymousVolumes ?? false,
    keeps: () => services,
    plan: (observed, {memory, recreateVolumes}) =>
      planUp({
        project,
        desired,
        observed,
        memory,
        options: {...options, recreateVolumes: [...(options.recreateVolumes ?? []), ...recreateVolumes]},
      }),
    ...(wait === undefined ? {} : {finally: (containers) => settledConditions(project, containers)}),
    ...(wait?.timeoutMs === undefined ? {} : {waitTimeoutMs: wait.timeoutMs}),
  };
  return converge(goal, context);
}

/** Services that shall end, with 0: those that another one depends on with `service_completed_successfully`. */
export function jobsOf(project: Project): ReadonlySet<string> {
  return new Set(
    Object.values(project.services).flatMap(({depends_on = {}}) =>
      Object.entries(depends_on).flatMap(([name, {condition}]) =>
        condition === 'service_completed_successfully' ? [name] : [],
      ),
    ),
  );
}

/** What `--wait` waits for: every service runs, healthy where it has a probe; jobs have ended instead (Compose's rule). */
function settledConditions(project: Project, containers: readonly Expected[]): readonly Condition[] {
  const jobs = jobsOf(project);
  return Object.keys(project.services)
    .sort()
    .map((service) => ({
      service,
      condition: jobs.has(service) ? ('service_completed_successfully' as const) : ('running_or_healthy' as const),
      containers: containers.filter((container) => container.service === service),
      failurePrefix: '',
    }))
    .filter((condition) => condition.containers.length > 0);
}

export async function down(target: Target, options: DownOptions, context: ConvergeContext): Promise<void> {
  const {name, project} = target;
  const plan: Goal['plan'] = (observed) => planDown({project, observed, options});
  const images = options.removeImages !== undefined;
  await converge({command: 'down', images, name, project, keeps: nothing, plan}, context);
}

export async function stop(
  {name, project}: Target,
  options: {readonly services?: readonly string[]; readonly timeoutSeconds?: number},
  context: ConvergeContext,
): Promise<void> {
  await converge(
    {command: 'stop', name, project, keeps: nothing, plan: (observed) => planStop({project, observed, options})},
    context,
  );
}

export async function start(
  {name, project}: Target,
  options: {readonly services?: readonly string[]},
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed, {memory}) => planStart({project, observed, options, memory});
  await converge({command: 'start', starts: true, name, project, keeps: everyService, plan}, context);
}

export async function restart(
  {name, project}: Target,
  options: {readonly services?: readonly string[]; readonly timeoutSeconds?: number; readonly noDependents?: boolean},
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed, {memory}) => planRestart({project, observed, options, memory});
  await converge({command: 'restart', name, project, keeps: everyService, plan}, context);
}

/** What runs gets a signal; without one it is ended. */
export async function kill(
  {name, project}: Target,
  options: KillInput['options'],
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed) => planKill({project, observed, options});
  await converge({command: 'kill', name, project, keeps: nothing, plan}, context);
}

/** Removes what does not run, or, if asked to, all of it. */
export async function rm(
  {name, project}: Target,
  options: RmInput['options'],
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed) => planRm({project, observed, options});
  await converge({command: 'rm', name, project, keeps: nothing, plan}, context);
}

/** What runs rests, or what rests goes on. */
export async function pause(
  {name, project}: Target,
  options: {readonly services?: readonly string[]; readonly change: 'pause' | 'unpause'},
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed) => planPause({project, observed, options});
  await converge({command: options.change, name, project, keeps: nothing, plan}, context);
}

/** Starts, stops or restarts one container, whatever becomes of the others. */
export async function changeReplica(
  {name, project}: Target,
  {id, change}: Pick<ReplicaInput, 'id' | 'change'>,
  context: ConvergeContext,
): Promise<void> {
  const plan: Goal['plan'] = (observed, {memory}) => planReplica({project, observed, id, change, memory});
  await converge({command: change, starts: true, name, project, keeps: nothing, plan}, context);
}

function nothing(): ReadonlySet<string> {
  return new Set();
}

function everyService(observed: Observed): ReadonlySet<string> {
  return new Set(observed.containers.map(({service}) => service));
}
