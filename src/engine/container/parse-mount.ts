import type {Mount} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {propagations} from '../mount-options.ts';
import {checkVolumeName, cleanPath, type Explain, parseSubpath, parseTarget} from './mount-path.ts';
import type {BindRequest, ImageRequest, MountRequest, VolumeRequest} from './parse-mounts.ts';
import type {TmpfsMount} from './record.ts';

/** The long form. Throws `invalid`, and `unsupported` for a type that is for other systems. */
export function parseMount(mount: Mount): MountRequest {
  const explain: Explain = (reason) =>
    new TscomposeError('invalid', `invalid mount config for type "${mount.Type}": ${reason}`);
  const parse = Object.hasOwn(types, mount.Type) ? types[mount.Type as keyof typeof types] : undefined;
  if (parse === undefined) {
    if (!foreignTypes.includes(mount.Type)) throw explain('mount type unknown');
    throw new TscomposeError('unsupported', `this engine does not support a mount of type "${mount.Type}"`);
  }
  checkOptions(mount, explain);
  if (!mount.Target) throw explain('field Target must not be empty');
  return parse(mount, parseTarget(mount.Target, explain), explain);
}

/** Pipes of Windows, and volumes of a swarm. */
const foreignTypes: readonly string[] = ['npipe', 'cluster'];

const types = {bind: parseBindMount, volume: parseVolumeMount, tmpfs: parseTmpfsMount, image: parseImageMount};

/** Options of another type say that something else was meant. */
function checkOptions(mount: Mount, explain: Explain): void {
  for (const [type, member] of [
    ['bind', 'BindOptions'],
    ['volume', 'VolumeOptions'],
    ['tmpfs', 'TmpfsOptions'],
  ] as const) {
    if (mount.Type !== type && mount[member])
      throw new TscomposeError('invalid', `${member} must not be specified on mount type "${mount.Type}"`);
  }
  if (mount.Type !== 'image' && mount.ImageOptions) throw explain('field ImageOptions must not be specified');
}

function parseBindMount({Source, ReadOnly, BindOptions}: Mount, target: string, explain: Explain): BindRequest {
  const options = BindOptions ?? {};
  const readOnly = ReadOnly ?? false;
  if (!Source) throw explain('field Source must not be empty');
  const propagation = options.Propagation || 'rprivate';
  if (!propagations.includes(propagation)) throw explain(`invalid propagation mode: ${propagation}`);
  if (!Source.startsWith('/')) throw explain(`invalid mount path: '${Source}' mount path must be absolute`);
  const {ReadOnlyNonRecursive: top = false, ReadOnlyForceRecursive: all = false} = options;
  if (top && !readOnly) throw conflicting('!ReadOnly && BindOptions.ReadOnlyNonRecursive');
  if (all && !readOnly) throw conflicting('!ReadOnly && BindOptions.ReadOnlyForceRecursive');
  if (top && all) throw conflicting('ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive');
  const createSource = options.CreateMountpoint ?? false;
  return {
    kind: 'bind',
    source: cleanPath(Source),
    target,
    readOnly,
    propagation,
    createSource,
    recursive: !(options.NonRecursive ?? false),
    ...(top ? {readOnlyReach: 'top'} : all ? {readOnlyReach: 'all'} : {}),
    mode: '',
    mustExist: !createSource,
  };
}

function conflicting(what: string): TscomposeError {
  return new TscomposeError('invalid', `mount options conflict: ${what}`);
}

function parseVolumeMount({Source, ReadOnly, VolumeOptions}: Mount, target: string, explain: Explain): VolumeRequest {
  const {NoCopy, Labels, Subpath, DriverConfig} = VolumeOptions ?? {};
  if (!Source && ReadOnly) throw explain('must not set ReadOnly mode when using anonymous volumes');
  if (!Source && Subpath) throw explain('must not set Subpath when using anonymous volumes');
  return {
    kind: 'volume',
    ...(Source ? {name: checkVolumeName(Source)} : {}),
    target,
    readOnly: ReadOnly ?? false,
    copy: !(NoCopy ?? false),
    mode: 'z',
    ...(Subpath ? {subpath: parseSubpath(Subpath, explain)} : {}),
    ...(Labels ? {labels: Labels} : {}),
    ...(DriverConfig?.Name ? {driver: DriverConfig.Name} : {}),
    ...(DriverConfig?.Options ? {driverOptions: DriverConfig.Options} : {}),
  };
}

function parseTmpfsMount({Source, ReadOnly, TmpfsOptions}: Mount, target: string, explain: Explain): TmpfsMount {
  if (Source) throw explain('field Source must not be specified');
  const {SizeBytes, Mode, Options} = TmpfsOptions ?? {};
  const words = (Options ?? []).map(([word = '', ...values]) => {
    if (word === '' || values.length > 1) throw explain('invalid option array length');
    if (!['exec', 'noexec'].includes(word) || values.length > 0) throw explain(`invalid option: ${word}`);
    return word;
  });
  const options = [
    ...(ReadOnly ? ['ro'] : []),
    ...(SizeBytes ? [`size=${SizeBytes}`] : []),
    ...(Mode ? [`mode=${Mode.toString(8)}`] : []),
    ...words,
  ];
  return {kind: 'tmpfs', target, options, listed: true};
}

function parseImageMount({Source, ImageOptions}: Mount, target: string, explain: Explain): ImageRequest {
  if (!Source) throw explain('field Source must not be empty');
  const {Subpath} = ImageOptions ?? {};
  return {kind: 'image', source: Source, target, ...(Subpath ? {subpath: parseSubpath(Subpath, explain)} : {})};
}
