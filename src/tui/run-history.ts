import {causeLimit, type ReplicaState, type RestartCause, type ServiceState} from './types.ts';

/** Earlier runs of a container. */
export interface RunHistory {
  /** Of the container. */
  readonly id: string;
  /** Why it was started again, the newest last. */
  readonly causes: readonly RestartCause[];
  /** Start of the run before the present one. */
  readonly previousStartedAt: number | undefined;
}

/** Puts what was before the first look in front of what was seen since. */
export function withHistory(services: readonly ServiceState[], runs: readonly RunHistory[]): readonly ServiceState[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  return services.map((service) => {
    if (!service.replicas.some(({id}) => byId.has(id))) return service;
    const replicas = service.replicas.map((replica) => {
      const run = byId.get(replica.id);
      return run === undefined ? replica : withEarlierRuns(replica, run);
    });
    return {...service, replicas};
  });
}

function withEarlierRuns(replica: ReplicaState, {causes, previousStartedAt}: RunHistory): ReplicaState {
  const [first] = replica.causes;
  const earlier = causes.filter(({time}) => first === undefined || time < first.time);
  return {
    ...replica,
    // The engine counts only the restarts that it makes itself: what failed may have been started again by a command, too.
    restarts: Math.max(
      replica.restarts + earlier.filter(({kind}) => kind === 'command').length,
      earlier.length + replica.causes.length,
    ),
    causes: [...earlier, ...replica.causes].slice(-causeLimit),
    previousStartedAt: replica.previousStartedAt ?? previousStartedAt,
  };
}
