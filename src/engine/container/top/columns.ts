import type {ProcessFacts} from './process.ts';

/** What columns need beside a process. */
export interface Surroundings {
  /** Unix seconds. */
  readonly now: number;
  /** KiB. */
  readonly machineMemory: number;
  /** Names of the machine's users: a container's own are not known outside. */
  readonly users: ReadonlyMap<number, string>;
}

interface Column {
  readonly title: string;
  cell(process: ProcessFacts, surroundings: Surroundings): string;
}

const user: Column['cell'] = ({userId}, {users}) => shortName(users.get(userId) ?? String(userId));
const words: Column['cell'] = ({words, name, state}) =>
  state === 'Z' ? `[${name}] <defunct>` : words.length === 0 ? `[${name}]` : printable(words.join(' '));
const name: Column['cell'] = (process) => `${printable(process.name)}${process.state === 'Z' ? ' <defunct>' : ''}`;
const elapsed = ({startedAt}: ProcessFacts, {now}: Surroundings) => Math.max(0, Math.floor(now - startedAt));
const percentCpu: Column['cell'] = (process, surroundings) => {
  const seconds = elapsed(process, surroundings);
  return (seconds === 0 ? 0 : Math.min((process.usedSeconds * 100) / seconds, 999)).toFixed(1);
};
const percentMemory: Column['cell'] = ({residentSize}, {machineMemory}) =>
  (machineMemory === 0 ? 0 : (residentSize * 100) / machineMemory).toFixed(1);
const started: Column['cell'] = ({startedAt}, {now}) => startText(new Date(startedAt * 1000), new Date(now * 1000));
const time: Column['cell'] = ({usedSeconds}) => clockText(Math.floor(usedSeconds), true);
const terminal: Column['cell'] = (process) => terminalName(process.terminal);
const state: Column['cell'] = (process) => stateText(process);

/** Columns of ps(1) by the name that `-o` takes, with the titles of procps. */
export const columns = {
  pid: {title: 'PID', cell: ({pid}) => String(pid)},
  ppid: {title: 'PPID', cell: ({parent}) => String(parent)},
  pgid: {title: 'PGID', cell: ({group}) => String(group)},
  sid: {title: 'SID', cell: ({session}) => String(session)},
  user: {title: 'USER', cell: user},
  euser: {title: 'EUSER', cell: user},
  uid: {title: 'UID', cell: ({userId}) => String(userId)},
  gid: {title: 'GID', cell: ({groupId}) => String(groupId)},
  comm: {title: 'COMMAND', cell: name},
  args: {title: 'COMMAND', cell: words},
  cmd: {title: 'CMD', cell: words},
  command: {title: 'COMMAND', cell: words},
  c: {title: 'C', cell: (...all) => String(Math.min(99, Math.floor(Number(percentCpu(...all)))))},
  pcpu: {title: '%CPU', cell: percentCpu},
  '%cpu': {title: '%CPU', cell: percentCpu},
  pmem: {title: '%MEM', cell: percentMemory},
  '%mem': {title: '%MEM', cell: percentMemory},
  vsz: {title: 'VSZ', cell: ({virtualSize}) => String(virtualSize)},
  rss: {title: 'RSS', cell: ({residentSize}) => String(residentSize)},
  s: {title: 'S', cell: (process) => process.state},
  stat: {title: 'STAT', cell: state},
  state: {title: 'S', cell: (process) => process.state},
  ni: {title: 'NI', cell: ({nice}) => String(nice)},
  nice: {title: 'NI', cell: ({nice}) => String(nice)},
  nlwp: {title: 'NLWP', cell: ({threads}) => String(threads)},
  thcount: {title: 'THCNT', cell: ({threads}) => String(threads)},
  tty: {title: 'TT', cell: terminal},
  tname: {title: 'TTY', cell: terminal},
  stime: {title: 'STIME', cell: started},
  start_time: {title: 'START', cell: started},
  time: {title: 'TIME', cell: time},
  cputime: {title: 'TIME', cell: time},
  bsdtime: {
    title: 'TIME',
    cell: ({usedSeconds}) => `${Math.floor(usedSeconds / 60)}:${two(Math.floor(usedSeconds) % 60)}`,
  },
  etime: {title: 'ELAPSED', cell: (...all) => clockText(elapsed(...all), false)},
  etimes: {title: 'ELAPSED', cell: (...all) => String(elapsed(...all))},
} as const satisfies Readonly<Record<string, Column>>;

export type ColumnName = keyof typeof columns;

/** A column of eight characters in ps: a longer name ends in `+`. */
function shortName(text: string): string {
  return text.length > 8 ? `${text.slice(0, 7)}+` : text;
}

/** A command is one line, whatever is in it. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** `[days-]hours:minutes:seconds`; the hours may be left out. */
function clockText(seconds: number, hoursAlways: boolean): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const withHours = days > 0 || hours > 0 || hoursAlways ? `${two(hours)}:${rest}` : rest;
  return days > 0 ? `${days}-${withHours}` : withHours;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The time of day for today, else the day, else the year. */
function startText(start: Date, now: Date): string {
  if (start.getFullYear() !== now.getFullYear()) return String(start.getFullYear());
  const today = start.getMonth() === now.getMonth() && start.getDate() === now.getDate();
  if (today) return `${two(start.getHours())}:${two(start.getMinutes())}`;
  return `${months[start.getMonth()]}${two(start.getDate())}`;
}

/** Device numbers as the kernel encodes them for programs (makedev(3)); 136 and on are pseudo terminals (devices.txt). */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '?';
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return '?';
}

function stateText({state, nice, lockedSize, session, pid, threads, foreground, group}: ProcessFacts): string {
  const marks = [
    nice < 0 ? '<' : nice > 0 ? 'N' : '',
    lockedSize > 0 ? 'L' : '',
    session === pid ? 's' : '',
    threads > 1 ? 'l' : '',
    foreground === group ? '+' : '',
  ];
  return `${state}${marks.join('')}`;
}
