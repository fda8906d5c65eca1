import {setMaxListeners} from 'node:events';
import {composeLabels, isOneOff} from '../../api/labels.ts';
import type {EngineEvent} from '../../api/types/system.ts';
import {backoffDelays} from '../../base/backoff.ts';
import type {Clock} from '../../base/clock.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {ContainerSnapshot, RestartCause, UiEventContent} from '../../tui/types.ts';
import {containerSnapshot} from './container-snapshot.ts';
import {isEnding, restartHistory} from './restart-history.ts';

export interface ContainerSource {
  /** As last seen. */
  readonly containers: ReadonlyMap<string, ContainerSnapshot>;
}

export interface FollowContainersOptions {
  readonly docker: Docker;
  readonly project: string;
  readonly clock: Clock;
  readonly emit: (event: UiEventContent) => void;
  /** Containers came, went, started or ended: what depends on that is to be looked at anew. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

const inspectsAtOnce = 8;
/** What happens to one container at once (a stop is three events) is one look. */
const gatherMs = 40;
/** Probes that fail are no events: containers that are not healthy are looked at this often. */
const probeEveryMs = 2000;
/** Everything is compared with a list this often: what no event told of is noticed. */
const compareEveryMs = 10_000;
/** A signal to stop that was not followed by an end: it meant something else to the container. */
const stoppingForMs = 15_000;
/** What a restarted engine needs. */
const reconnect = {firstMs: 500, maxMs: 5000} as const;

/**
 * Tells of the project's containers, first of all of them, then of each that something happens to, until the signal. While
 * the engine does not answer it says so once and tries again. Never rejects.
 */
export function followContainers(options: FollowContainersOptions): ContainerSource & {readonly ended: Promise<void>} {
  const containers = new Map<string, ContainerSnapshot>();
  return {containers, ended: keepFollowing(options, containers)};
}

async function keepFollowing(
  options: FollowContainersOptions,
  containers: Map<string, ContainerSnapshot>,
): Promise<void> {
  const {clock, emit, signal} = options;
  let delays = backoffDelays(reconnect);
  while (!signal.aborted) {
    try {
      await followOnce(options, containers, () => {
        delays = backoffDelays(reconnect);
        emit({kind: 'connection', connected: true});
      });
    } catch (error) {
      if (!signal.aborted) emit({kind: 'connection', connected: false, reason: toTscomposeError(error).message});
    }
    await clock.sleep(delays.next().value ?? reconnect.maxMs, signal);
  }
}

/** Until the events end, which they do only with the engine or the signal. */
async function followOnce(
  options: FollowContainersOptions,
  containers: Map<string, ContainerSnapshot>,
  onConnected: () => void,
): Promise<void> {
  const {docker, project, clock, emit, onChange} = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  setMaxListeners(0, signal);
  const filters = {type: ['container'], label: [`${composeLabels.project}=${project}`]};
  // Subscribed before the list is read, so that nothing falls between the two.
  const events = await docker.getEvents({filters, abortSignal: signal});
  const lookNow = async (id: string, {cause, stopping = false, stopRequested = false}: Look = {}): Promise<void> => {
    const seen = await inspect(docker, id, signal);
    if (signal.aborted) return;
    if (seen === undefined) return forget(id);
    if (isOneOff(seen.Config.Labels)) return;
    const snapshot = {...containerSnapshot(seen), stopRequested};
    const container = stopping && snapshot.phase === 'running' ? {...snapshot, phase: 'stopping' as const} : snapshot;
    const before = containers.get(id);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(container)) return;
    containers.set(id, container);
    // The health first: a snapshot brings it too, but says nothing of the change.
    if (before !== undefined && container.health !== undefined && before.health?.status !== container.health.status)
      emit({kind: 'health', id, health: container.health});
    emit({kind: 'container', container, ...(cause === undefined ? {} : {cause})});
    if (before?.phase !== container.phase || before?.startedAt !== container.startedAt) onChange();
  };
  const looks = new Map<string, Promise<void>>();
  // One after the other: an answer that was late must not take the place of a newer one.
  const look = (id: string, told?: Look): Promise<void> => {
    const next = (looks.get(id) ?? Promise.resolve()).then(() => lookNow(id, told));
    looks.set(
      id,
      next.catch(() => undefined),
    );
    return next;
  };
  const forget = (id: string): void => {
    looks.delete(id);
    if (!containers.delete(id)) return;
    emit({kind: 'containerGone', id});
    if (containers.size === 0) emit({kind: 'notice', level: 'warning', text: 'the stack was taken down'});
    onChange();
  };
  const changes = gatherer(clock, signal, look, forget);
  await compare(options, containers, signal, true);
  onConnected();
  // It only explains: where an engine has no such events, nothing is missing.
  void restartHistory(docker, project, {nowMs: clock.now(), signal})
    .then((runs) => signal.aborted || runs.length === 0 || emit({kind: 'history', runs}))
    .catch(() => undefined);
  onChange();
  const watching = Promise.all([
    every(clock, probeEveryMs, signal, async () => {
      const failing = [...containers.values()].filter(
        ({health}) => health !== undefined && health.status !== 'healthy',
      );
      await mapLimited(failing, inspectsAtOnce, ({id}) => look(id));
    }),
    every(clock, compareEveryMs, signal, async () => {
      for (const id of await compare(options, containers, signal, false)) changes.add(id);
    }),
  ]);
  try {
    for await (const event of events) changes.take(event);
  } finally {
    over.abort();
    await watching.catch(() => undefined);
  }
}

/** Reads the list: at the start everything, later answers those that are not as they were seen. */
async function compare(
  {docker, project, emit}: FollowContainersOptions,
  containers: Map<string, ContainerSnapshot>,
  signal: AbortSignal,
  first: boolean,
): Promise<readonly string[]> {
  const summaries = await docker.listContainers({
    all: true,
    filters: {label: [`${composeLabels.project}=${project}`, `${composeLabels.oneOff}=False`]},
    abortSignal: signal,
  });
  if (!first) {
    const listed = new Map(summaries.map(({Id, State}) => [Id, State]));
    const gone = [...containers.keys()].filter((id) => !listed.has(id));
    const other = summaries.filter(({Id, State}) => {
      const phase = containers.get(Id)?.phase;
      return phase !== State && phase !== 'stopping';
    });
    return [...gone, ...other.map(({Id}) => Id)];
  }
  const seen = await mapLimited(summaries, inspectsAtOnce, ({Id}) => inspect(docker, Id, signal));
  containers.clear();
  for (const container of seen) {
    if (container !== undefined) containers.set(container.Id, containerSnapshot(container));
  }
  emit({kind: 'snapshot', containers: [...containers.values()]});
  return [];
}

async function inspect(docker: Docker, id: string, abortSignal: AbortSignal) {
  try {
    return await docker.getContainer(id).inspect({abortSignal});
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    if (abortSignal.aborted) return undefined;
    throw error;
  }
}

/** What events said of a container that is to be looked at. */
interface Look {
  readonly cause?: RestartCause;
  /** The last of them was a signal to stop. */
  readonly stopping?: boolean;
  /** There was such a signal among them. */
  readonly stopRequested?: boolean;
}

interface Gatherer {
  take(event: EngineEvent): void;
  add(id: string): void;
}

/** Turns events into looks: one for all that happens to a container within a moment, with what they said of the cause. */
function gatherer(
  clock: Clock,
  signal: AbortSignal,
  look: (id: string, told: Look) => Promise<void>,
  forget: (id: string) => void,
): Gatherer {
  const waiting = new Map<string, Look>();
  let flushing = false;
  const flush = async (): Promise<void> => {
    await clock.sleep(gatherMs, signal);
    flushing = false;
    const batch = [...waiting];
    waiting.clear();
    if (signal.aborted) return;
    // What cannot be looked at now is looked at with the next list.
    await mapLimited(batch, inspectsAtOnce, ([id, told]) => look(id, told).catch(() => undefined));
  };
  const add = (id: string, told: Look = {}): void => {
    const known = waiting.get(id);
    const cause = told.cause ?? known?.cause;
    waiting.set(id, {
      ...(cause === undefined ? {} : {cause}),
      stopping: told.stopping === true,
      stopRequested: told.stopping === true || known?.stopRequested === true,
    });
    if (flushing) return;
    flushing = true;
    void flush();
  };
  return {
    add: (id) => add(id),
    take({Action: action, Actor: {ID: id, Attributes: attributes}, time}) {
      if (action.startsWith('exec_') || action === 'top' || action === 'attach' || action === 'resize') return;
      if (action === 'destroy') {
        waiting.delete(id);
        forget(id);
        return;
      }
      if (action === 'restart') return add(id, {cause: {time: time * 1000, kind: 'command'}});
      if (action === 'die' && attributes['cause'] === 'unhealthy')
        return add(id, {cause: {time: time * 1000, kind: 'unhealthy'}});
      const stopping = action === 'kill' && isEnding(attributes['signal']);
      add(id, {stopping});
      if (stopping) void clock.sleep(stoppingForMs, signal).then(() => signal.aborted || add(id));
    },
  };
}

/** Calls again and again, never two at once, until the signal. A failure is for the events to tell. */
async function every(clock: Clock, ms: number, signal: AbortSignal, task: () => Promise<void>): Promise<void> {
  for (;;) {
    await clock.sleep(ms, signal);
    if (signal.aborted) return;
    await task().catch(() => undefined);
  }
}
