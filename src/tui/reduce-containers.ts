import {oneLine} from '../report/cells.ts';
import {
  type ContainerSnapshot,
  causeLimit,
  type EventEntry,
  type HealthInfo,
  type ReplicaState,
  type RestartCause,
  type ServiceDeclaration,
  type ServiceState,
  type StatsSample,
  sampleLimit,
  type UsageRings,
} from './types.ts';

type Services = readonly ServiceState[];

/** The services of the stack file in its order; then those that only containers speak of. */
export function withStack(services: Services, declared: readonly ServiceDeclaration[]): Services {
  const inFile = declared.map(({name, wanted}) => ({
    name,
    wanted,
    replicas: services.find((service) => service.name === name)?.replicas ?? [],
  }));
  const others = services.filter(
    ({name, replicas}) => replicas.length > 0 && !declared.some((service) => service.name === name),
  );
  return [...inFile, ...others.map((service) => ({...service, wanted: undefined}))];
}

export function withSnapshot(services: Services, containers: readonly ContainerSnapshot[], time: number): Services {
  const ids = new Set(containers.map(({id}) => id));
  // First what is there, so that what took the place of another inherits its history.
  const present = containers.reduce((next, container) => withContainer(next, container, time), services);
  const gone = present.flatMap(({replicas}) => replicas.filter(({id}) => !ids.has(id)));
  return gone.reduce((next, {id}) => withoutContainer(next, id, time), present);
}

export function withContainer(
  services: Services,
  container: ContainerSnapshot,
  time: number,
  cause?: RestartCause,
): Services {
  const known = services.find(({name}) => name === container.service);
  const service = known ?? {name: container.service, wanted: undefined, replicas: []};
  const before = service.replicas.find(({id}) => id === container.id);
  const replica = merged(before, container, time, cause);
  const replicas =
    before === undefined
      ? [...service.replicas, replica].sort((a, b) => a.number - b.number)
      : service.replicas.map((other) => (other === before ? replica : other));
  const changed = {...service, replicas};
  return known === undefined ? [...services, changed] : services.map((other) => (other === known ? changed : other));
}

/** One that has the number of the removed one was made to take its place: it goes on with its history. */
export function withoutContainer(services: Services, id: string, time: number): Services {
  return services.flatMap((service) => {
    const gone = service.replicas.find((replica) => replica.id === id);
    if (gone === undefined) return [service];
    const others = service.replicas.filter((replica) => replica !== gone);
    if (others.length === 0 && service.wanted === undefined) return [];
    return [
      {...service, replicas: others.map((other) => (other.number === gone.number ? heir(other, gone, time) : other))},
    ];
  });
}

function heir(replica: ReplicaState, gone: ReplicaState, time: number): ReplicaState {
  const causes = [...gone.causes, ...replica.causes].sort((a, b) => a.time - b.time).slice(-causeLimit);
  // Watch has said already why it makes a container anew.
  const said = causes.some((cause) => cause.time >= (gone.startedAt ?? 0) && time - cause.time < recentMs);
  return {
    ...replica,
    restarts: gone.restarts + 1 + replica.restarts,
    previousStartedAt: gone.startedAt,
    causes: said ? causes : [...causes, {time, kind: 'recreated' as const}].slice(-causeLimit),
  };
}

export function withSamples(services: Services, samples: readonly StatsSample[]): Services {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  return services.map((service) => {
    if (!service.replicas.some(({id}) => byId.has(id))) return service;
    return {
      ...service,
      replicas: service.replicas.map((replica) => {
        const sample = byId.get(replica.id);
        return sample === undefined ? replica : {...replica, usage: withSample(replica.usage, sample)};
      }),
    };
  });
}

/** The new services and what the health was before; undefined where no such container is known. */
export function withHealth(
  services: Services,
  id: string,
  health: HealthInfo,
):
  | {
      readonly services: Services;
      readonly before: HealthInfo['status'] | undefined;
      readonly service: string;
      readonly name: string;
    }
  | undefined {
  const service = services.find(({replicas}) => replicas.some((replica) => replica.id === id));
  const before = service?.replicas.find((replica) => replica.id === id);
  if (service === undefined || before === undefined) return undefined;
  const replicas = service.replicas.map((replica) => (replica === before ? {...replica, health} : replica));
  return {
    services: services.map((other) => (other === service ? {...service, replicas} : other)),
    before: before.health?.status,
    service: service.name,
    name: before.name,
  };
}

/** Why the containers of a service started again: watch tells it, the engine knows only that somebody wanted it. */
export function withCause(services: Services, name: string, cause: RestartCause): Services {
  return services.map((service) =>
    service.name === name
      ? {...service, replicas: service.replicas.map((replica) => ({...replica, causes: explained(replica, cause)}))}
      : service,
  );
}

function explained(replica: ReplicaState, cause: RestartCause): readonly RestartCause[] {
  const {causes, startedAt = 0} = replica;
  const last = causes.at(-1);
  const isPresent = last?.kind === 'command' && last.time >= startedAt - recentMs && last.time <= cause.time;
  return isPresent ? [...causes.slice(0, -1), {...cause, time: last.time}] : addCause(replica, cause);
}

/** What an event says that is worth a line: ends and starts. */
export function containerEvents(
  services: Services,
  container: ContainerSnapshot,
  time: number,
  cause: RestartCause | undefined,
): readonly EventEntry[] {
  const before = services.find(({name}) => name === container.service)?.replicas.find(({id}) => id === container.id);
  if (before !== undefined && before.phase === container.phase && before.startedAt === container.startedAt) return [];
  const {service, name, phase, exitCode} = container;
  const why = cause === undefined ? '' : `: ${causeText(cause)}`;
  const entry = (level: EventEntry['level'], text: string): readonly EventEntry[] => [{time, level, service, text}];
  switch (phase) {
    case 'running':
      return entry('info', before?.phase === 'paused' ? `${name} goes on` : `${name} started${why}`);
    case 'exited':
    case 'dead':
      if (isStopRequested(before, container)) return entry('info', `${name} was stopped, with code ${exitCode ?? '?'}`);
      if (container.oomKilled) return entry('error', `${name} was killed: out of memory`);
      return entry(exitCode === 0 ? 'info' : 'error', `${name} exited with code ${exitCode ?? '?'}${why}`);
    case 'restarting':
      if (container.oomKilled) return entry('error', `${name} was killed: out of memory; it restarts`);
      return entry('warning', `${name} restarts${why === '' ? ` after exit ${exitCode ?? '?'}` : why}`);
    case 'paused':
      return entry('info', `${name} is paused`);
    default:
      return [];
  }
}

/** One line: `exit 1`, `out of memory`, `saved src/a.ts`. */
export function causeText({kind, exitCode, detail}: RestartCause): string {
  const more = detail === undefined || detail === '' ? '' : `: ${oneLine(detail)}`;
  switch (kind) {
    case 'exit':
      return `exited with code ${exitCode ?? '?'}${more}`;
    case 'oom':
      return `out of memory${more}`;
    case 'monitorLost':
      return `its monitor was lost${more}`;
    case 'watch':
      return `saved${more}`;
    case 'unhealthy':
      return `unhealthy${more}`;
    case 'command':
      return `restarted by a command${more}`;
    case 'recreated':
      return `recreated${more}`;
  }
}

function merged(
  before: ReplicaState | undefined,
  container: ContainerSnapshot,
  time: number,
  cause: RestartCause | undefined,
): ReplicaState {
  const {service: _, cpuLimit, memoryLimit, ...seen} = container;
  const usage = {...(before?.usage ?? {cpu: [], memory: []}), cpuLimit, memoryLimit};
  const startedAnew =
    before?.startedAt !== undefined && container.startedAt !== undefined && container.startedAt > before.startedAt;
  const why = cause ?? (before === undefined ? undefined : impliedCause(before, container, {time, startedAnew}));
  // The engine counts only the restarts that it makes itself.
  const byOthers = startedAnew && container.restarts === before.ownRestarts ? 1 : 0;
  const uncounted = before === undefined ? 0 : before.restarts - before.ownRestarts + byOthers;
  return {
    ...seen,
    stopRequested: isStopRequested(before, container),
    ownRestarts: container.restarts,
    restarts: container.restarts + uncounted,
    // The memory and CPU of one that stands still are none.
    usage: container.phase === 'running' || container.phase === 'paused' ? usage : {...usage, cpu: [], memory: []},
    previousStartedAt: startedAnew ? before.startedAt : before?.previousStartedAt,
    causes: why === undefined ? (before?.causes ?? []) : addCause(before, why),
  };
}

/** It ends or has ended, and somebody wanted that. */
function isStopRequested(before: ReplicaState | undefined, {phase, stopRequested}: ContainerSnapshot): boolean {
  if (phase === 'stopping') return true;
  const ended = phase === 'exited' || phase === 'dead' || phase === 'removing';
  return ended && (stopRequested || before?.stopRequested === true);
}

/** Where nobody says why a container started again, its last end does. */
function impliedCause(
  before: ReplicaState,
  container: ContainerSnapshot,
  {time, startedAnew}: {readonly time: number; readonly startedAnew: boolean},
): RestartCause | undefined {
  if (hasRecent(before, time)) return undefined;
  if (container.restarts <= before.ownRestarts) return startedAnew ? {time, kind: 'command'} : undefined;
  if (container.oomKilled || before.oomKilled) return {time, kind: 'oom'};
  const exitCode = container.exitCode ?? before.exitCode;
  return {time, kind: 'exit', ...(exitCode === undefined ? {} : {exitCode})};
}

/** A cause that came just before the start belongs to it. */
function hasRecent(before: ReplicaState, time: number): boolean {
  const last = before.causes.at(-1);
  return last !== undefined && time - last.time < recentMs && last.time >= (before.startedAt ?? 0);
}

const recentMs = 5000;

function addCause(replica: ReplicaState | undefined, cause: RestartCause): readonly RestartCause[] {
  return [...(replica?.causes ?? []), cause].slice(-causeLimit);
}

function withSample(usage: UsageRings, sample: StatsSample): UsageRings {
  return {
    ...usage,
    cpu: [...usage.cpu, sample.cpuPercent].slice(-sampleLimit),
    memory: [...usage.memory, sample.memoryBytes].slice(-sampleLimit),
    memoryLimit: sample.memoryLimit ?? usage.memoryLimit,
  };
}
