import {composeLabels, isOneOff, specLabel} from '../api/labels.ts';
import type {ContainerInspect, ContainerSummary, HostConfig} from '../api/types/container.ts';
import type {ImageInspect} from '../api/types/image.ts';
import type {NetworkInspect} from '../api/types/network.ts';
import type {VolumeInspect} from '../api/types/volume.ts';
import {mapLimited} from '../base/concurrency.ts';
import {hasKind} from '../base/errors.ts';
import {sharedParts} from '../model/attributes/links.ts';
import {imageOf, mountedImages} from '../model/image.ts';
import type {Project} from '../model/types.ts';
import type {ContainerId} from '../plan/action.ts';
import {imageKey} from '../plan/image-key.ts';
import type {Observed, ObservedContainer, ObservedImage, ObservedNetwork, ObservedVolume} from '../plan/observed.ts';
import {parseSpec} from '../plan/spec.ts';
import type {EngineClient} from './engine-client.ts';
import {observeHooks} from './observe-hooks.ts';

export interface ObserveOptions {
  /** Absent where no stack file is at hand: only what carries the label is seen. */
  readonly project: Project | undefined;
  /** Look up what is needed to compare containers with the stack file: only where containers may be created. */
  readonly compare: boolean;
  /** Look up the images of the services, also where nothing is compared. */
  readonly images?: boolean;
  /** Unix ms. Given where containers may be started: then it is seen which of their hooks have run. */
  readonly now?: number;
}

const inspectsAtOnce = 8;

/**
 * The project as the engine has it: a list each of containers, networks and volumes, and one call for each image and for
 * each container that another tool made.
 */
export async function observe(engine: EngineClient, name: string, options: ObserveOptions): Promise<Observed> {
  const filters = {label: [`${composeLabels.project}=${name}`]};
  const wanted =
    options.compare || options.images === true ? wantedImages(options.project) : new Map<string, WantedImage>();
  const [containers, networks, volumes, images] = await Promise.all([
    engine.listContainers({all: true, filters}).then((list) => observeContainers(engine, list, options)),
    // Those that only have a name the project uses are needed too: lists without filter, there are never many.
    engine.listNetworks(options.project === undefined ? {filters} : {}),
    engine.listVolumes(options.project === undefined ? {filters} : {}),
    observeImages(engine, wanted, options.now),
  ]);
  const {project, now} = options;
  const networkNames = new Set(Object.values(options.project?.networks ?? {}).map((network) => network.name));
  const volumeNames = new Set(Object.values(options.project?.volumes ?? {}).map((volume) => volume.name));
  return {
    project: name,
    containers:
      project === undefined || now === undefined ? containers : await observeHooks(engine, containers, {project, now}),
    networks: networks
      .filter((network) => isOurs(network.Labels, name) || networkNames.has(network.Name))
      .map(toNetwork),
    volumes: (volumes.Volumes ?? [])
      .filter((volume) => isOurs(volume.Labels, name) || volumeNames.has(volume.Name))
      .map(toVolume),
    images,
  };
}

function isOurs(labels: Readonly<Record<string, string>> | null | undefined, project: string): boolean {
  return labels?.[composeLabels.project] === project;
}

interface WantedImage {
  readonly reference: string;
  /** One that is here for another does not serve who wants it for this one. */
  readonly platform: string | undefined;
}

/** By `imageKey`. */
function wantedImages(project: Project | undefined): ReadonlyMap<string, WantedImage> {
  const wanted = new Map<string, WantedImage>();
  const want = (reference: string, platform?: string) =>
    wanted.set(imageKey(reference, platform), {reference, platform});
  for (const [name, service] of Object.entries(project?.services ?? {})) {
    const image = project === undefined ? undefined : imageOf(project, name);
    if (image !== undefined) want(image, service.platform);
    for (const mounted of mountedImages(service)) want(mounted);
  }
  return wanted;
}

async function observeImages(
  engine: EngineClient,
  wanted: ReadonlyMap<string, WantedImage>,
  now: number | undefined,
): Promise<Record<string, ObservedImage>> {
  const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = await mapLimited(sorted, inspectsAtOnce, async ([key, {reference, platform}]) => {
    try {
      const image = await engine.getImage(reference).inspect({platform});
      return [[key, {id: image.Id, config: image.Config, ...ageOf(image, now)}] as const];
    } catch (error) {
      if (hasKind(error, 'notFound')) return [];
      throw error;
    }
  });
  return Object.fromEntries(found.flat());
}

function ageOf({Metadata}: ImageInspect, now: number | undefined): Pick<ObservedImage, 'nameAgeMs'> {
  const at = Date.parse(Metadata?.LastTagTime ?? '');
  // An engine that does not know says the year 1.
  return now === undefined || Number.isNaN(at) || at <= 0 ? {} : {nameAgeMs: Math.max(0, now - at)};
}

async function observeContainers(
  engine: EngineClient,
  list: readonly ContainerSummary[],
  {compare, project}: ObserveOptions,
): Promise<readonly ObservedContainer[]> {
  const sharing = sharingServices(project);
  const containers = await mapLimited(list, inspectsAtOnce, async (summary) => {
    const container = toContainer(summary);
    const shares = sharing.has(container.service);
    if (!compare || (container.spec !== undefined && !shares)) return [container];
    try {
      const inspected = await engine.getContainer(container.id).inspect();
      const known = shares ? {...container, ...sharingOf(inspected)} : container;
      return [container.spec === undefined ? {...known, inspected} : known];
    } catch (error) {
      // Gone since it was listed.
      if (hasKind(error, 'notFound')) return [];
      throw error;
    }
  });
  return containers.flat();
}

/** Services whose containers have namespaces of other services' containers, and those others. */
function sharingServices(project: Project | undefined): ReadonlySet<string> {
  return new Set(
    Object.entries(project?.services ?? {}).flatMap(([name, service]) =>
      sharedParts(service).flatMap(({service: other, mode}) => (mode === undefined ? [] : [name, other])),
    ),
  );
}

function sharingOf({HostConfig, State, RestartCount}: ContainerInspect): Pick<ObservedContainer, 'shares' | 'started'> {
  return {
    shares: sharedIds(HostConfig),
    ...(State.Running && {started: {at: Date.parse(State.StartedAt), byPolicy: RestartCount > 0}}),
  };
}

/** `container:ID` names the container that was meant when this one was made. */
function sharedIds(host: HostConfig): NonNullable<ObservedContainer['shares']> {
  const idOf = (mode: string | undefined) => /^container:([0-9a-f]{64})$/.exec(mode ?? '')?.[1];
  const modes = ['NetworkMode', 'PidMode', 'IpcMode'] as const;
  return Object.fromEntries(
    modes.flatMap((mode) => {
      const id = idOf(host[mode]);
      return id === undefined ? [] : [[mode, id]];
    }),
  );
}

function toContainer(summary: ContainerSummary): ObservedContainer {
  const labels = summary.Labels;
  const spec = parseSpec(labels[specLabel]);
  return {
    id: summary.Id as ContainerId,
    name: (summary.Names[0] ?? summary.Id).replace(/^\//, ''),
    service: labels[composeLabels.service] ?? '',
    number: Number(labels[composeLabels.containerNumber] ?? 0) || 0,
    oneOff: isOneOff(labels),
    status: summary.State,
    image: summary.ImageID,
    labels,
    ...(spec === undefined ? {} : {spec}),
    networks: Object.fromEntries(
      Object.entries(summary.NetworkSettings.Networks).map(([name, endpoint]) => [name, endpoint.NetworkID ?? '']),
    ),
    mounts: summary.Mounts.map((mount) => ({
      type: mount.Type,
      ...(mount.Name === undefined ? {} : {name: mount.Name}),
      source: mount.Source,
      target: mount.Destination,
    })),
  };
}

function toNetwork(network: NetworkInspect): ObservedNetwork {
  const spec = parseSpec(network.Labels[specLabel]);
  return {
    id: network.Id,
    name: network.Name,
    driver: network.Driver,
    internal: network.Internal,
    attachable: network.Attachable,
    enableIpv6: network.EnableIPv6,
    ipam: network.IPAM,
    options: network.Options ?? {},
    labels: network.Labels,
    ...(spec === undefined ? {} : {spec}),
  };
}

function toVolume(volume: VolumeInspect): ObservedVolume {
  const labels = volume.Labels ?? {};
  const spec = parseSpec(labels[specLabel]);
  return {
    name: volume.Name,
    driver: volume.Driver,
    options: volume.Options ?? {},
    labels,
    ...(spec === undefined ? {} : {spec}),
  };
}
