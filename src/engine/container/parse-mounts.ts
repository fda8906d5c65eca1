import type {ContainerConfig, HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {parseTarget} from './mount-path.ts';
import {parseBind} from './parse-bind.ts';
import {parseMount} from './parse-mount.ts';
import type {BindMount, ImageMount, TmpfsMount, VolumeMount} from './record.ts';
import {parseTmpfsOptions} from './tmpfs-options.ts';

/** A volume to mount; without a name it is made for this container. */
export interface VolumeRequest {
  readonly kind: 'volume';
  readonly name?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly copy: boolean;
  readonly mode?: string;
  readonly subpath?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** A bind mount; `mustExist`: a missing source is refused at creation. */
export type BindRequest = BindMount & {readonly mustExist: boolean};

/** Another image; which one it is by its id is looked up at creation. */
export type ImageRequest = Omit<ImageMount, 'image'>;

/** A volume that is there already, as another container has it. */
export type InheritedVolume = VolumeMount & {readonly inherited: true};

/** What a container can have of another one. */
export type InheritedMount = BindRequest | InheritedVolume | ImageRequest;

export type MountRequest = BindRequest | VolumeRequest | InheritedVolume | TmpfsMount | ImageRequest;

/**
 * All mounts that a container asks for, from `Binds`, `Mounts`, `Tmpfs` and the configuration's `Volumes`. What it asks for
 * itself takes the place of what it has from others, that takes the place of the image's volumes. Throws `invalid`.
 */
export function parseMounts(
  config: ContainerConfig,
  host: HostConfig,
  inherited: readonly InheritedMount[] = [],
): readonly MountRequest[] {
  const asked = [
    ...(host.Binds ?? []).map(parseBind),
    ...(host.Mounts ?? []).map(parseMount),
    ...Object.entries(host.Tmpfs ?? {}).map(
      ([target, options]): TmpfsMount => ({kind: 'tmpfs', target: parseTarget(target), options: splitOptions(options)}),
    ),
  ];
  const targets = new Set<string>();
  for (const mount of asked) {
    if (targets.has(mount.target)) throw new TscomposeError('invalid', `Duplicate mount point: ${mount.target}`);
    targets.add(mount.target);
    if (mount.kind === 'tmpfs') parseTmpfsOptions(mount.target, mount.options);
  }
  const others = inherited.filter(({target}) => !targets.has(target));
  const taken = new Set([...targets, ...others.map(({target}) => target)]);
  const volumes = Object.keys(config.Volumes ?? {})
    .map((target) => parseTarget(target))
    .filter((target) => !taken.has(target))
    .map((target): VolumeRequest => ({kind: 'volume', target, readOnly: false, copy: true, mode: ''}));
  return [...others, ...asked, ...volumes];
}

function splitOptions(text: string): readonly string[] {
  return text.split(',').filter((option) => option !== '');
}
