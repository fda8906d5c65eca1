import {sharedParts} from '../model/attributes/links.ts';
import type {Project, Service} from '../model/types.ts';
import type {Cause, ContainerId, NodeId} from './action.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import type {Memory} from './input.ts';
import {isUp, type ObservedContainer} from './observed.ts';
import type {ReplicaDecision} from './replicas.ts';

type Decisions = ReadonlyMap<string, readonly ReplicaDecision[]>;

/** What is to become of the container that stands for a service: the first one. */
function standing(decisions: Decisions, service: string): ReplicaDecision | undefined {
  return decisions.get(service)?.find((decision) => decision.kind !== 'remove');
}

interface Sharing {
  readonly project: Project;
  readonly name: string;
  readonly service: Service;
  readonly container: ObservedContainer;
  /** Of what the service depends on, at least. */
  readonly decisions: Decisions;
}

/**
 * Why a container must be made anew that shares namespaces or volumes with another service's: it knows that one by its id,
 * and could not even start when it is another one.
 */
export function sharedCause({project, name, service, container, decisions}: Sharing): Cause | undefined {
  for (const {service: other, path, mode} of sharedParts(service)) {
    const decision = standing(decisions, other);
    if (decision === undefined) continue;
    const source = project.provenance.at(`services.${name}.${path[0]}${path.length > 1 ? `[${path[1]}]` : ''}`);
    const because = (what: string): Cause => ({reason: `${path[0]}: "${other}" ${what}`, ...(source && {source})});
    if (decision.kind === 'create' || decision.kind === 'recreate' || decision.kind === 'finish')
      return because('is recreated');
    const known = mode === undefined ? undefined : container.shares?.[mode];
    if (decision.kind === 'keep' && known !== undefined && known !== decision.container.id)
      return because('was recreated');
  }
  return undefined;
}

interface Stale extends Sharing {
  /** Of containers that this plan stops. */
  readonly stops: ReadonlyMap<ContainerId, NodeId>;
  readonly memory: Memory;
}

/** Why a running container must be restarted: a namespace that it shares ended with the container it belongs to. */
export function staleCause({project, name, service, container, decisions, stops, memory}: Stale): Cause | undefined {
  for (const {service: other, path, mode} of sharedParts(service)) {
    const decision = standing(decisions, other);
    if (mode === undefined || decision?.kind !== 'keep' || !isUp(container)) continue;
    const {container: owner} = decision;
    const source = project.provenance.at(`services.${name}.${path[0]}`);
    const because = (what: string): Cause => ({reason: `${path[0]}: "${other}" ${what}`, ...(source && {source})});
    if (!isUp(owner) || stops.has(owner.id)) return because('starts again');
    // What this command started has joined what is there, whatever clocks say.
    if (!memory.hooksDone.has(container.id) && isOlder(container, owner)) return because('was started again');
  }
  return undefined;
}

/** Whether a container still has what ended when the other one was stopped. A policy may start it again with the same namespace. */
function isOlder({started: own}: ObservedContainer, {started: other}: ObservedContainer): boolean {
  return own !== undefined && other !== undefined && !other.byPolicy && own.at < other.at;
}

/** What belongs to a network, not to a container: every engine refuses it where the network is another container's. */
const ofNetwork = ['ports', 'expose', 'hostname', 'dns', 'extra_hosts'] as const satisfies readonly (keyof Service)[];

/** Says so before anything is made, of services that get new containers. */
export function requireOwnNetwork(
  plan: PlanBuilder,
  {project, services}: {readonly project: Project; readonly services: ReadonlySet<string>},
): void {
  for (const name of [...services].sort()) {
    const service = project.services[name];
    const [, kind, owner] = /^(service|container):(.+)$/.exec(service?.network_mode ?? '') ?? [];
    if (service === undefined || owner === undefined) continue;
    for (const attribute of ofNetwork) {
      const value = service[attribute];
      if (value === undefined || Object.keys(value).length === 0) continue;
      plan.problem({
        kind: 'invalid',
        ...placeOf(project, `services.${name}.${attribute}`),
        message: `service "${name}": "${attribute}" is given, but its network is that of ${kind} "${owner}"`,
        hint: `remove it here, and give it to ${kind} "${owner}" where it is wanted`,
      });
    }
  }
}
