import {posix} from 'node:path';
import type {HostConfig} from '../../api/types/container.ts';

/** Where a container's cgroup is, below the mount point of each hierarchy: `cgroupParent/id`. */
export interface CgroupPlace {
  readonly cgroupParent: string;
  readonly id: string;
}

/** Below the parent that the container names, from the top of the hierarchies (`..` leads out of none), else below ours. */
export function cgroupPlace(
  ours: string,
  {id, hostConfig: {CgroupParent: own}}: {readonly id: string; readonly hostConfig: HostConfig},
): CgroupPlace {
  return {cgroupParent: own ? posix.resolve('/', own).slice(1) : ours, id};
}

/** Relative to a mount point. */
export function pathOf({cgroupParent, id}: CgroupPlace): string {
  return posix.join(cgroupParent, id);
}
