import type {Dependency, Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {serviceOf} from './namespaces.ts';
import {itself} from './process.ts';
import {list, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** `NAME[:ALIAS]`; without an alias the name is it. */
export function parseLink(link: string): {readonly name: string; readonly alias: string} {
  const [name = '', alias = name] = link.split(':');
  return {name, alias};
}

/** `SERVICE[:MODE]` or `container:NAME[:MODE]`. */
function parseVolumesFrom(source: string): {
  readonly kind: 'service' | 'container';
  readonly name: string;
  readonly mode: string | undefined;
} {
  const parts = source.split(':');
  const kind = parts[0] === 'container' && parts.length > 1 ? 'container' : 'service';
  const [name = '', mode] = kind === 'container' ? parts.slice(1) : parts;
  return {kind, name, mode};
}

const link = refine(text, (value, node, context) =>
  /^[^:]+(?::[^:]+)?$/.test(value)
    ? value
    : wrong(node, context, {message: `"${value}" is not a link`, hint: 'write NAME or NAME:ALIAS'}),
);

/** The engine gets them with the networks of the service. */
const links: Row<'links'> = {
  merge: {unique: itself},
  read: list(link),
  change: 'recreate',
};

const external_links: Row<'external_links'> = {
  read: list(link),
  change: 'recreate',
};

const volumes_from: Row<'volumes_from'> = {
  read: list(
    refine(text, (value, node, context) => {
      const {name, mode = 'rw'} = parseVolumesFrom(value);
      return name !== '' && /^(?:ro|rw|z|Z)(?:,(?:ro|rw|z|Z))*$/.test(mode)
        ? value
        : wrong(node, context, {
            message: `"${value}" names no service or container`,
            hint: 'write SERVICE[:ro] or container:NAME[:ro]',
          });
    }),
  ),
  lower: (value, {host}, {containerOf}) => {
    if (value.length === 0) return;
    host.VolumesFrom = value.map((source) => {
      const {kind, name, mode} = parseVolumesFrom(source);
      return `${kind === 'service' ? containerOf(name) : name}${mode === undefined ? '' : `:${mode}`}`;
    });
  },
  change: 'recreate',
};

export const linkAttributes = {links, external_links, volumes_from} as const;

/** Namespaces that a service may share with another one. */
const sharing = ['network_mode', 'ipc', 'pid', 'uts', 'cgroup'] as const;

/** Something of another service's container that a service's containers have too, by the attribute that says it. */
export interface SharedPart {
  readonly service: string;
  /** `network_mode`, `pid`, …: below the service. */
  readonly path: readonly (string | number)[];
  /** Member of the create body that names the container: a namespace, or undefined for volumes. */
  readonly mode: 'NetworkMode' | 'PidMode' | 'IpcMode' | undefined;
}

const modes: Readonly<Record<string, SharedPart['mode']>> = {
  network_mode: 'NetworkMode',
  pid: 'PidMode',
  ipc: 'IpcMode',
};

/** What a service has of the containers of others, which it cannot have of a later container without being made anew. */
export function sharedParts(service: Service): readonly SharedPart[] {
  return [
    ...sharing.flatMap((attribute): readonly SharedPart[] => {
      const name = serviceOf(service[attribute]);
      return name === undefined ? [] : [{service: name, path: [attribute], mode: modes[attribute]}];
    }),
    ...(service.volumes_from ?? []).flatMap((value, index): readonly SharedPart[] => {
      const {kind, name} = parseVolumesFrom(value);
      return kind === 'service' ? [{service: name, path: ['volumes_from', index], mode: undefined}] : [];
    }),
  ];
}

/** Whether a service has namespaces of another one's container, which end with that one. */
export function sharesNamespaceOf(service: Service | undefined, other: string): boolean {
  return sharedParts(service ?? {}).some(({service: name, mode}) => name === other && mode !== undefined);
}

/**
 * What a service depends on without saying so: services whose namespaces or volumes it shares, and those it is linked to.
 * `path` is where that is said, below the service.
 */
export function impliedDependencies(
  service: Service,
): readonly {readonly name: string; readonly path: readonly (string | number)[]; readonly restart: boolean}[] {
  return [
    ...(service.links ?? []).map((value, index) => ({
      name: parseLink(value).name,
      path: ['links', index],
      restart: true,
    })),
    ...sharedParts(service).map(({service: name, path}) => ({name, path, restart: path[0] !== 'volumes_from'})),
  ];
}

/** The service with what it implies in `depends_on`; what is stated there stays as it is. */
export function withImpliedDependencies(service: Service): Service {
  const implied = impliedDependencies(service);
  if (implied.length === 0) return service;
  const dependencies: Record<string, Dependency> = {};
  for (const {name, restart} of implied) {
    if (Object.hasOwn(dependencies, name)) continue;
    dependencies[name] = {condition: 'service_started', ...(restart ? {restart} : {}), required: true};
  }
  return {...service, depends_on: {...dependencies, ...service.depends_on}};
}
