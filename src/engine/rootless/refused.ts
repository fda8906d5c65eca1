import {readFile} from 'node:fs/promises';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {CgroupHierarchies} from '../container/cgroup-hierarchies.ts';
import type {RootlessMachine} from './machine.ts';

/** What an ordinary user's engine has to work with. */
export interface RootlessMeans {
  readonly cgroups: CgroupHierarchies;
  /** Text of /proc/self/limits. */
  readonly ownLimits: string;
  /** Of this process: nobody may go below it without root. */
  readonly ownOomScore: number;
}

/** Refuses by name what only root may do. Throws `unsupported`. */
export function refuseWithoutRoot(host: HostConfig, means: RootlessMeans): void {
  const hasCgroups = means.cgroups.v2 !== undefined;
  // 0 says nothing: then it is that of this process.
  const score = host.OomScoreAdj || means.ownOomScore;
  if (score < means.ownOomScore)
    throw refused('OomScoreAdj', `it may not be below that of this process (${means.ownOomScore})`, 'leave it out');
  if (host.CgroupParent && !hasCgroups)
    throw refused('CgroupParent', 'this user was given no cgroup', 'run "tscompose doctor" to see how to get one');
  // Its other processes would be left when the first one ends.
  const mode = host.PidMode ?? '';
  if ((mode === 'host' || mode.startsWith('container:')) && !hasCgroups)
    throw refused(
      `PidMode "${mode}"`,
      "without a cgroup nothing tells which processes are the container's",
      'run "tscompose doctor" to see how to get one',
    );
  for (const {Name, Hard} of host.Ulimits ?? []) {
    const most = hardLimit(means.ownLimits, Name);
    if (most !== undefined && (Hard < 0 || Hard > most))
      throw refused('Ulimits', `"${Name}" may be ${most} at most, the limit of this user`, 'ask for less');
  }
}

export async function readMeans(cgroups: CgroupHierarchies, {oomScore}: RootlessMachine): Promise<RootlessMeans> {
  return {cgroups, ownLimits: await readFile('/proc/self/limits', 'utf8'), ownOomScore: oomScore};
}

function refused(what: string, reason: string, hint: string): TscomposeError {
  return new TscomposeError('unsupported', `cannot set HostConfig.${what} without root: ${reason}`, {hint});
}

/** First words of the lines of /proc/self/limits, by the names that ulimits have. */
const titles: Readonly<Record<string, string>> = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

/** Undefined: none. */
function hardLimit(limits: string, name: string): number | undefined {
  const title = titles[name.toLowerCase()];
  const line = title === undefined ? undefined : limits.split('\n').find((text) => text.startsWith(title));
  const [, hard] = /^\S+\s+(\S+)/.exec(line?.slice(title?.length).trim() ?? '') ?? [];
  return hard === undefined || hard === 'unlimited' ? undefined : Number(hard);
}
