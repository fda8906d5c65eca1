import type {Clock} from '../../base/clock.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {WatchContent} from '../../report/watch-event.ts';
import {type CauseNotes, toCause} from './cause.ts';
import type {Containers, WatchedContainer} from './containers.ts';
import type {Meter} from './meter.ts';
import {type Serving, type Settled, watchServing} from './serving.ts';

export interface ReplacementsOptions {
  readonly containers: Containers;
  readonly meter: Meter;
  readonly converge: Pick<ConvergeContext, 'report'> & {readonly clock: Clock};
}

/** A service whose image was built. */
export interface Rebuilt {
  readonly service: string;
  readonly cause: CauseNotes;
  readonly buildMs: number;
}

/** Containers that take the place of others after a build: tells what becomes of them. */
export interface Replacements {
  /** What is still open of these services is superseded once their new containers start. */
  begin(services: ReadonlySet<string>): Round;
  /** Nothing is waited for any more. */
  close(): void;
}

export interface Round {
  /** The container is about to be started. */
  starts(id: string): void;
  /** All were started; the outcome is told when it is known. */
  done(built: readonly Rebuilt[]): void;
  /** They could not be. */
  abandon(): void;
}

interface Started {
  readonly container: WatchedContainer;
  readonly serving: Serving;
}

type Outcome = Settled['outcome'];

/** From good to bad: the worst of all containers is the service's. */
const outcomes: readonly Outcome[] = ['running', 'healthy', 'starting', 'unhealthy', 'exited'];

export function createReplacements({containers, meter, converge}: ReplacementsOptions): Replacements {
  const {clock, report} = converge;
  const open = new Map<string, Started[]>();
  const supersede = (service: string): void => {
    for (const {serving} of open.get(service) ?? []) serving.supersede();
    open.delete(service);
  };
  const tell = (event: Extract<WatchContent, {readonly kind: 'watchRebuilt'}>): void => {
    report(event);
    if (event.servingMs !== undefined) report({kind: 'watchTimes', services: meter.times(), final: false});
  };
  const follow = async ({service, cause, buildMs}: Rebuilt, started: readonly Started[], begin: number) => {
    const told = {kind: 'watchRebuilt', service, cause: toCause(cause.paths), buildMs} as const;
    if (started.length === 0) {
      tell({...told, containers: [], outcomeMs: 0, outcome: 'unchanged'});
      return;
    }
    for (const {serving} of started) serving.restarted();
    const settled = await Promise.all(started.map(({serving}) => serving.outcome));
    for (const {serving} of started) serving[Symbol.dispose]();
    const outcome = outcomes[Math.max(...settled.map((one) => outcomes.indexOf(one.outcome)))] ?? 'running';
    const at = Math.max(...settled.map((one) => one.at));
    const serves = outcome === 'healthy' || outcome === 'running';
    const servingMs = serves && cause.savedAt !== undefined ? Math.max(0, at - cause.savedAt) : undefined;
    if (servingMs !== undefined) meter.serving(service, servingMs);
    const latest = servingMs === undefined ? undefined : meter.servingOf(service);
    tell({
      ...told,
      containers: started.map(({container}) => container.name),
      outcome,
      outcomeMs: at - begin,
      ...(servingMs === undefined ? {} : {servingMs}),
      ...(latest === undefined || latest.saves < 2 ? {} : {latest}),
    });
  };
  return {
    begin(services) {
      const begin = clock.now();
      const started = new Map<string, Started[]>();
      return {
        starts(id) {
          const container = [...services].flatMap((name) => containers.of(name)).find((one) => one.id === id);
          if (container === undefined) return;
          const {service} = container;
          const list = started.get(service) ?? [];
          if (list.length === 0) supersede(service);
          list.push({container, serving: watchServing(containers, [container], clock)});
          started.set(service, list);
          open.set(service, list);
        },
        done(built) {
          for (const one of built) void follow(one, started.get(one.service) ?? [], begin);
        },
        abandon() {
          for (const {serving} of [...started.values()].flat()) serving[Symbol.dispose]();
        },
      };
    },
    close() {
      for (const service of [...open.keys()]) supersede(service);
    },
  };
}
