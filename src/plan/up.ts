import type {NodeId, Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {planImages} from './images.ts';
import type {UpInput} from './input.ts';
import {decideNetworks} from './networks.ts';
import {isUp} from './observed.ts';
import {planOneOff, servicesWithOneOff} from './one-off.ts';
import {dependencyOrder} from './order.ts';
import {findOrphans, noteOrphans} from './orphans.ts';
import {compareContainers, type ReplicaDecision} from './replicas.ts';
import {decideServices, dependencyGraph, type ResourceDecisions} from './services.ts';
import {requireOwnNetwork} from './shared.ts';
import {planContainers} from './up-containers.ts';
import {planStarts} from './up-starts.ts';
import {createWork, remove, stop, type Work} from './up-work.ts';
import {decideVolumes} from './volumes.ts';

/**
 * What makes the project's containers, networks and volumes as the stack file wants them. First everything is decided,
 * then the nodes are added in the order of the work: networks and volumes, containers, starts.
 */
export function planUp(input: UpInput): Plan {
  const {project, options} = input;
  const plan = createPlanBuilder(project.name, project.workingDir);
  const resources: ResourceDecisions = {networks: decideNetworks(plan, input), volumes: decideVolumes(plan, input)};
  const services = decideServices(input, resources);
  const renewed = new Set([...servicesWithNewContainers(services), ...servicesWithOneOff(input)]);
  const images = planImages(plan, input, renewed);
  requireOwnNetwork(plan, {project, services: renewed});
  const work = createWork(plan, input, {resources, services, images});
  planOrphans(work);
  planResources(work);
  const order = dependencyOrder(dependencyGraph(project));
  for (const service of order) planContainers(work, service);
  if (options.noStart !== true) for (const service of order) planStarts(work, service);
  planOneOff(work);
  return plan.build();
}

function servicesWithNewContainers(services: ReadonlyMap<string, readonly ReplicaDecision[]>): ReadonlySet<string> {
  const names = [...services].filter(([, decisions]) =>
    decisions.some(({kind}) => kind === 'create' || kind === 'recreate'),
  );
  return new Set(names.map(([name]) => name));
}

function planOrphans(work: Work): void {
  const {project, observed, options} = work.input;
  const orphans = findOrphans(project, observed.containers);
  if (options.removeOrphans === true) {
    for (const orphan of [...orphans].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      remove(work, orphan, {reason: orphan.oneOff ? 'left over from a run' : 'no service in the stack file has it'});
    }
  } else if (options.ignoreOrphans !== true) {
    noteOrphans(work.plan, orphans);
  }
}

/** A network or volume that is made anew must be free first: its containers stop, and a volume's containers go. */
function planResources(work: Work): void {
  const {plan, input, resources} = work;
  for (const [key, decision] of resources.networks) {
    const name = input.project.networks[key]?.name;
    if (decision.kind === 'keep' || name === undefined) continue;
    let removal: NodeId | undefined;
    if (decision.kind === 'remake') {
      const attached = input.observed.containers.filter(
        (container) => Object.hasOwn(container.networks, name) && isUp(container),
      );
      const stops = attached
        .sort(compareContainers)
        .map((container) => stop(work, container, {reason: `network "${name}" is recreated`}));
      removal = plan.add({kind: 'removeNetwork', name}, decision.why, stops);
    }
    work.networksReady.set(key, plan.add({kind: 'createNetwork', network: key, name}, decision.why, [removal]));
  }
  for (const [key, decision] of resources.volumes) {
    const name = input.project.volumes[key]?.name;
    if (decision.kind === 'keep' || name === undefined) continue;
    let removal: NodeId | undefined;
    if (decision.kind === 'remake') {
      const users = input.observed.containers.filter(({mounts}) =>
        mounts.some((mount) => mount.type === 'volume' && mount.name === name),
      );
      const removals = users
        .sort(compareContainers)
        .map((container) => remove(work, container, {reason: `volume "${name}" is recreated`}));
      removal = plan.add({kind: 'removeVolume', name}, decision.why, removals);
    }
    work.volumesReady.set(key, plan.add({kind: 'createVolume', volume: key, name}, decision.why, [removal]));
  }
}
