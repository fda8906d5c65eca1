import type {SetupOperation} from '../helper/operations.ts';
import type {RootlessMachine} from '../rootless/machine.ts';

export interface MountOptions {
  /** What is at /sys/fs/cgroup. */
  readonly cgroups: readonly SetupOperation[];
  /** What is at /dev/shm. */
  readonly sharedMemory: readonly SetupOperation[];
  readonly writableSys: boolean;
  /** What a user namespace has, where the engine runs without root. */
  readonly rootless: RootlessMachine | undefined;
  /** A network namespace that is not the machine's. */
  readonly ownNetwork: boolean;
}

/** The file systems every container has, as Docker mounts them. */
export function defaultMounts({
  cgroups,
  sharedMemory,
  writableSys,
  rootless,
  ownNetwork,
}: MountOptions): readonly SetupOperation[] {
  const mount = (type: string, source: string, target: string, flags: string, data = ''): SetupOperation => ({
    kind: 'mount',
    type,
    source,
    target,
    flags,
    data,
  });
  return [
    mount('proc', 'proc', '/proc', 'nosuid,noexec,nodev'),
    mount('tmpfs', 'tmpfs', '/dev', 'nosuid,strictatime', 'mode=755,size=65536k'),
    mount(
      'devpts',
      'devpts',
      '/dev/pts',
      'nosuid,noexec',
      `newinstance,ptmxmode=0666,mode=0620${hasTerminalGroup(rootless) ? ',gid=5' : ''}`,
    ),
    rootless && !ownNetwork
      ? machineSys
      : mount('sysfs', 'sysfs', '/sys', `nosuid,noexec,nodev${writableSys ? '' : ',ro'}`),
    ...cgroups,
    mount('mqueue', 'mqueue', '/dev/mqueue', 'nosuid,noexec,nodev'),
    ...sharedMemory,
    ...devices,
    ...links,
  ];
}

/** The group of terminals (tty) is 5 everywhere; a user namespace may not have it. */
function hasTerminalGroup(rootless: RootlessMachine | undefined): boolean {
  return rootless === undefined || rootless.groups > terminalGroup;
}

const terminalGroup = 5;

/** The kernel shows a sysfs of its own only to whoever owns the network namespace. */
const machineSys: SetupOperation = {kind: 'bind', source: '/sys', target: '/sys', flags: 'rec,ro', create: 'directory'};

const devices: readonly SetupOperation[] = (
  [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const
).map(([name, major, minor]) => ({
  kind: 'device',
  target: `/dev/${name}`,
  type: 'c',
  major,
  minor,
  mode: '666',
  uid: 0,
  gid: 0,
  source: `/dev/${name}`,
}));

const links: readonly SetupOperation[] = [
  {kind: 'symlink', value: '/proc/self/fd', target: '/dev/fd'},
  {kind: 'symlink', value: '/proc/self/fd/0', target: '/dev/stdin'},
  {kind: 'symlink', value: '/proc/self/fd/1', target: '/dev/stdout'},
  {kind: 'symlink', value: '/proc/self/fd/2', target: '/dev/stderr'},
  {kind: 'symlink', value: 'pts/ptmx', target: '/dev/ptmx'},
  // Programs that ask what is mounted still look here (mount(8)).
  {kind: 'symlink', value: '/proc/mounts', target: '/etc/mtab'},
];

/** What of the kernel's interfaces a container may not see, and not change: Docker's lists. */
export const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
] as const;

export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const;
