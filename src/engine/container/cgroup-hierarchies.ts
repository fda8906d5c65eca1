/** Where cgroups are mounted: v1 hierarchies, the v2 one, or both (hybrid). */
export interface CgroupHierarchies {
  readonly v1: readonly CgroupV1[];
  readonly v2: {readonly mount: string} | undefined;
}

/** No process is in a cgroup of its container's: as for a user to whom none was given. */
export function hasNone({v1, v2}: CgroupHierarchies): boolean {
  return v1.length === 0 && v2 === undefined;
}

export interface CgroupV1 {
  readonly mount: string;
  /** `['cpu', 'cpuacct']`; of a named hierarchy `['name=systemd']`. */
  readonly controllers: readonly string[];
}

/** Super block options of a v1 mount that are no controllers (cgroups(7), mount(8)). */
const otherOptions: ReadonlySet<string> = new Set([
  'rw',
  'ro',
  'xattr',
  'noprefix',
  'clone_children',
  'cpuset_v2_mode',
  'favordynmods',
  'nofavordynmods',
  'all',
  'none',
  'seclabel',
]);

/** Reads /proc/self/mountinfo (proc_pid_mountinfo(5)). Of several mounts of a hierarchy the first counts. */
export function parseHierarchies(mountinfo: string): CgroupHierarchies {
  const v1: CgroupV1[] = [];
  let v2: {readonly mount: string} | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const fields = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    // A mount of a part of a hierarchy (fourth field) is somebody's bind, as inside a container.
    if ((type !== 'cgroup' && type !== 'cgroup2') || fields[3] !== '/') continue;
    const mount = decodeEscapes(fields[4] ?? '');
    if (type === 'cgroup2') {
      v2 ??= {mount};
      continue;
    }
    const controllers = options
      .split(',')
      .filter((option) => !otherOptions.has(option) && !option.startsWith('release_agent='));
    const isNew = !v1.some((known) => known.controllers.join() === controllers.join());
    if (controllers.length > 0 && isNew) v1.push({mount, controllers});
  }
  return {v1, v2};
}

/** Reads /proc/self/cgroup (cgroups(7)): mount points of the hierarchies in which the process is not at the top. */
export function parseMembership(text: string, {v1, v2}: CgroupHierarchies): ReadonlySet<string> {
  const mounts = new Set<string>();
  for (const line of text.split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === '/') continue;
    const hierarchy = controllers === '' ? v2 : v1.find((known) => known.controllers.join() === controllers);
    if (hierarchy) mounts.add(hierarchy.mount);
  }
  return mounts;
}

/** Blanks and the like are octal escapes. */
function decodeEscapes(text: string): string {
  return text.replace(/\\(\d{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
