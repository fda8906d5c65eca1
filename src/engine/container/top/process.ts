import {readKernelFile} from '../stats/read.ts';

/** A process as /proc tells of it (proc_pid_stat(5), proc_pid_status(5)). Numbers are the machine's, not the container's. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Name of the program's file, 15 characters at most. */
  readonly name: string;
  /** Empty for one that ended, and for threads of the kernel. */
  readonly words: readonly string[];
  /** `R`, `S`, `D`, `Z`, `T`, … */
  readonly state: string;
  /** Device number, 0 for none. */
  readonly terminal: number;
  /** Of its terminal: the process group in front. */
  readonly foreground: number;
  readonly nice: number;
  readonly threads: number;
  readonly userId: number;
  readonly groupId: number;
  /** Processor time, seconds. */
  readonly usedSeconds: number;
  /** Unix seconds. */
  readonly startedAt: number;
  /** KiB. */
  readonly virtualSize: number;
  readonly residentSize: number;
  readonly lockedSize: number;
}

/** User ticks a second (USER_HZ). */
const ticksPerSecond = 100;

/** Undefined for a process that has ended meanwhile. `bootedAt`: unix seconds. */
export function readProcess(pid: number, bootedAt: number): ProcessFacts | undefined {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  const status = readKernelFile(`/proc/${pid}/status`);
  const nameEnd = stat.lastIndexOf(')');
  if (nameEnd < 0 || status === '') return undefined;
  // From the third field on: the second, a name, may hold blanks and parentheses.
  const fields = stat.slice(nameEnd + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  const own = (key: string, column = 0) =>
    Number(new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/)[column] ?? 0);
  return {
    pid,
    parent: field(4),
    group: field(5),
    session: field(6),
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    words: readKernelFile(`/proc/${pid}/cmdline`).replace(/\0+$/, '').split('\0').filter(isNotAlone),
    state: fields[0] ?? '?',
    terminal: field(7),
    foreground: field(8),
    nice: field(19),
    threads: field(20),
    userId: own('Uid', 1),
    groupId: own('Gid', 1),
    usedSeconds: (field(14) + field(15)) / ticksPerSecond,
    startedAt: bootedAt + field(22) / ticksPerSecond,
    virtualSize: own('VmSize'),
    residentSize: own('VmRSS'),
    lockedSize: own('VmLck'),
  };
}

/** Splitting nothing gives one empty word. */
function isNotAlone(word: string, _index: number, words: readonly string[]): boolean {
  return words.length > 1 || word !== '';
}
