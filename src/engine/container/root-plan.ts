import {join} from 'node:path';
import type {SetupOperation} from '../helper/operations.ts';
import type {ContainerPaths} from '../layout.ts';
import type {ImageRoot} from './context.ts';
import {defaultMounts, maskedPaths, readonlyPaths} from './default-mounts.ts';
import type {Machine} from './machine.ts';
import type {BindMount, ContainerRecord, RecordedFile, RecordedMount} from './record.ts';
import {parseTmpfsOptions} from './tmpfs-options.ts';

export interface RootPlan {
  readonly machine: Machine;
  readonly paths: ContainerPaths;
  readonly record: ContainerRecord;
  readonly image: ImageRoot;
  /** Directory of each volume, by its name. */
  readonly volumes: ReadonlyMap<string, string>;
}

/** The steps that make a container's tree of files: the root, Docker's default mounts, then what the container asks for. */
export function planRoot({machine, paths, record, image, volumes}: RootPlan): readonly SetupOperation[] {
  const {hostConfig} = record;
  return [
    {kind: 'overlay', upper: paths.upper, work: paths.work, options: '', lowers: image.lowers},
    ...image.operations,
    ...defaultMounts(machine.cgroups, hostConfig.ShmSize ?? 64 * 1024 * 1024),
    ...identityFiles(paths),
    ...nestedLast(record.mounts).map((mount) => planMount(mount, volumes)),
    ...record.files.map((file) => planFile(file, paths)),
    ...readonlyPaths.map((target): SetupOperation => ({kind: 'readonly', target})),
    ...maskedPaths.map((target): SetupOperation => ({kind: 'mask', target})),
    ...(hostConfig.ReadonlyRootfs ? [{kind: 'readonlyRoot'} as const] : []),
  ];
}

/** Written at each start; the container may change them, but only in place. */
function identityFiles(paths: ContainerPaths): readonly SetupOperation[] {
  return [
    {kind: 'bind', source: paths.resolvConf, target: '/etc/resolv.conf', flags: 'rprivate', create: 'file'},
    {kind: 'bind', source: paths.hostname, target: '/etc/hostname', flags: 'rprivate', create: 'file'},
    {kind: 'bind', source: paths.hosts, target: '/etc/hosts', flags: 'rprivate', create: 'file'},
  ];
}

/** A mount hides what was mounted beneath its place, so the outer ones come first. */
function nestedLast(mounts: readonly RecordedMount[]): readonly RecordedMount[] {
  const depth = ({target}: RecordedMount) => target.split('/').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

function planMount(mount: RecordedMount, volumes: ReadonlyMap<string, string>): SetupOperation {
  switch (mount.kind) {
    case 'bind':
      return {kind: 'bind', source: mount.source, target: mount.target, flags: bindFlags(mount), create: 'auto'};
    case 'volume':
      return {
        kind: 'bind',
        source: volumes.get(mount.name) ?? '',
        target: mount.target,
        flags: ['rec', ...(mount.readOnly ? ['ro'] : [])].join(','),
        create: 'directory',
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

function bindFlags({readOnly, recursive, propagation}: BindMount): string {
  return [...(recursive ? ['rec'] : []), ...(readOnly ? ['ro'] : []), propagation].join(',');
}

function planFile({target, stored, source, uid, gid, mode}: RecordedFile, paths: ContainerPaths): SetupOperation {
  const path = stored === undefined ? (source ?? '') : join(paths.files, stored);
  return {kind: 'file', source: path, target, mode: mode.toString(8), uid, gid};
}
