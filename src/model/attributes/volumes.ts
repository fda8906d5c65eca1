import {posix} from 'node:path';
import type {Mount} from '../../api/types/container.ts';
import type {Json} from '../../base/canonical-json.ts';
import {didYouMean} from '../../base/suggest.ts';
import {sortedMembers} from '../sorted.ts';
import type {Scalar, Tree} from '../tree.ts';
import {isText, mapItems, objectAt, withMember} from '../tree.ts';
import type {Project, Service, ServiceVolume} from '../types.ts';
import type {Attribute, Draft, FilePlace} from './attribute.ts';
import {items} from './limits.ts';
import {labelMap} from './process.ts';
import {boolean, bytes, integer, list, object, oneOf, type Reader, refine, text, wrong} from './readers.ts';
import {keyValues, oneToList} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** What an option of the short form says in the long one. */
const options: Readonly<Record<string, Readonly<Record<string, Scalar | Readonly<Record<string, Scalar>>>>>> = {
  rw: {},
  ro: {read_only: true},
  nocopy: {volume: {nocopy: true}},
  z: {bind: {selinux: 'z'}},
  Z: {bind: {selinux: 'Z'}},
  private: {bind: {propagation: 'private'}},
  rprivate: {bind: {propagation: 'rprivate'}},
  shared: {bind: {propagation: 'shared'}},
  rshared: {bind: {propagation: 'rshared'}},
  slave: {bind: {propagation: 'slave'}},
  rslave: {bind: {propagation: 'rslave'}},
  // Of a file system shared with a virtual machine, once: read and forgotten, as in Compose.
  cached: {},
  delegated: {},
  consistent: {},
};

/** What other programs call two of the options. */
const otherNames: Readonly<Record<string, string>> = {
  readonly: 'ro',
  'read-only': 'ro',
  read_only: 'ro',
  readwrite: 'rw',
};

function optionHint(option: string): string {
  const names = Object.keys(options);
  const other = otherNames[option.toLowerCase()];
  return (
    didYouMean(option, names) ??
    (other === undefined ? `the options are ${names.join(', ')}` : `did you mean "${other}"?`)
  );
}

/** `[SOURCE:]TARGET[:OPTION,…]`: a source that begins with `.`, `/` or `~` is a path of the machine, any other a volume. */
function expandShort(value: string, item: Tree, {problems, where}: FilePlace): Tree {
  const fail = (message: string, hint = 'write [SOURCE:]TARGET[:OPTION,…], like ./data:/data:ro,z'): Tree => {
    problems.error(item.at, {code: 'wrong-value', message: `${where}: ${message}`, hint});
    return item;
  };
  const parts = value.split(':');
  if (value === '' || parts.includes('')) return fail(`"${value}" has an empty part`);
  if (parts.length > 3) {
    const [first, second, ...rest] = parts;
    const areOptions = rest.every((option) => Object.hasOwn(options, option));
    const hint = areOptions ? `separate the options with commas: ${first}:${second}:${rest.join(',')}` : undefined;
    return fail(`"${value}" has more than three parts`, hint);
  }
  const [source, target, optionList = ''] = parts.length === 1 ? [undefined, value] : parts;
  const bind = source !== undefined && /^[./~]/.test(source);
  const long: Record<string, Scalar | Record<string, Scalar> | undefined> = {
    type: bind ? 'bind' : 'volume',
    source,
    target: target ?? '',
    ...(bind ? {bind: {create_host_path: true}} : {volume: {}}),
  };
  for (const option of optionList === '' ? [] : optionList.split(',')) {
    const members = options[option];
    if (members === undefined) return fail(`unknown option "${option}" in "${value}"`, optionHint(option));
    for (const [name, setting] of Object.entries(members)) {
      long[name] =
        typeof setting === 'object' && setting !== null
          ? {...(long[name] as Record<string, Scalar>), ...setting}
          : setting;
    }
  }
  const nested = (members: Scalar | Record<string, Scalar> | undefined): Scalar | Tree | undefined =>
    typeof members === 'object' && members !== null ? objectAt(members, item.at) : members;
  return objectAt(Object.fromEntries(Object.entries(long).map(([name, setting]) => [name, nested(setting)])), item.at);
}

function isBind(node: Tree): boolean {
  const type = node.kind === 'mapping' ? node.entries.get('type')?.value : undefined;
  return type?.kind === 'scalar' && type.value === 'bind';
}

/** `~/x` is left to `absolute`; targets lose `..` and doubled slashes, as in Docker. */
function expand(node: Tree, place: FilePlace): Tree {
  return mapItems(node, (item) => {
    const long = isText(item) ? expandShort(item.value, item, place) : item;
    const cleaned = withMember(long, 'target', (value) =>
      isText(value) && value.value !== '' ? {...value, value: cleanPath(value.value)} : value,
    );
    if (!isBind(cleaned)) return withMember(cleaned, 'volume', (volume) => withMember(volume, 'labels', keyValues('')));
    return withMember(cleaned, 'source', (value) =>
      isText(value) && value.value !== '' ? {...value, value: place.absolute(value.value)} : value,
    );
  });
}

function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

const target = (item: Tree): string => {
  const node = item.kind === 'mapping' ? item.entries.get('target')?.value : item;
  return node?.kind === 'scalar' ? String(node.value) : '';
};

const readVolume: Reader<ServiceVolume> = refine(
  object<Partial<ServiceVolume>>({
    type: oneOf('bind', 'volume', 'tmpfs', 'image', 'npipe', 'cluster'),
    source: text,
    target: text,
    read_only: boolean,
    consistency: text,
    bind: object({
      propagation: text,
      create_host_path: boolean,
      recursive: oneOf('enabled', 'disabled', 'writable', 'readonly'),
      selinux: oneOf('z', 'Z'),
    }),
    volume: object({nocopy: boolean, subpath: text, labels: labelMap}),
    tmpfs: object({size: bytes, mode: integer}),
    image: object({subpath: text}),
  }),
  (value, node, context): ServiceVolume | undefined => {
    if (value.type === undefined || value.target === undefined) return undefined;
    if (value.type !== 'npipe' && !value.target.startsWith('/'))
      return wrong(
        memberOf(node, 'target'),
        {...context, where: `${context.where}.target`},
        {
          message: `"${value.target}" is not an absolute path in the container`,
          hint: `begin the target with a slash: /${value.target}`,
        },
      );
    if (value.type === 'image' && value.source === undefined)
      return wrong(node, context, {message: 'a mount of an image needs a source', hint: 'add source: IMAGE'});
    if (value.type === 'bind' && value.source === undefined)
      return wrong(node, context, {message: 'a bind mount needs a source', hint: 'add source: PATH'});
    if (value.type === 'tmpfs' && value.source !== undefined)
      return wrong(node, context, {message: 'a tmpfs has no source', hint: 'remove "source"'});
    return {...value, type: value.type, target: value.target};
  },
);

function memberOf(node: Tree, name: string): Tree {
  return (node.kind === 'mapping' ? node.entries.get(name)?.value : undefined) ?? node;
}

/** The name on the engine of a volume that a service mounts. */
function volumeName(source: string, project: Project): string {
  return project.volumes[source]?.name ?? source;
}

const volumes: Row<'volumes'> = {
  expand,
  merge: {unique: target},
  read: list(readVolume),
  spec: (value, {project}): Json | undefined =>
    value.length === 0
      ? undefined
      : value.map(({type, source, target: path, read_only, bind, volume, tmpfs, image}) => {
          const {create_host_path: _, ...bindRest} = bind ?? {};
          return {
            type,
            ...(source === undefined ? {} : {source: type === 'volume' ? volumeName(source, project) : source}),
            target: path,
            ...(read_only === true ? {read_only} : {}),
            ...(Object.keys(bindRest).length === 0 ? {} : {bind: bindRest}),
            ...(volume === undefined || Object.keys(volume).length === 0 ? {} : {volume: volume as Json}),
            ...(tmpfs === undefined || Object.keys(tmpfs).length === 0 ? {} : {tmpfs}),
            ...(image === undefined || Object.keys(image).length === 0 ? {} : {image}),
          };
        }),
  lower: (value, draft, {project}) => {
    for (const volume of value) lowerVolume(volume, draft, project);
  },
  render: (value) =>
    value.map(({type, source, target: path, read_only, consistency, bind, volume, tmpfs, image}) => ({
      type,
      ...(source === undefined ? {} : {source}),
      target: path,
      ...(read_only === true ? {read_only} : {}),
      ...(consistency === undefined ? {} : {consistency}),
      ...(bind === undefined ? {} : {bind: renderBind(bind)}),
      ...(volume === undefined ? {} : {volume: renderVolume(volume)}),
      ...(tmpfs === undefined
        ? {}
        : {
            tmpfs: {
              ...(tmpfs.size === undefined ? {} : {size: String(tmpfs.size)}),
              ...(tmpfs.mode === undefined ? {} : {mode: tmpfs.mode}),
            },
          }),
      ...(image === undefined ? {} : {image}),
    })),
  change: 'recreate',
  limits: [
    items(
      'builtin',
      {
        of: 'of type npipe or cluster',
        reason: 'the built-in engine mounts paths, volumes, images and memory',
        below: '.type',
      },
      ({type}: ServiceVolume) => type === 'npipe' || type === 'cluster',
    ),
  ],
};

function renderVolume({labels, nocopy, subpath}: NonNullable<ServiceVolume['volume']>): Json {
  return {
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sortedMembers(labels)}),
    ...(nocopy === true ? {nocopy} : {}),
    ...(subpath === undefined || subpath === '' ? {} : {subpath}),
  };
}

function renderBind({selinux, propagation, create_host_path, recursive}: NonNullable<ServiceVolume['bind']>): Json {
  return {
    ...(selinux === undefined ? {} : {selinux}),
    ...(propagation === undefined ? {} : {propagation}),
    ...(create_host_path === true ? {create_host_path} : {}),
    ...(recursive === undefined ? {} : {recursive}),
  };
}

function lowerVolume(volume: ServiceVolume, {host}: Draft, project: Project): void {
  const {type, source, bind, volume: volumeOptions, tmpfs, image} = volume;
  if (type === 'bind' && bind?.selinux !== undefined) {
    // The API has no member for it in a mount: only the older text form carries the label.
    const flags = [
      volume.read_only === true ? 'ro' : 'rw',
      bind.selinux,
      ...(bind.propagation === undefined ? [] : [bind.propagation]),
    ];
    host.Binds = [...(host.Binds ?? []), `${source}:${volume.target}:${flags.join(',')}`];
    return;
  }
  const mount: Mount = {
    Type: type,
    ...(source === undefined ? {} : {Source: type === 'volume' ? volumeName(source, project) : source}),
    Target: volume.target,
    ...(volume.read_only === true ? {ReadOnly: true} : {}),
    ...(type === 'bind' ? {BindOptions: bindOptions(bind ?? {})} : {}),
    ...(type === 'volume' && volumeOptions !== undefined ? {VolumeOptions: volumeMountOptions(volumeOptions)} : {}),
    ...(tmpfs === undefined
      ? {}
      : {
          TmpfsOptions: {
            ...(tmpfs.size === undefined ? {} : {SizeBytes: tmpfs.size}),
            ...(tmpfs.mode === undefined ? {} : {Mode: tmpfs.mode}),
          },
        }),
    ...(image?.subpath === undefined ? {} : {ImageOptions: {Subpath: image.subpath}}),
    ...(type === 'cluster' ? {ClusterOptions: {}} : {}),
  };
  host.Mounts = [...(host.Mounts ?? []), mount];
}

/** A missing source is made unless the file says no (Compose specification, "volumes", long syntax). */
function bindOptions({
  propagation,
  create_host_path = true,
  recursive,
}: NonNullable<ServiceVolume['bind']>): NonNullable<Mount['BindOptions']> {
  return {
    ...(propagation === undefined ? {} : {Propagation: propagation}),
    ...(create_host_path ? {CreateMountpoint: true} : {}),
    ...(recursive === 'disabled' ? {NonRecursive: true} : {}),
    ...(recursive === 'writable' ? {ReadOnlyNonRecursive: true} : {}),
    ...(recursive === 'readonly' ? {ReadOnlyForceRecursive: true} : {}),
  };
}

function volumeMountOptions({
  nocopy,
  subpath,
  labels,
}: NonNullable<ServiceVolume['volume']>): NonNullable<Mount['VolumeOptions']> {
  return {
    ...(nocopy === true ? {NoCopy: true} : {}),
    ...(subpath === undefined ? {} : {Subpath: subpath}),
    ...(labels === undefined ? {} : {Labels: labels}),
  };
}

const tmpfs: Row<'tmpfs'> = {
  expand: oneToList,
  merge: {unique: (item) => (item.kind === 'scalar' ? String(item.value) : '')},
  read: list(
    refine(text, (value, node, context) =>
      value.startsWith('/')
        ? value
        : wrong(node, context, {
            message: `"${value}" does not begin with an absolute path`,
            hint: 'write /path or /path:size=64m',
          }),
    ),
  ),
  lower: (value, {host}) => {
    host.Tmpfs = Object.fromEntries(
      value.map((item) => {
        const [path = '', ...rest] = item.split(':');
        return [path, rest.join(':')];
      }),
    );
  },
  change: 'recreate',
};

export const volumeAttributes = {volumes, tmpfs} as const;
