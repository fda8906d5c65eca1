import type {Project, Service} from '../model/types.ts';
import type {Cause, FieldChange} from './action.ts';
import {compareSpecs} from './divergence.ts';
import {imageKeyOf} from './image-key.ts';
import type {UpInput} from './input.ts';
import {compareInspected} from './inspected.ts';
import {containerName, replicaCount} from './names.ts';
import type {NetworkDecision} from './networks.ts';
import {isUp, type ObservedContainer} from './observed.ts';
import {dependencyOrder} from './order.ts';
import {decideReplicas, type ReplicaDecision} from './replicas.ts';
import {sharedCause} from './shared.ts';
import type {VolumeDecision} from './volumes.ts';

export interface ResourceDecisions {
  readonly networks: ReadonlyMap<string, NetworkDecision>;
  readonly volumes: ReadonlyMap<string, VolumeDecision>;
}

/** By service name: what is to become of each container, existing and missing. */
export function decideServices(
  input: UpInput,
  resources: ResourceDecisions,
): ReadonlyMap<string, readonly ReplicaDecision[]> {
  const {project, observed} = input;
  const decisions = new Map<string, readonly ReplicaDecision[]>();
  for (const name of dependencyOrder(dependencyGraph(project))) {
    const service = project.services[name];
    if (service === undefined) continue;
    const containers = observed.containers.filter((container) => container.service === name && !container.oneOff);
    const diverged = (container: ObservedContainer) =>
      whyRecreate({input, resources, decisions, name, service, container});
    decisions.set(
      name,
      input.options.oneOff?.service === name
        ? containers.filter(isUp).map((container) => keepUnlessRemade(container, diverged(container)))
        : decideReplicas({
            containers,
            count: replicaCount(service),
            diverged,
            nameOf: (replica) => containerName(project.name, name, service, replica),
          }),
    );
  }
  return decisions;
}

/** What runs already of a service that something else is run of. */
function keepUnlessRemade(container: ObservedContainer, why: Cause | undefined): ReplicaDecision {
  return why === undefined ? {kind: 'keep', container} : {kind: 'recreate', container, why};
}

interface Candidate {
  readonly input: UpInput;
  readonly resources: ResourceDecisions;
  /** Of what the service depends on. */
  readonly decisions: ReadonlyMap<string, readonly ReplicaDecision[]>;
  readonly name: string;
  readonly service: Service;
  readonly container: ObservedContainer;
}

function whyRecreate(candidate: Candidate): Cause | undefined {
  const {input, name, container} = candidate;
  const {options, memory} = input;
  const named = options.services === undefined || options.services.includes(name);
  const stated = (named ? options.recreate : (options.recreateDependencies ?? options.recreate)) ?? 'diverged';
  const policy = options.oneOff?.service === name ? 'never' : stated;
  const needed = resourceCause(candidate);
  const remade = needed.remade ?? sharedCause({...candidate, project: input.project});
  // A volume or network that is made anew takes its containers with it, whatever the policy.
  if (policy === 'never') return remade;
  if ((policy === 'force' || (named && options.renewAnonymousVolumes === true)) && !memory.created.has(container.id)) {
    return {reason: 'recreate asked for'};
  }
  if (container.status === 'dead' || container.status === 'removing')
    return {reason: `container is ${container.status}`};
  const configuration = configurationCause(candidate);
  return configuration ?? remade ?? needed.missing;
}

function configurationCause({input, name, container}: Candidate): Cause | undefined {
  const {project, desired, observed} = input;
  const path = `services.${name}`;
  const key = imageKeyOf(project, name);
  const image = key === undefined ? undefined : observed.images[key];
  const changes: FieldChange[] = [
    ...(container.spec === undefined
      ? compareInspected({
          container,
          body: desired.body(name, container.number),
          image,
          path,
          provenance: project.provenance,
        })
      : compareSpecs({
          stored: container.spec,
          desired: desired.services[name] ?? {},
          path,
          provenance: project.provenance,
        })),
  ];
  // The same reference may name another image by now. An image that is gone changes nothing: the container has its own.
  const imageReplaced = image !== undefined && image.id !== container.image;
  if (imageReplaced) {
    const source = project.provenance.at(`${path}.image`);
    changes.push({
      field: 'image id',
      before: shortId(container.image),
      after: shortId(image.id),
      ...(source && {source}),
    });
  }
  if (changes.length === 0) return undefined;
  return {reason: imageReplaced && changes.length === 1 ? 'image changed' : 'configuration changed', changes};
}

/** Whether its networks and volumes are what it is attached to. */
function resourceCause({input, resources, service, container}: Candidate): {remade?: Cause; missing?: Cause} {
  const result: {remade?: Cause; missing?: Cause} = {};
  // Also those that it shall not have any more: it could not start again with what is gone.
  for (const {network} of remade(resources.networks)) {
    if (Object.hasOwn(container.networks, network.name)) {
      result.remade ??= {reason: `network "${network.name}" is recreated`};
    }
  }
  for (const {volume} of remade(resources.volumes)) {
    if (container.mounts.some(({type, name: mounted}) => type === 'volume' && mounted === volume.name)) {
      result.remade ??= {reason: `volume "${volume.name}" is recreated`};
    }
  }
  for (const key of Object.keys(service.networks ?? {}).sort()) {
    const decision = resources.networks.get(key);
    const name = input.project.networks[key]?.name;
    if (decision === undefined || name === undefined) continue;
    const id = container.networks[name];
    if (decision.kind !== 'keep') result.remade ??= {reason: `network "${name}" is recreated`};
    else if (id === undefined) result.missing ??= {reason: `not attached to network "${name}"`};
    // It would look for the network by the id of one that is gone: it could not even start.
    else if (id !== '' && id !== decision.network.id) result.remade ??= {reason: `network "${name}" was recreated`};
  }
  for (const [name, id] of Object.entries(container.networks)) {
    if (isGone(input, name, id)) result.remade ??= {reason: `network "${name}" is gone`};
  }
  for (const mount of service.volumes ?? []) {
    if (mount.type !== 'volume' || mount.source === undefined) continue;
    const decision = resources.volumes.get(mount.source);
    const name = input.project.volumes[mount.source]?.name;
    if (decision === undefined || name === undefined) continue;
    if (decision.kind !== 'keep') result.remade ??= {reason: `volume "${name}" is recreated`};
    else if (!container.mounts.some((mounted) => mounted.type === 'volume' && mounted.name === name)) {
      result.missing ??= {reason: `volume "${name}" is not mounted`};
    }
  }
  return result;
}

/** Whether there is no such network any more. Only those are known that are the project's, by its file or by their label. */
function isGone({project, observed}: UpInput, name: string, id: string): boolean {
  const named = observed.networks.filter((network) => network.name === name);
  const isKnown = named.length > 0 || Object.values(project.networks).some((network) => network.name === name);
  return isKnown && id !== '' && !named.some((network) => network.id === id);
}

function remade<T extends {readonly kind: string}>(
  decisions: ReadonlyMap<string, T>,
): readonly (T & {readonly kind: 'remake'})[] {
  return [...decisions.values()].filter(
    (decision): decision is T & {readonly kind: 'remake'} => decision.kind === 'remake',
  );
}

function shortId(id: string): string {
  return id.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]*$/, '$1$2');
}

/** What each service of the project depends on, as far as the project runs it. */
export function dependencyGraph(project: Project): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => [name, Object.keys(service.depends_on ?? {})]),
  );
}
