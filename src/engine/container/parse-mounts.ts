import {posix} from 'node:path';
import type {ContainerConfig, HostConfig, Mount} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {BindMount, TmpfsMount, VolumeMount} from './record.ts';

/** A volume to mount; without a name it is made for this container. */
export interface VolumeRequest {
  readonly kind: 'volume';
  readonly name?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly copy: boolean;
  readonly mode?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** A bind mount; `mustExist`: a missing source is refused at creation. */
export type BindRequest = BindMount & {readonly mustExist: boolean};

/** A volume that is there already, as another container has it. */
export type InheritedVolume = VolumeMount & {readonly inherited: true};

export type MountRequest = BindRequest | VolumeRequest | InheritedVolume | TmpfsMount;

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * All mounts that a container asks for, from `Binds`, `Mounts`, `Tmpfs` and the configuration's `Volumes`. What it asks for
 * itself takes the place of what it has from others, that takes the place of the image's volumes. Throws `invalid`.
 */
export function parseMounts(
  config: ContainerConfig,
  host: HostConfig,
  inherited: readonly (BindRequest | InheritedVolume)[] = [],
): readonly MountRequest[] {
  const asked = [
    ...(host.Binds ?? []).map(parseBind),
    ...(host.Mounts ?? []).map(parseMount),
    ...Object.entries(host.Tmpfs ?? {}).map(
      ([target, options]): TmpfsMount => ({kind: 'tmpfs', target: parseTarget(target), options: splitOptions(options)}),
    ),
  ];
  const targets = new Set<string>();
  for (const {target} of asked) {
    if (targets.has(target)) throw new TscomposeError('invalid', `Duplicate mount point: ${target}`);
    targets.add(target);
  }
  const others = inherited.filter(({target}) => !targets.has(target));
  const taken = new Set([...targets, ...others.map(({target}) => target)]);
  const volumes = Object.keys(config.Volumes ?? {})
    .map(parseTarget)
    .filter((target) => !taken.has(target))
    .map((target): VolumeRequest => ({kind: 'volume', target, readOnly: false, copy: true, mode: ''}));
  return [...others, ...asked, ...volumes];
}

function parseTarget(target: string): string {
  if (!target.startsWith('/'))
    throw new TscomposeError('invalid', `invalid mount path: '${target}' mount path must be absolute`);
  const path = posix.normalize(target).replace(/(?<=.)\/+$/, '');
  if (path === '/') throw new TscomposeError('invalid', `invalid mount path: destination can't be '/'`);
  return path;
}

/** `/source:/target:options`, `name:/target:options` or `/target`. */
function parseBind(text: string): BindRequest | VolumeRequest {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part, index) => part === '' && index < 2)) {
    throw new TscomposeError('invalid', `invalid volume specification: '${text}'`);
  }
  const [first = '', second, mode = ''] = parts;
  if (second === undefined) return {kind: 'volume', target: parseTarget(first), readOnly: false, copy: true, mode: ''};
  const target = parseTarget(second);
  const options = parseMode(text, mode);
  if (first.startsWith('/')) {
    if (options.noCopy) throw invalidMode(text, mode);
    return {
      kind: 'bind',
      source: posix.normalize(first).replace(/(?<=.)\/+$/, ''),
      target,
      readOnly: options.readOnly,
      propagation: options.propagation ?? 'rprivate',
      createSource: true,
      recursive: true,
      mode,
      mustExist: false,
    };
  }
  if (!volumeName.test(first)) {
    throw new TscomposeError(
      'invalid',
      `create ${first}: "${first}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (options.propagation !== undefined) throw invalidMode(text, mode);
  return {
    kind: 'volume',
    name: first,
    target,
    readOnly: options.readOnly,
    copy: !options.noCopy,
    mode: mode === '' ? 'z' : mode,
  };
}

interface BindOptions {
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation?: string;
}

function parseMode(text: string, mode: string): BindOptions {
  const seen = new Set(splitOptions(mode));
  const found = propagations.filter((name) => seen.delete(name));
  const readOnly = seen.delete('ro');
  const readWrite = seen.delete('rw');
  const noCopy = seen.delete('nocopy');
  // How Docker Desktop shared files; without meaning on Linux.
  for (const name of ['consistent', 'cached', 'delegated']) seen.delete(name);
  // SELinux labels: containers are not confined by SELinux here, so there is nothing to label.
  for (const name of ['z', 'Z']) seen.delete(name);
  if (seen.size > 0 || found.length > 1 || (readOnly && readWrite)) throw invalidMode(text, mode);
  return {readOnly, noCopy, ...(found[0] === undefined ? {} : {propagation: found[0]})};
}

function invalidMode(text: string, mode: string): TscomposeError {
  return new TscomposeError('invalid', `invalid volume specification: '${text}': invalid mode: ${mode}`);
}

function splitOptions(text: string): readonly string[] {
  return text.split(',').filter((option) => option !== '');
}

function parseMount(mount: Mount): MountRequest {
  const target = parseTarget(mount.Target);
  const readOnly = mount.ReadOnly ?? false;
  switch (mount.Type) {
    case 'bind':
      return parseBindMount(mount, target, readOnly);
    case 'volume':
      return parseVolumeMount(mount, target, readOnly);
    case 'tmpfs': {
      if (mount.Source) throw invalidMount('tmpfs', 'field Source must not be specified');
      const {SizeBytes, Mode} = mount.TmpfsOptions ?? {};
      const options = [
        ...(readOnly ? ['ro'] : []),
        ...(SizeBytes ? [`size=${SizeBytes}`] : []),
        ...(Mode ? [`mode=${Mode.toString(8)}`] : []),
      ];
      return {kind: 'tmpfs', target, options, listed: true};
    }
    default:
      throw new TscomposeError('unsupported', `this engine does not support a mount of type "${mount.Type}"`);
  }
}

function parseBindMount({Source, BindOptions = {}}: Mount, target: string, readOnly: boolean): BindRequest {
  if (!Source) throw invalidMount('bind', 'field Source must not be empty');
  if (!Source.startsWith('/'))
    throw invalidMount('bind', `invalid mount path: '${Source}' mount path must be absolute`);
  const propagation = BindOptions.Propagation || 'rprivate';
  if (!propagations.includes(propagation)) throw invalidMount('bind', `invalid propagation mode: ${propagation}`);
  const createSource = BindOptions.CreateMountpoint ?? false;
  return {
    kind: 'bind',
    source: posix.normalize(Source).replace(/(?<=.)\/+$/, ''),
    target,
    readOnly,
    propagation,
    createSource,
    recursive: !(BindOptions.NonRecursive ?? false),
    mode: '',
    mustExist: !createSource,
  };
}

function parseVolumeMount({Source, VolumeOptions = {}}: Mount, target: string, readOnly: boolean): VolumeRequest {
  const {NoCopy, Labels, DriverConfig} = VolumeOptions;
  if (Source && !volumeName.test(Source)) throw invalidMount('volume', `"${Source}" is not a volume name`);
  return {
    kind: 'volume',
    ...(Source ? {name: Source} : {}),
    target,
    readOnly,
    copy: !(NoCopy ?? false),
    mode: 'z',
    ...(Labels ? {labels: Labels} : {}),
    ...(DriverConfig?.Name ? {driver: DriverConfig.Name} : {}),
    ...(DriverConfig?.Options ? {driverOptions: DriverConfig.Options} : {}),
  };
}

function invalidMount(type: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `invalid mount config for type "${type}": ${reason}`);
}
