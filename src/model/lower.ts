import {composeLabels, specLabel} from '../api/labels.ts';
import type {ContainerCreateBody, ContainerFile, EndpointSettings, HostConfig, Mount} from '../api/types/container.ts';
import type {Ipam, NetworkCreateBody} from '../api/types/network.ts';
import type {VolumeCreateBody} from '../api/types/volume.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import {TscomposeError} from '../base/errors.ts';
import type {Draft, LowerContext} from './attributes/attribute.ts';
import {attributeTable} from './attributes/index.ts';
import {parseLink} from './attributes/links.ts';
import {interfaceOption} from './attributes/networks.ts';
import {imageOf} from './image.ts';
import {ownLabels} from './own-options.ts';
import {configHash, networkSpec, type StatedSpec, serviceSpec, volumeSpec} from './spec.ts';
import type {FileObject, FileReference, Network, Project, Service, Volume} from './types.ts';

export interface LowerRequest {
  readonly project: Project;
  /** Key of `project.services`. */
  readonly service: string;
  /** From 1. */
  readonly replica: number;
  /** Of the engine: `files` where it places files with owner and mode. */
  readonly features: ReadonlySet<string>;
  /** Version of this program, for a label. */
  readonly version: string;
  /** ID of the image the container is made from, for a label. */
  readonly imageId?: string | undefined;
  /** The container's name where it is not the usual one: while it replaces another. */
  readonly name?: string | undefined;
  /** The container that stands for a service whose namespaces or mounts are shared; absent: its first one. */
  readonly containerOf?: ((service: string) => string) | undefined;
}

export interface LoweredService {
  readonly name: string;
  readonly body: ContainerCreateBody;
  readonly platform?: string;
}

/** `PROJECT-SERVICE-N`, or what the service says. */
export function containerName(project: Project, service: string, replica: number): string {
  return project.services[service]?.container_name ?? `${project.name}-${service}-${replica}`;
}

/** How many containers a service has; what a program provides has none. */
export function replicasOf(service: Service): number {
  if (service.provider !== undefined) return 0;
  return service.scale ?? service.deploy?.replicas ?? 1;
}

/**
 * A service's container as the Engine API is asked for it. Pure: the same project gives the same body. Throws
 * `unsupported` for what the engine cannot do.
 */
export function lowerService(request: LowerRequest): LoweredService {
  const {project, service: serviceName, replica} = request;
  const service = project.services[serviceName];
  if (service === undefined) throw new TscomposeError('notFound', `no such service: "${serviceName}"`);
  const name = containerName(project, serviceName, replica);
  const containerOf = request.containerOf ?? ((other) => containerName(project, other, 1));
  const context: LowerContext = {project, service, serviceName, files: request.features.has('files'), containerOf};
  const draft: Draft = {config: {}, host: {}};
  for (const [attribute, row] of attributeTable) {
    const value = (service as Readonly<Record<string, unknown>>)[attribute];
    if (value !== undefined && value !== null) row.lower?.(value, draft, context);
  }
  const files = lowerFiles(context);
  const host: HostConfig = {
    ...draft.host,
    ...(draft.host.NetworkMode === undefined ? {NetworkMode: primaryNetwork(context)} : {}),
    ...(files.placed.length === 0 ? {} : {TscomposeFiles: files.placed}),
    ...(files.mounts.length === 0 ? {} : {Mounts: [...(draft.host.Mounts ?? []), ...files.mounts]}),
  };
  const body: ContainerCreateBody = {
    ...draft.config,
    Labels: labelsOf(request, {service, spec: serviceSpec(context)}),
    HostConfig: host,
    ...(draft.config.Image === undefined ? defaultImage(project, serviceName) : {}),
    NetworkingConfig: {EndpointsConfig: endpointsOf(context, name, replica)},
  };
  return {name: request.name ?? name, body, ...(service.platform === undefined ? {} : {platform: service.platform})};
}

function defaultImage(project: Project, serviceName: string): {readonly Image?: string} {
  const image = imageOf(project, serviceName);
  return image === undefined ? {} : {Image: image};
}

function networkName(key: string, project: Project): string {
  return project.networks[key]?.name ?? `${project.name}_${key}`;
}

function primaryNetwork({service, project}: LowerContext): string {
  const [first] = Object.keys(service.networks ?? {});
  return first === undefined ? 'none' : networkName(first, project);
}

/** A container answers to its own name, its service's, and its aliases; on its first network it has its hardware address. */
function endpointsOf(context: LowerContext, name: string, replica: number): Record<string, EndpointSettings> {
  const {service, serviceName, project} = context;
  const endpoints: Record<string, EndpointSettings> = {};
  const links = linksOf(context, replica);
  for (const [index, [key, network]] of Object.entries(service.networks ?? {}).entries()) {
    const {aliases = [], ipv4_address, ipv6_address, link_local_ips = [], gw_priority} = network ?? {};
    const mac = network?.mac_address ?? (index === 0 ? service.mac_address : undefined);
    const fixed = {
      ...(ipv4_address === undefined ? {} : {IPv4Address: ipv4_address}),
      ...(ipv6_address === undefined ? {} : {IPv6Address: ipv6_address}),
      ...(link_local_ips.length === 0 ? {} : {LinkLocalIPs: link_local_ips}),
    };
    const options = {
      ...network?.driver_opts,
      ...(network?.interface_name === undefined ? {} : {[interfaceOption]: network.interface_name}),
    };
    endpoints[networkName(key, project)] = {
      Aliases: [...new Set([name, serviceName, ...aliases])],
      ...(Object.keys(fixed).length === 0 ? {} : {IPAMConfig: fixed}),
      ...(mac === undefined || mac === '' ? {} : {MacAddress: mac}),
      ...(gw_priority === undefined ? {} : {GwPriority: gw_priority}),
      ...(Object.keys(options).length === 0 ? {} : {DriverOpts: options}),
      ...(links.length === 0 ? {} : {Links: links}),
    };
  }
  return endpoints;
}

/**
 * As Compose asks for them: each linked container by its alias, and by the names it would have had without one. An engine of
 * ours answers to the names of services and containers on their networks: there an alias stands for such a name, and so for
 * every replica that has it.
 */
function linksOf({project, service, containerOf, files}: LowerContext, replica: number): readonly string[] {
  if (files) {
    return [...(service.links ?? []), ...(service.external_links ?? [])].flatMap((link) => {
      const {name, alias} = parseLink(link);
      return alias === name ? [] : [`${name}:${alias}`];
    });
  }
  return [
    ...(service.links ?? []).flatMap((link) => {
      const {name, alias} = parseLink(link);
      const container = containerOf(name);
      const names = [alias, `${name}-${replica}`, `${project.name}-${name}-${replica}`];
      return [...new Set(names)].map((known) => `${container}:${known}`);
    }),
    ...(service.external_links ?? []).map((link) => {
      const {name, alias} = parseLink(link);
      return `${name}:${alias}`;
    }),
  ];
}

function labelsOf(
  request: LowerRequest,
  {service, spec}: {readonly service: Service; readonly spec: StatedSpec},
): Record<string, string> {
  const {project, replica, version, imageId} = request;
  return {
    ...service.labels,
    ...ownLabels(service),
    [composeLabels.project]: project.name,
    [composeLabels.service]: request.service,
    [composeLabels.containerNumber]: String(replica),
    [composeLabels.oneOff]: 'False',
    [composeLabels.version]: version,
    [composeLabels.workingDir]: project.workingDir,
    [composeLabels.configFiles]: project.files.join(','),
    ...(project.environmentFiles.length === 0
      ? {}
      : {[composeLabels.environmentFile]: project.environmentFiles.join(',')}),
    [composeLabels.dependsOn]: Object.entries(service.depends_on ?? {})
      .map(([name, {condition, restart}]) => `${name}:${condition}:${restart ?? false}`)
      .join(','),
    [composeLabels.configHash]: configHash(spec),
    ...(imageId === undefined ? {} : {[composeLabels.image]: imageId}),
    [specLabel]: canonicalJson(spec),
  };
}

interface LoweredFiles {
  readonly placed: readonly ContainerFile[];
  readonly mounts: readonly Mount[];
}

/** Where the engine places files, owner and mode hold; elsewhere a file is a read-only bind mount, as in Compose. */
function lowerFiles({service, serviceName, project, files}: LowerContext): LoweredFiles {
  const placed: ContainerFile[] = [];
  const mounts: Mount[] = [];
  for (const kind of ['configs', 'secrets'] as const) {
    for (const reference of service[kind] ?? []) {
      const object = project[kind][reference.source];
      if (object === undefined) throw new TscomposeError('notFound', `${kind}.${reference.source} is not defined`);
      if (files) {
        placed.push(placedFile(reference, object, `${kind}.${reference.source}`));
      } else if (object.file !== undefined) {
        mounts.push({Type: 'bind', Source: object.file, Target: reference.target, ReadOnly: true});
      } else {
        throw new TscomposeError(
          'unsupported',
          `services.${serviceName}: ${kind}.${reference.source} has no file, and this engine can only mount files`,
          {
            hint: 'give it a file, or use the built-in engine',
          },
        );
      }
    }
  }
  return {placed, mounts};
}

function placedFile(reference: FileReference, object: FileObject, where: string): ContainerFile {
  const {target, uid, gid, mode} = reference;
  const attributes = {Target: target, Uid: Number(uid ?? 0), Gid: Number(gid ?? 0), Mode: mode ?? 0o444};
  if (object.file !== undefined) return {...attributes, Source: object.file};
  if (object.external === true || object.driver !== undefined)
    throw new TscomposeError('unsupported', `${where} belongs to a swarm`, {
      hint: 'give it a file or an environment variable',
    });
  const content = object.content ?? object.value;
  if (content === undefined) {
    throw new TscomposeError('invalid', `${where}: the environment variable ${object.environment} is not set`, {
      hint: 'set it in .env or in the environment',
    });
  }
  return {...attributes, Content: Buffer.from(content).toString('base64')};
}

export interface ResourceRequest {
  readonly project: Project;
  /** Key of the project's networks or volumes. */
  readonly key: string;
  readonly version: string;
}

export function lowerNetwork({project, key, version}: ResourceRequest): NetworkCreateBody {
  const network: Network | undefined = project.networks[key];
  if (network === undefined) throw new TscomposeError('notFound', `no such network: "${key}"`);
  const spec = networkSpec(network);
  const {name, driver, driver_opts, internal, attachable, enable_ipv4, enable_ipv6, ipam} = network;
  return {
    Name: name,
    ...(driver === undefined ? {} : {Driver: driver}),
    ...(driver_opts === undefined ? {} : {Options: driver_opts}),
    ...(internal === undefined ? {} : {Internal: internal}),
    ...(attachable === undefined ? {} : {Attachable: attachable}),
    ...(enable_ipv4 === undefined ? {} : {EnableIPv4: enable_ipv4}),
    ...(enable_ipv6 === undefined ? {} : {EnableIPv6: enable_ipv6}),
    ...(ipam === undefined ? {} : {IPAM: lowerIpam(ipam)}),
    Labels: {
      ...network.labels,
      [composeLabels.project]: project.name,
      [composeLabels.network]: key,
      [composeLabels.version]: version,
      [composeLabels.configHash]: configHash(spec),
      [specLabel]: canonicalJson(spec),
    },
  };
}

function lowerIpam({driver, config, options}: NonNullable<Network['ipam']>): Ipam {
  return {
    ...(driver === undefined ? {} : {Driver: driver}),
    ...(options === undefined ? {} : {Options: options}),
    Config: (config ?? []).map(({subnet, ip_range, gateway, aux_addresses}) => ({
      ...(subnet === undefined ? {} : {Subnet: subnet}),
      ...(ip_range === undefined ? {} : {IPRange: ip_range}),
      ...(gateway === undefined ? {} : {Gateway: gateway}),
      ...(aux_addresses === undefined ? {} : {AuxiliaryAddresses: aux_addresses}),
    })),
  };
}

export function lowerVolume({project, key, version}: ResourceRequest): VolumeCreateBody {
  const volume: Volume | undefined = project.volumes[key];
  if (volume === undefined) throw new TscomposeError('notFound', `no such volume: "${key}"`);
  const spec = volumeSpec(volume);
  return {
    Name: volume.name,
    ...(volume.driver === undefined ? {} : {Driver: volume.driver}),
    ...(volume.driver_opts === undefined ? {} : {DriverOpts: volume.driver_opts}),
    Labels: {
      ...volume.labels,
      [composeLabels.project]: project.name,
      [composeLabels.volume]: key,
      [composeLabels.version]: version,
      [composeLabels.configHash]: configHash(spec),
      [specLabel]: canonicalJson(spec),
    },
  };
}
