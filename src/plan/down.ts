import {anonymousVolumeLabel, composeLabels} from '../api/labels.ts';
import {imageOf} from '../model/image.ts';
import type {Project} from '../model/types.ts';
import type {ContainerId, NodeId, Plan} from './action.ts';
import {createPlanBuilder, type PlanBuilder} from './builder.ts';
import {knownDependencies} from './graph.ts';
import {isHereAtAll} from './image-key.ts';
import {isUp, type Observed, type ObservedContainer} from './observed.ts';
import {findOrphans, noteOrphans} from './orphans.ts';
import {stopInOrder} from './stop.ts';

export interface DownInput {
  /** Absent where no stack file is at hand: then everything with the project's label goes. */
  readonly project: Project | undefined;
  readonly observed: Observed;
  readonly options: DownOptions;
}

export interface DownOptions {
  /** Only these services, and no network or volume; absent: everything. */
  readonly services?: readonly string[];
  /** Named volumes of the stack file, and the containers' anonymous ones. */
  readonly volumes?: boolean;
  readonly removeOrphans?: boolean;
  readonly ignoreOrphans?: boolean;
  /** Images of the services: all of them, or those only that are built and have no name of their own. */
  readonly removeImages?: 'local' | 'all';
  readonly timeoutSeconds?: number;
}

/** Stops and removes the project's containers, dependents first, then its networks, then, if asked, its volumes. */
export function planDown(input: DownInput): Plan {
  const {project, observed, options} = input;
  const plan = createPlanBuilder(observed.project, project?.workingDir);
  const containers = containersToRemove(plan, input);
  const dependencies = knownDependencies(project, observed.containers);
  const stops = stopInOrder(plan, {project, dependencies, containers, timeoutSeconds: options.timeoutSeconds});
  const removals = new Map<ContainerId, NodeId>();
  for (const container of stops.order) {
    const node = plan.add(
      {
        kind: 'removeContainer',
        container: {kind: 'existing', id: container.id, name: container.name, service: container.service},
        removeAnonymousVolumes: options.volumes === true,
      },
      {reason: 'down'},
      [stops.nodes.get(container.id)],
    );
    removals.set(container.id, node);
  }
  if (options.services === undefined) {
    removeNetworks(plan, input, removals);
    if (options.volumes === true) removeVolumes(plan, input, removals);
  }
  removeImages(plan, input, removals);
  return plan.build();
}

function containersToRemove(plan: PlanBuilder, {project, observed, options}: DownInput): readonly ObservedContainer[] {
  if (options.services !== undefined) {
    const {services} = options;
    return observed.containers.filter(({service, oneOff}) => services.includes(service) && !oneOff);
  }
  if (project === undefined || options.removeOrphans === true) return observed.containers;
  const orphans = new Set(findOrphans(project, observed.containers).filter(({oneOff}) => !oneOff));
  if (options.ignoreOrphans !== true) noteOrphans(plan, [...orphans]);
  return observed.containers.filter((container) => !orphans.has(container));
}

/** Those of the stack file that were made for it; without a stack file, or with orphans, all that carry the label. */
function removeNetworks(
  plan: PlanBuilder,
  {project, observed, options}: DownInput,
  removals: ReadonlyMap<ContainerId, NodeId>,
): void {
  for (const network of [...observed.networks].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (network.labels[composeLabels.project] !== observed.project) continue;
    const definition = Object.values(project?.networks ?? {}).find(({name}) => name === network.name);
    if (definition?.external === true) continue;
    if (project !== undefined && options.removeOrphans !== true && definition === undefined) continue;
    const attached = observed.containers.filter(({networks}) => Object.hasOwn(networks, network.name));
    const staying = attached.filter((container) => isUp(container) && !removals.has(container.id));
    if (staying.length > 0) {
      plan.note({
        level: 'warning',
        message: `network "${network.name}" stays: still used by ${staying
          .map(({name}) => name)
          .sort()

          .join(', ')}`,
      });
      continue;
    }
    plan.add(
      {kind: 'removeNetwork', name: network.name},
      {reason: 'down'},
      attached.map(({id}) => removals.get(id)),
    );
  }
}

/** Those of the stack file, and those without a name: all of them carry the project's label. */
function removeVolumes(
  plan: PlanBuilder,
  {project, observed}: DownInput,
  removals: ReadonlyMap<ContainerId, NodeId>,
): void {
  for (const volume of [...observed.volumes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (volume.labels[composeLabels.project] !== observed.project) continue;
    const definition = Object.values(project?.volumes ?? {}).find(({name}) => name === volume.name);
    const anonymous = volume.labels[anonymousVolumeLabel] !== undefined;
    if (definition?.external === true || (project !== undefined && definition === undefined && !anonymous)) continue;
    const users = observed.containers.filter(({mounts}) =>
      mounts.some(({type, name}) => type === 'volume' && name === volume.name),
    );
    plan.add(
      {kind: 'removeVolume', name: volume.name},
      {reason: 'down with volumes'},
      users.map(({id}) => removals.get(id)),
    );
  }
}

function removeImages(
  plan: PlanBuilder,
  {project, observed, options}: DownInput,
  removals: ReadonlyMap<ContainerId, NodeId>,
): void {
  if (options.removeImages === undefined) return;
  if (project === undefined) {
    plan.problem({
      kind: 'invalid',
      message: 'which images to remove is known from the stack file only',
      hint: 'name it with "-f", or leave "--rmi" out',
    });
    return;
  }
  const services = Object.keys(project.services).filter(
    (name) =>
      (options.services?.includes(name) ?? true) &&
      (options.removeImages === 'all' || project.services[name]?.image === undefined),
  );
  for (const name of new Set(services.flatMap((service) => imageOf(project, service) ?? []).sort())) {
    if (isHereAtAll(observed.images, name))
      plan.add({kind: 'removeImage', name}, {reason: 'down with images'}, removals.values());
  }
}
