import {readFile} from 'node:fs/promises';
import {type CgroupHierarchies, parseHierarchies} from './cgroup-hierarchies.ts';

/** What the running kernel offers to containers. */
export interface Machine {
  readonly cgroups: CgroupHierarchies;
  /** The highest capability the kernel knows. */
  readonly lastCapability: number;
  /** cpuset of the top of its hierarchy: a new cgroup of v1 starts with none and would take no process (cpusets(7)). */
  readonly cpuset: {readonly cpus: string; readonly mems: string} | undefined;
}

export async function readMachine(): Promise<Machine> {
  const [mountinfo, lastCapability] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/sys/kernel/cap_last_cap', 'utf8'),
  ]);
  const cgroups = parseHierarchies(mountinfo);
  const cpusetMount = cgroups.v1.find(({controllers}) => controllers.includes('cpuset'))?.mount;
  const cpuset =
    cpusetMount === undefined
      ? undefined
      : {
          cpus: (await readFile(`${cpusetMount}/cpuset.cpus`, 'utf8')).trim(),
          mems: (await readFile(`${cpusetMount}/cpuset.mems`, 'utf8')).trim(),
        };
  return {cgroups, lastCapability: Number(lastCapability), cpuset};
}
