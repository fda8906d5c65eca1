import {composeLabels, specLabel} from '../../src/api/labels.ts';
import type {ContainerStatus} from '../../src/api/types/container.ts';
import type {Json} from '../../src/base/canonical-json.ts';
import type {Network, Project, Service, SourcePosition, Volume} from '../../src/model/types.ts';
import type {ContainerId} from '../../src/plan/action.ts';
import {imageKey} from '../../src/plan/image-key.ts';
import {type Desired, emptyMemory, type UpInput, type UpOptions} from '../../src/plan/input.ts';
import type {Observed, ObservedContainer, ObservedNetwork, ObservedVolume} from '../../src/plan/observed.ts';
import type {Spec} from '../../src/plan/spec.ts';

export interface ProjectParts {
  readonly name?: string;
  readonly services: Readonly<Record<string, Partial<Service>>>;
  readonly disabledServices?: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, Partial<Network>>>;
  readonly volumes?: Readonly<Record<string, Partial<Volume>>>;
  /** Path → line in compose.yaml. */
  readonly lines?: Readonly<Record<string, number>>;
}

/** A project `shop` with the parts that a test is about; every service has an image of its own name. */
export function project(parts: ProjectParts): Project {
  const name = parts.name ?? 'shop';
  const named = <T extends {readonly name: string}>(
    items: Readonly<Record<string, Partial<T>>> | undefined,
  ): Record<string, T> =>
    Object.fromEntries(Object.entries(items ?? {}).map(([key, item]) => [key, {name: `${name}_${key}`, ...item} as T]));
  return {
    name,
    workingDir: '/src/shop',
    files: ['/src/shop/compose.yaml'],
    environmentFiles: [],
    services: Object.fromEntries(
      Object.entries(parts.services).map(([key, service]) => [key, {image: key, ...service}]),
    ),
    disabledServices: parts.disabledServices ?? {},
    networks: named<Network>(parts.networks),
    volumes: named<Volume>(parts.volumes),
    configs: {},
    secrets: {},
    provenance: {at: (path) => position(parts.lines, path)},
  };
}

function position(lines: ProjectParts['lines'], path: string): SourcePosition | undefined {
  const line = lines?.[path];
  return line === undefined ? undefined : {file: '/src/shop/compose.yaml', line, column: 5};
}

/** The specs that the loader would make: here the values themselves. */
export function desiredOf(of: Project): Desired {
  const plain = (items: Readonly<Record<string, unknown>>): Record<string, Spec> =>
    Object.fromEntries(
      Object.entries(items).map(([key, item]) => [key, JSON.parse(JSON.stringify(item)) as Record<string, Json>]),
    );
  return {
    services: plain(of.services),
    networks: plain(of.networks),
    volumes: plain(of.volumes),
    body: () => {
      throw new Error('this test has no containers of other tools');
    },
  };
}

export function upInput(of: Project, observed: Observed, options: UpOptions = {}): UpInput {
  return {project: of, desired: desiredOf(of), observed, options, memory: emptyMemory};
}

export function observed(parts: Partial<Observed> = {}): Observed {
  return {project: 'shop', containers: [], networks: [], volumes: [], images: {}, ...parts};
}

/** Images of all services, each with the id `sha256:NAME`. */
export function imagesOf(of: Project): Observed['images'] {
  const keys = Object.values(of.services).flatMap(({image, platform}) => (image ? [imageKey(image, platform)] : []));
  return Object.fromEntries(keys.map((key) => [key, {id: `sha256:${key}`, config: {}}]));
}

export interface ContainerParts {
  readonly status?: ContainerStatus;
  readonly number?: number;
  readonly name?: string;
  readonly id?: string;
  readonly image?: string;
  readonly spec?: Spec;
  readonly networks?: Readonly<Record<string, string>>;
  readonly mounts?: ObservedContainer['mounts'];
  readonly oneOff?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A running replica of a service, made from what the project says. */
export function container(of: Project, service: string, parts: ContainerParts = {}): ObservedContainer {
  const number = parts.number ?? 1;
  const definition = of.services[service];
  const networks = Object.keys(definition?.networks ?? {}).map((key) => of.networks[key]?.name ?? key);
  const volumes = (definition?.volumes ?? []).flatMap((mount) =>
    mount.type === 'volume' && mount.source !== undefined
      ? [{name: of.volumes[mount.source]?.name ?? mount.source, target: mount.target}]
      : [],
  );
  return {
    id: (parts.id ?? containerId(`${service}${number}`)) as ContainerId,
    name: parts.name ?? definition?.container_name ?? `${of.name}-${service}-${number}`,
    service,
    number,
    oneOff: parts.oneOff ?? false,
    status: parts.status ?? 'running',
    image: parts.image ?? `sha256:${imageKey(definition?.image ?? service, definition?.platform)}`,
    labels: {[composeLabels.project]: of.name, [composeLabels.service]: service, ...parts.labels},
    spec: parts.spec ?? desiredOf(of).services[service] ?? {},
    networks: parts.networks ?? Object.fromEntries(networks.map((name) => [name, `id-${name}`])),
    mounts:
      parts.mounts ?? volumes.map(({name, target}) => ({type: 'volume', name, source: `/volumes/${name}`, target})),
  };
}

/** 64 hex digits that differ for different names. */
export function containerId(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);
}

export function network(of: Project, key: string, parts: Partial<ObservedNetwork> = {}): ObservedNetwork {
  const name = of.networks[key]?.name ?? `${of.name}_${key}`;
  return {
    id: `id-${name}`,
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    enableIpv6: false,
    ipam: {},
    options: {},
    labels: {[composeLabels.project]: of.name, [composeLabels.network]: key},
    spec: desiredOf(of).networks[key] ?? {},
    ...parts,
  };
}

export function volume(of: Project, key: string, parts: Partial<ObservedVolume> = {}): ObservedVolume {
  return {
    name: of.volumes[key]?.name ?? `${of.name}_${key}`,
    driver: 'local',
    options: {},
    labels: {[composeLabels.project]: of.name, [composeLabels.volume]: key, [specLabel]: '{}'},
    spec: desiredOf(of).volumes[key] ?? {},
    ...parts,
  };
}

/** Everything of the project exists as it wants it, and runs. */
export function running(of: Project): Observed {
  return observed({
    containers: Object.entries(of.services).flatMap(([service, definition]) =>
      Array.from({length: definition.scale ?? 1}, (_, index) => container(of, service, {number: index + 1})),
    ),
    networks: Object.keys(of.networks).map((key) => network(of, key)),
    volumes: Object.keys(of.volumes).map((key) => volume(of, key)),
    images: imagesOf(of),
  });
}
