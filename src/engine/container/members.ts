import {readdirSync} from 'node:fs';
import {readKernelFile} from './stats/read.ts';

/** The first process of a container's run, and the monitor that made it. */
export interface Run {
  readonly pid: number;
  readonly monitor: number;
}

/** A process as /proc/PID/stat tells of it (proc_pid_stat(5)). */
export interface ProcessUsage {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Ticks of itself and of the children that it has waited for. */
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly threads: number;
}

/**
 * The processes of a container that has no cgroup: its first one, what was executed in it, and all that came from these.
 * Who loses its parent gets the first process of its namespace as its new one, so none gets away.
 */
export function membersOf(
  {pid, monitor}: Run,
  all: readonly ProcessUsage[] = readProcesses(),
): readonly ProcessUsage[] {
  const members = new Set([pid]);
  // The monitor's other children are its own, but for commands in the container.
  for (const one of all) if (one.parent === monitor && !one.name.startsWith('tscompose-')) members.add(one.pid);
  for (let before = 0; before !== members.size; ) {
    before = members.size;
    for (const one of all) if (members.has(one.parent)) members.add(one.pid);
  }
  return all.filter((one) => members.has(one.pid));
}

function readProcesses(): readonly ProcessUsage[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => parseStat(readKernelFile(`/proc/${name}/stat`)) ?? []);
}

/** A name may hold anything, also blanks and brackets: the last bracket ends it. Undefined for an empty text. */
export function parseStat(text: string): ProcessUsage | undefined {
  const [begin, end] = [text.indexOf('('), text.lastIndexOf(')')];
  if (begin < 0 || end < begin) return undefined;
  const fields = text.slice(end + 2).split(' ');
  const number = (position: number) => Number(fields[position - 3] ?? 0);
  return {
    pid: Number.parseInt(text, 10),
    parent: number(4),
    name: text.slice(begin + 1, end),
    userTicks: number(14) + number(16),
    systemTicks: number(15) + number(17),
    threads: number(20),
  };
}
