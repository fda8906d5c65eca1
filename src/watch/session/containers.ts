import {composeLabels, isOneOff} from '../../api/labels.ts';
import type {ContainerInspect} from '../../api/types/container.ts';
import type {EngineEvent} from '../../api/types/system.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import type {WatchEngine} from './engine.ts';

/** A container of a service, with what watching needs of it; kept up to date by events. */
export interface WatchedContainer {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Directories and files that come from this machine by bind mounts. */
  readonly binds: readonly string[];
  /** Where something is mounted, binds too. */
  readonly mounts: readonly string[];
  readonly probed: boolean;
  readonly running: boolean;
}

export type ContainerNews =
  /** It is there: it was when watching began, or it was made meanwhile. */
  | {readonly kind: 'came'; readonly container: WatchedContainer}
  | {readonly kind: 'started' | 'died' | 'gone'; readonly container: WatchedContainer}
  | {readonly kind: 'health'; readonly container: WatchedContainer; readonly status: 'healthy' | 'unhealthy'};

export interface Containers {
  /** Of a service; all replicas, also stopped ones. */
  of(service: string): readonly WatchedContainer[];
  count(): number;
  /** Until disposed. What came before is told first. */
  subscribe(listener: (news: ContainerNews) => void): Disposable;
  /** Resolves when the events end: by the signal, or with the engine. */
  readonly ended: Promise<void>;
}

const actions = ['create', 'start', 'die', 'destroy', 'rename', 'health_status'];
const inspectsAtOnce = 8;

/** Follows the containers of a project from now on: nothing is asked of the engine when a file is saved. */
export async function followContainers(options: {
  readonly engine: WatchEngine;
  readonly project: string;
  readonly signal: AbortSignal;
}): Promise<Containers> {
  const {engine, project, signal} = options;
  const known = new Map<string, WatchedContainer>();
  const listeners = new Set<(news: ContainerNews) => void>();
  const tell = (news: ContainerNews): void => {
    for (const listener of listeners) listener(news);
  };
  const label = [`${composeLabels.project}=${project}`];
  // Listening comes before listing: nothing falls between the two.
  const events = await engine.getEvents({filters: {type: ['container'], event: actions, label}, abortSignal: signal});
  const learn = async (id: string): Promise<void> => {
    const container = await inspect(engine, id);
    if (container === undefined || known.has(id)) return;
    known.set(id, container);
    tell({kind: 'came', container});
  };
  const update = (container: WatchedContainer, kind: 'started' | 'died', running: boolean): void => {
    const changed = {...container, running};
    known.set(container.id, changed);
    tell({kind, container: changed});
  };
  const take = async ({Action, Actor}: EngineEvent): Promise<void> => {
    const container = known.get(Actor.ID);
    if (container === undefined) {
      if (Action !== 'destroy' && Action !== 'die') await learn(Actor.ID);
      return;
    }
    if (Action === 'destroy') {
      known.delete(Actor.ID);
      tell({kind: 'gone', container});
    } else if (Action === 'rename') {
      known.set(Actor.ID, {...container, name: (Actor.Attributes['name'] ?? container.name).replace(/^\//, '')});
    } else if (Action === 'start') {
      update(container, 'started', true);
    } else if (Action === 'die') {
      update(container, 'died', false);
    } else if (Action.endsWith('unhealthy')) {
      tell({kind: 'health', container, status: 'unhealthy'});
    } else if (Action.endsWith('healthy')) {
      tell({kind: 'health', container, status: 'healthy'});
    }
  };
  const listed = await engine.listContainers({all: true, filters: {label}});
  await mapLimited(listed, inspectsAtOnce, ({Id}) => learn(Id));
  const follow = async (): Promise<void> => {
    for await (const event of events) await take(event);
  };
  return {
    of: (service) => [...known.values()].filter((container) => container.service === service),
    count: () => known.size,
    subscribe(listener) {
      listeners.add(listener);
      for (const container of known.values()) listener({kind: 'came', container});
      return {[Symbol.dispose]: () => void listeners.delete(listener)};
    },
    ended: follow().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  };
}

/** Undefined for one that is gone, and for those that `run` made: they are nobody's replica. */
async function inspect(engine: WatchEngine, id: string): Promise<WatchedContainer | undefined> {
  let found: ContainerInspect;
  try {
    found = await engine.getContainer(id).inspect();
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
  const labels = found.Config.Labels ?? {};
  const service = labels[composeLabels.service];
  if (service === undefined || isOneOff(labels)) return undefined;
  const test = found.Config.Healthcheck?.Test ?? [];
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    service,
    createdAt: Date.parse(found.Created),
    mounts: found.Mounts.map(({Destination}) => Destination),
    binds: found.Mounts.filter(({Type}) => Type === 'bind').map(({Destination}) => Destination),
    probed: test.length > 0 && test[0] !== 'NONE',
    running: found.State.Running,
  };
}
