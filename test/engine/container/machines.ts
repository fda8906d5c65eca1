import {type CgroupHierarchies, parseHierarchies} from '../../../src/engine/container/cgroup-hierarchies.ts';
import type {Machine} from '../../../src/engine/container/machine.ts';

export const v1Mounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/my\\040memory rw,relatime shared:7 - cgroup cgroup rw,memory
35 31 0:32 /docker/x /somewhere rw - cgroup cgroup rw,pids
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,xattr,devices
37 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
38 31 0:34 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
39 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
`;
export const v2Mount = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n';

const v1Files = [
  'memory.swappiness',
  'memory.oom_control',
  'cpu.rt_runtime_us',
  'blkio.bfq.io_service_bytes',
  'blkio.throttle.read_bps_device',
];

/** A machine with the given mounts; in version 2, unless stated, with every controller. */
export function machineOf(
  mountinfo: string,
  {
    controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'],
    files = v1Files,
    own = [],
  }: {
    readonly controllers?: readonly string[];
    readonly files?: readonly string[];
    readonly own?: readonly string[];
  } = {},
): Machine {
  const cgroups: CgroupHierarchies = parseHierarchies(mountinfo);
  return {
    cgroups,
    ownCgroups: new Set(own),
    limits: {controllers: new Set(controllers), files: new Set(files), cpus: '0-3,6', mems: '0', processors: 5},
    lastCapability: 40,
    kernel: [6, 1],
  };
}

export const machines = {
  v1: machineOf(v1Mounts),
  v2: machineOf(v2Mount, {files: ['cgroup.procs', 'io.cost.qos']}),
  v2WithoutCost: machineOf(v2Mount, {files: ['cgroup.procs']}),
  hybrid: machineOf(v1Mounts + v2Mount, {controllers: ['hugetlb']}),
} as const;
