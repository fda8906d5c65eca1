import {composeLabels} from '../api/labels.ts';
import type {ContainerCreateBody} from '../api/types/container.ts';
import type {NetworkCreateBody} from '../api/types/network.ts';
import type {VolumeCreateBody} from '../api/types/volume.ts';
import {refuseLimits} from '../model/limits.ts';
import {lowerNetwork, lowerService, lowerVolume} from '../model/lower.ts';
import {networkSpec, serviceSpec, volumeSpec} from '../model/spec.ts';
import type {Project} from '../model/types.ts';
import type {Desired} from '../plan/input.ts';
import type {ObservedContainer, ObservedImage} from '../plan/observed.ts';
import {canonicalSpec} from '../plan/spec.ts';

/** How the things of a project become requests of the Engine API, labels included. */
export interface Lowering {
  network(key: string): NetworkCreateBody;
  volume(key: string): VolumeCreateBody;
  container(request: ContainerRequest): ContainerCreateBody & {readonly platform?: string};
}

export interface ContainerRequest {
  readonly service: string;
  readonly replica: number;
  readonly image: ObservedImage | undefined;
  /** The container it replaces, as it was observed. */
  readonly replaces?: Pick<ObservedContainer, 'name'>;
  /** The container that stands for a service whose namespaces or mounts are shared. */
  readonly containerOf?: (service: string) => string;
  /** It is made for one command, and is nobody's replica. */
  readonly oneOff?: true;
}

export interface LoweringOptions {
  /** Of the engine. */
  readonly features: ReadonlySet<string>;
  /** Of this program, for a label. */
  readonly version: string;
}

/**
 * What a project asks for: as it is compared with containers, and as it is sent to the engine. Throws `unsupported` for
 * what this engine cannot do, before anything is changed.
 */
export function lowerProject(
  project: Project,
  {features, version}: LoweringOptions,
): {readonly desired: Desired; readonly lowering: Lowering} {
  refuseLimits(project, features);
  const files = features.has('files');
  const services = Object.entries(project.services).map(
    ([serviceName, service]) =>
      [serviceName, canonicalSpec(serviceSpec({project, service, serviceName, files}))] as const,
  );
  const networks = Object.entries(project.networks).map(
    ([key, network]) => [key, canonicalSpec(networkSpec(network))] as const,
  );
  const volumes = Object.entries(project.volumes).map(
    ([key, volume]) => [key, canonicalSpec(volumeSpec(volume))] as const,
  );
  const container = ({
    service,
    replica,
    image,
    replaces,
    containerOf,
  }: ContainerRequest): ReturnType<Lowering['container']> => {
    const {body, platform} = lowerService({
      project,
      service,
      replica,
      features,
      version,
      imageId: image?.id,
      containerOf,
    });
    const Labels = replaces === undefined ? body.Labels : {...body.Labels, [composeLabels.replace]: replaces.name};
    return {...body, ...(Labels === undefined ? {} : {Labels}), ...(platform === undefined ? {} : {platform})};
  };
  return {
    desired: {
      services: Object.fromEntries(services),
      networks: Object.fromEntries(networks),
      volumes: Object.fromEntries(volumes),
      body: (service, replica) => container({service, replica, image: undefined}),
    },
    lowering: {
      network: (key) => lowerNetwork({project, key, version}),
      volume: (key) => lowerVolume({project, key, version}),
      container,
    },
  };
}
