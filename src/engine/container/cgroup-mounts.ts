import {join} from 'node:path';
import type {SetupOperation} from '../helper/operations.ts';
import type {CgroupHierarchies, CgroupV1} from './cgroup-hierarchies.ts';
import type {CgroupPlace} from './cgroup-place.ts';

const flagsOf = (writable: boolean): string => `nosuid,noexec,nodev${writable ? '' : ',ro'}`;

/** What a container has at /sys/fs/cgroup: from its own cgroup namespace each hierarchy begins at its own cgroup. */
export function ownCgroupMounts({v1, v2}: CgroupHierarchies, writable: boolean): readonly SetupOperation[] {
  const flags = flagsOf(writable);
  if (v1.length === 0) return v2 ? [wholeV2(flags)] : [];
  return underTmpfs(v1, ({controllers}, target) => {
    const [first = ''] = controllers;
    const data = first.startsWith('name=') ? `none,${first}` : controllers.join(',');
    return {kind: 'mount', type: 'cgroup', source: 'cgroup', target, flags, data};
  });
}

/** The same in the machine's cgroup namespace: of version 1 its own cgroups, of version 2 the whole tree, as in Docker. */
export function sharedCgroupMounts(
  {v1, v2}: CgroupHierarchies,
  {cgroupParent, id}: CgroupPlace,
  writable: boolean,
): readonly SetupOperation[] {
  const flags = flagsOf(writable);
  if (v1.length === 0) return v2 ? [wholeV2(flags)] : [];
  return underTmpfs(v1, ({mount}, target) => ({
    kind: 'bind',
    source: join(mount, cgroupParent, id),
    target,
    flags,
    create: 'directory',
  }));
}

const wholeV2 = (flags: string): SetupOperation => ({
  kind: 'mount',
  type: 'cgroup2',
  source: 'cgroup',
  target: '/sys/fs/cgroup',
  flags,
  data: '',
});

/** A directory for each hierarchy, and a link for each controller of those that have several. */
function underTmpfs(
  v1: readonly CgroupV1[],
  mountAt: (hierarchy: CgroupV1, target: string) => SetupOperation,
): readonly SetupOperation[] {
  const tmpfs: SetupOperation = {
    kind: 'mount',
    type: 'tmpfs',
    source: 'tmpfs',
    target: '/sys/fs/cgroup',
    flags: 'nosuid,noexec,nodev',
    data: 'mode=755',
  };
  return [
    tmpfs,
    ...v1.flatMap((hierarchy) => {
      const {controllers} = hierarchy;
      const [first = ''] = controllers;
      const name = first.startsWith('name=') ? first.slice(5) : controllers.join(',');
      const links =
        controllers.length > 1
          ? controllers.map(
              (controller): SetupOperation => ({
                kind: 'symlink',
                value: name,
                target: `/sys/fs/cgroup/${controller}`,
              }),
            )
          : [];
      return [mountAt(hierarchy, `/sys/fs/cgroup/${name}`), ...links];
    }),
  ];
}
