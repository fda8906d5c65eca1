import {anonymousVolumeLabel, composeLabels} from '../api/labels.ts';
import type {ContainerCreateBody, Mount} from '../api/types/container.ts';
import type {ObservedImage, ObservedMount} from '../plan/observed.ts';

interface AnonymousVolumes {
  readonly project: string;
  readonly image: ObservedImage | undefined;
  /** Mounts of the container that the new one replaces. */
  readonly inherited: readonly ObservedMount[];
}

/**
 * The request with its volumes without a name spelled out: those the image declares, and those the stack file asks for
 * without a source. Each gets the volume that the replaced container has at its place, or a new one with the project's
 * label, by which it is found when the project's volumes are removed, whatever became of its container.
 */
export function withAnonymousVolumes(
  body: ContainerCreateBody,
  {project, image, inherited}: AnonymousVolumes,
): ContainerCreateBody {
  const {Mounts, Binds, Tmpfs} = body.HostConfig ?? {};
  const stated = Mounts ?? [];
  const covered = new Set([
    ...stated.map(({Target}) => Target),
    ...(Binds ?? []).map((bind) => bind.split(':')[1] ?? bind),
    ...Object.keys(Tmpfs ?? {}),
  ]);
  const declared = Object.keys({...image?.config.Volumes, ...body.Volumes})
    .filter((target) => !covered.has(target))
    .map((Target): Mount => ({Type: 'volume', Target}));
  const mounts = [...stated, ...declared];
  if (!mounts.some(isAnonymous)) return body;
  const labels = {[composeLabels.project]: project, [anonymousVolumeLabel]: 'true'};
  const named = mounts.map((mount): Mount => {
    if (!isAnonymous(mount)) return mount;
    const name = inherited.find(({type, target}) => type === 'volume' && target === mount.Target)?.name;
    if (name !== undefined) return {...mount, Source: name};
    return {...mount, VolumeOptions: {...mount.VolumeOptions, Labels: {...mount.VolumeOptions?.Labels, ...labels}}};
  });
  return {...body, HostConfig: {...body.HostConfig, Mounts: named}};
}

function isAnonymous({Type, Source}: Mount): boolean {
  return Type === 'volume' && Source === undefined;
}
