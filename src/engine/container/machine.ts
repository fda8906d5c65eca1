import {release} from 'node:os';
import {readFile} from '../at-once.ts';
import type {RootlessMachine} from '../rootless/machine.ts';
import {type CgroupHierarchies, parseHierarchies, parseMembership} from './cgroup-hierarchies.ts';
import {delegatedCgroups} from './delegated-cgroups.ts';
import {type LimitSupport, readLimitSupport} from './limit-support.ts';
import type {KernelVersion} from './seccomp/profile.ts';

/** What the running kernel offers to containers. */
export interface Machine {
  readonly cgroups: CgroupHierarchies;
  /** Mount points of the hierarchies in which this process is in somebody's cgroup, and not at the top. */
  readonly ownCgroups: ReadonlySet<string>;
  readonly limits: LimitSupport;
  /** The highest capability the kernel knows. */
  readonly lastCapability: number;
  readonly kernel: KernelVersion;
  /** Absent: the engine runs as root. */
  readonly rootless?: RootlessMachine | undefined;
}

/** `rootless`: the engine is that of an ordinary user, and has the cgroups that it was given. */
export async function readMachine(rootless?: RootlessMachine): Promise<Machine> {
  const [mountinfo, membership, lastCapability] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/self/cgroup', 'utf8'),
    readFile('/proc/sys/kernel/cap_last_cap', 'utf8'),
  ]);
  const whole = parseHierarchies(mountinfo);
  const cgroups = rootless ? await delegatedCgroups(whole, membership, rootless.userId) : whole;
  const [major = 0, minor = 0] = release()
    .split('.', 2)
    .map((part) => Number.parseInt(part, 10));
  return {
    cgroups,
    ownCgroups: parseMembership(membership, cgroups),
    limits: readLimitSupport(cgroups),
    lastCapability: Number(lastCapability),
    kernel: [major, minor],
    ...(rootless ? {rootless} : {}),
  };
}
