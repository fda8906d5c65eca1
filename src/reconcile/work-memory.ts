import {TscomposeError} from '../base/errors.ts';
import type {Action, Consent, ContainerId, Plan} from '../plan/action.ts';
import type {Memory} from '../plan/input.ts';
import type {Observed} from '../plan/observed.ts';
import type {WaitInfo} from '../report/event.ts';
import type {Applied} from './apply.ts';
import {type Failure, nodeKey} from './failure.ts';
import type {RunResult} from './run.ts';

/** A container that a command counts on: it saw it or made it, and nothing in its plans removed it. */
export interface Expected {
  readonly id: ContainerId;
  readonly name: string;
  readonly service: string;
  readonly number: number;
}

/** What a command remembers from one wave to the next. */
export interface WorkMemory extends Memory {
  readonly created: Set<ContainerId>;
  /** A container that ran is not started again: whether it ended well is for its conditions to say. */
  readonly started: Set<ContainerId>;
  readonly pulled: Set<string>;
  readonly unpullable: Set<string>;
  readonly built: Set<string>;
  readonly restarted: Set<ContainerId>;
  readonly hooksDone: Map<ContainerId, number>;
  readonly expected: Map<ContainerId, Expected>;
  /** By node key. */
  readonly failures: Map<string, Failure>;
  readonly skipped: Set<string>;
  /** By name of the volume: the answer of a person. */
  readonly answers: Map<Consent['name'], boolean>;
  /** Notices that were given. */
  readonly notices: Set<string>;
  /** Waits that were told of and have not ended, with what was missing last. */
  readonly waits: Map<string, {readonly wait: WaitInfo; readonly detail: string}>;
  /** Engine calls that were done. */
  done: number;
  /** By service: how often policies had started its containers again when they were last looked at. */
  readonly restarts: Map<string, number>;
  /** When what this command, or a policy that it saw at work, last started has run for long enough to count. */
  settledAt: number | undefined;
}

/**
 * A container without a probe that fails right after its start does so within this time, as a rule. Compose looks for the
 * first time after as long.
 */
const settleMs = 500;
/** One that has crashed before must run for longer until it is believed. */
const settleAfterCrashMs = 2000;

export function createWorkMemory(): WorkMemory {
  return {
    created: new Set(),
    started: new Set(),
    pulled: new Set(),
    unpullable: new Set(),
    built: new Set(),
    restarted: new Set(),
    hooksDone: new Map(),
    expected: new Map(),
    failures: new Map(),
    skipped: new Set(),
    answers: new Map(),
    notices: new Set(),
    waits: new Map(),
    done: 0,
    restarts: new Map(),
    settledAt: undefined,
  };
}

/**
 * Takes in a fresh look at the world. Throws `canceled` where a container this command counts on is gone and no other has
 * its place: a `down` or `rm` came in between, and it wins. A container that another `up` replaced has its place taken.
 */
export function rememberObserved(memory: WorkMemory, observed: Observed, services: ReadonlySet<string>): void {
  const replicas = observed.containers.filter(({service, oneOff}) => !oneOff && services.has(service));
  const places = new Set(replicas.map(({service, number}) => place(service, number)));
  for (const {name, service, number} of memory.expected.values()) {
    if (places.has(place(service, number))) continue;
    throw new TscomposeError('canceled', `container "${name}" was removed by another command`);
  }
  memory.expected.clear();
  for (const {id, name, service, number} of replicas) memory.expected.set(id, {id, name, service, number});
  for (const {id, status} of replicas) if (status === 'running' || status === 'restarting') memory.started.add(id);
}

/** Takes in that a policy started containers of a service again: seen between two crashes, they do not count as running. */
export function rememberCrash(memory: WorkMemory, service: string, restarts: number, time: number): void {
  memory.restarts.set(service, restarts);
  memory.settledAt = time + settleAfterCrashMs;
}

/** Takes in what an engine call did. */
export function rememberApplied(memory: WorkMemory, action: Action, {container}: Applied, time: number): void {
  memory.done += 1;
  if (action.kind === 'startContainer' || action.kind === 'restartContainer') memory.settledAt = time + settleMs;
  if (container === undefined) return;
  switch (action.kind) {
    case 'createContainer': {
      const {service, replica, name} = action;
      memory.created.add(container);
      if (action.oneOff === true) return;
      memory.expected.set(container, {id: container, name, service, number: replica});
      return;
    }
    case 'restartContainer':
      memory.restarted.add(container);
      memory.started.add(container);
      memory.hooksDone.set(container, 0);
      return;
    case 'startContainer':
      memory.started.add(container);
      memory.hooksDone.set(container, 0);
      return;
    case 'runHook':
      if (action.hook === 'post_start') memory.hooksDone.set(container, action.number);
      return;
    case 'stopContainer':
      memory.started.delete(container);
      return;
    case 'removeContainer':
      memory.expected.delete(container);
      return;
    case 'renameContainer': {
      const entry = memory.expected.get(container);
      if (entry !== undefined) memory.expected.set(container, {...entry, name: action.name});
      return;
    }
    default:
  }
}

/** Takes in how the nodes of a wave ended. */
export function rememberResult(memory: WorkMemory, plan: Plan, result: RunResult): void {
  for (const node of plan.nodes) {
    const outcome = result.get(node.id);
    const key = nodeKey(node);
    if (outcome?.kind === 'failed' && !memory.failures.has(key)) memory.failures.set(key, outcome.failure);
    if (outcome?.kind === 'skipped') memory.skipped.add(key);
  }
}

/** True the first time. */
export function isNewNotice(memory: WorkMemory, message: string): boolean {
  if (memory.notices.has(message)) return false;
  memory.notices.add(message);
  return true;
}

function place(service: string, number: number): string {
  return `${service} ${number}`;
}
