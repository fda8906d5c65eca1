import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Operation, SetupOperation} from '../helper/operations.ts';
import type {ContainerPaths} from '../layout.ts';
import {ownCgroupMounts, sharedCgroupMounts} from './cgroup-mounts.ts';
import type {CgroupPlace} from './cgroup-place.ts';
import type {ImageRoot} from './context.ts';
import {defaultMounts} from './default-mounts.ts';
import type {ContainerDevices} from './devices/gather.ts';
import {planDevices} from './devices/operations.ts';
import type {Machine} from './machine.ts';
import {planSharedMemory} from './namespace-modes.ts';
import type {Privileges} from './privileges.ts';
import type {BindMount, ContainerRecord, RecordedFile, RecordedMount} from './record.ts';
import {parseTmpfsOptions} from './tmpfs-options.ts';

export interface RootPlan {
  readonly machine: Machine;
  readonly place: CgroupPlace;
  readonly paths: ContainerPaths;
  /** Of the container whose hosts, hostname and resolv.conf it has: itself, or one whose network it shares. */
  readonly identity: ContainerPaths;
  readonly record: ContainerRecord;
  readonly privileges: Privileges;
  readonly devices: ContainerDevices;
  readonly image: ImageRoot;
  /** Directory of each volume, by its name. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Layers of each image that is mounted in it (top first), by its id. */
  readonly images: ReadonlyMap<string, readonly string[]>;
}

/** The steps that make a container's tree of files: the root, Docker's default mounts, then what the container asks for. */
export function planRoot({
  machine,
  place,
  paths,
  identity,
  record,
  privileges,
  devices,
  image,
  volumes,
  images,
}: RootPlan): readonly SetupOperation[] {
  const {hostConfig} = record;
  const taken: ReadonlySet<unknown> = new Set(record.mounts.map(({target}) => target));
  const given: ReadonlySet<unknown> = new Set(devices.nodes.map(({target}) => target));
  return [
    {
      kind: 'overlay',
      upper: paths.upper,
      work: paths.work,
      options: machine.rootless ? 'userxattr' : '',
      lowers: image.lowers,
    },
    ...image.operations,
    ...defaultMounts({
      cgroups:
        hostConfig.CgroupnsMode === 'host'
          ? sharedCgroupMounts(machine.cgroups, place, privileges.writableCgroups)
          : ownCgroupMounts(machine.cgroups, privileges.writableCgroups),
      sharedMemory: planSharedMemory(hostConfig),
      writableSys: privileges.writableSys,
      rootless: machine.rootless,
      ownNetwork: hostConfig.NetworkMode !== 'host',
    }).filter(
      (operation) =>
        !('target' in operation && replaceable.has(operation.target) && taken.has(operation.target)) &&
        !(operation.kind === 'device' && given.has(operation.target)),
    ),
    ...nestedLast(record.mounts).map((mount) => planMount(mount, {volumes, images})),
    ...planDevices(devices, record.mounts),
    ...devices.mounts,
    ...identityFiles(identity).filter(({target}) => !taken.has(target)),
    ...record.files.map((file) => planFile(file, paths)),
    ...privileges.readonlyPaths.map((target): SetupOperation => ({kind: 'readonly', target})),
    ...privileges.maskedPaths.map((target): SetupOperation => ({kind: 'mask', target})),
    ...(hostConfig.ReadonlyRootfs ? [{kind: 'readonlyRoot'} as const] : []),
  ];
}

/**
 * `sync`: files that a start puts in place are masked, so that nothing is written where it would be hidden. `archive`: they
 * are there as a start would put them, where there are any.
 */
export type StoppedRootUse = 'sync' | 'archive';

/**
 * The same tree for a container that does not run, to read and to write to: what a start would mount anew is there too,
 * empty and read-only.
 */
export function planStoppedRoot(
  {paths, record, image, volumes, images}: Omit<RootPlan, 'machine' | 'place' | 'identity' | 'privileges' | 'devices'>,
  {use, rootless}: {readonly use: StoppedRootUse; readonly rootless: boolean},
): readonly SetupOperation[] {
  const passing = (target: string): SetupOperation => ({
    kind: 'mount',
    type: 'tmpfs',
    source: 'tmpfs',
    target,
    flags: 'ro',
    data: '',
  });
  const taken: ReadonlySet<unknown> = new Set(record.mounts.map(({target}) => target));
  const identity = identityFiles(paths).filter(({target}) => !taken.has(target));
  return [
    // Volatile: else its end would wait for the whole disk. A run of the container writes no safer.
    {
      kind: 'overlay',
      upper: paths.upper,
      work: paths.workBeside,
      options: rootless ? 'volatile,userxattr' : 'volatile',
      lowers: image.lowers,
    },
    ...image.operations,
    ...['/proc', '/sys', '/dev'].map(passing),
    ...nestedLast(record.mounts).map((mount) =>
      mount.kind === 'tmpfs' ? passing(mount.target) : planMount(mount, {volumes, images}),
    ),
    ...(use === 'sync'
      ? [...identity, ...record.files].map(({target}): SetupOperation => ({kind: 'mask', target}))
      : [
          // Before the first start there are none.
          ...identity.filter(({source}) => existsSync(String(source))),
          ...record.files
            .filter(({source}) => source === undefined || existsSync(source))
            .map((file) => planFile(file, paths)),
        ]),
    ...(record.hostConfig.ReadonlyRootfs ? [{kind: 'readonlyRoot'} as const] : []),
  ];
}

/** What a start makes in the root file system itself, for its mounts: no change of the container's. */
export const machineryPaths: readonly string[] = [
  '/.dockerenv',
  '/dev',
  '/proc',
  '/sys',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/mtab',
  '/etc/resolv.conf',
];

/** Default mounts that nothing else is mounted in: one that the container brings itself takes their place. */
const replaceable: ReadonlySet<unknown> = new Set(['/dev/shm', '/dev/mqueue']);

/**
 * Written at each start; the container may change them, but only in place. After its own mounts, since a volume at /etc
 * is no reason to be without names; where one of these files is mounted over, that is what was meant.
 */
function identityFiles(paths: ContainerPaths): readonly Operation<'bind'>[] {
  const bind = (source: string, target: string): Operation<'bind'> => ({
    kind: 'bind',
    source,
    target,
    flags: 'rprivate',
    create: 'file',
  });
  return [
    bind(paths.resolvConf, '/etc/resolv.conf'),
    bind(paths.hostname, '/etc/hostname'),
    bind(paths.hosts, '/etc/hosts'),
  ];
}

/** A mount hides what was mounted beneath its place, so the outer ones come first. */
function nestedLast(mounts: readonly RecordedMount[]): readonly RecordedMount[] {
  const depth = ({target}: RecordedMount) => target.split('/').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

function planMount(mount: RecordedMount, {volumes, images}: Pick<RootPlan, 'volumes' | 'images'>): SetupOperation {
  switch (mount.kind) {
    case 'bind':
      return {kind: 'bind', source: mount.source, target: mount.target, flags: bindFlags(mount), create: 'auto'};
    case 'volume': {
      const source = volumes.get(mount.name) ?? '';
      const flags = ['rec', ...(mount.readOnly ? ['ro'] : [])].join(',');
      const {target, subpath} = mount;
      return subpath === undefined
        ? {kind: 'bind', source, target, flags, create: 'directory'}
        : {kind: 'bindBeneath', source, subpath, target, flags, create: 'auto'};
    }
    case 'image':
      return {
        kind: 'imageMount',
        target: mount.target,
        subpath: mount.subpath ?? '',
        lowers: images.get(mount.image) ?? [],
      };
    case 'tmpfs':
      return {
        kind: 'mount',
        type: 'tmpfs',
        source: 'tmpfs',
        target: mount.target,
        ...parseTmpfsOptions(mount.target, mount.options),
      };
  }
}

function bindFlags({readOnly, readOnlyReach, recursive, propagation}: BindMount): string {
  return [...(recursive ? ['rec'] : []), ...(readOnly ? [`ro${readOnlyReach ?? ''}`] : []), propagation].join(',');
}

function planFile({target, stored, source, uid, gid, mode}: RecordedFile, paths: ContainerPaths): SetupOperation {
  const path = stored === undefined ? (source ?? '') : join(paths.files, stored);
  return {kind: 'file', source: path, target, mode: mode.toString(8), uid, gid};
}
