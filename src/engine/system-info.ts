import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {cpus, totalmem} from 'node:os';
import {join} from 'node:path';
import {logDrivers} from '../api/log-drivers.ts';
import type {SystemInfo} from '../api/types/system.ts';
import {cdiDirectories} from './container/devices/cdi/registry.ts';
import {type Machine, readMachine} from './container/machine.ts';
import {readSecurityModules} from './container/security-modules.ts';
import type {Containers, Images} from './engine.ts';
import type {Layout} from './layout.ts';
import {readText} from './record-store.ts';

export interface InfoContext {
  /** Of the program. */
  readonly version: string;
  readonly layout: Layout;
  readonly containers: Pick<Containers, 'list'>;
  readonly images: Pick<Images, 'list'>;
  readonly now: () => number;
  /** As Node names it. */
  readonly architecture: string;
  readonly hostName: string;
}

/** As uname(1) names them. */
const machineNames: Readonly<Record<string, string>> = {x64: 'x86_64', arm64: 'aarch64'};

export async function describeSystem(context: InfoContext): Promise<SystemInfo> {
  const {version, layout, now, architecture, hostName} = context;
  const [machine, counts, images, system, kernel, forwarding, descriptors] = await Promise.all([
    readMachine(),
    countContainers(context),
    context.images.list(),
    readSystemName(),
    readFile('/proc/sys/kernel/osrelease', 'utf8'),
    readText('/proc/sys/net/ipv4/ip_forward'),
    readdir('/proc/self/fd'),
  ]);
  return {
    ID: idOf(layout.root),
    ...counts,
    Images: images.length,
    Driver: 'overlay2',
    DriverStatus: [['Supports d_type', 'true']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: logDrivers,
    },
    ...(await limitsOf(machine)),
    IPv4Forwarding: forwarding?.trim() === '1',
    Debug: false,
    NFd: descriptors.length,
    NGoroutines: 0,
    NEventsListener: 0,
    SystemTime: new Date(now()).toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: machine.cgroups.v1.length > 0 ? '1' : '2',
    KernelVersion: kernel.trim(),
    ...system,
    OSType: 'linux',
    Architecture: machineNames[architecture] ?? architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {IndexConfigs: {}, InsecureRegistryCIDRs: [], Mirrors: null},
    NCPU: cpus().length,
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: layout.root,
    ...{HttpProxy: '', HttpsProxy: '', NoProxy: ''},
    Name: hostName,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: {tscompose: {path: 'tscompose-helper'}},
    DefaultRuntime: 'tscompose',
    Swarm: {
      ...{NodeID: '', NodeAddr: '', LocalNodeState: 'inactive'},
      ...{ControlAvailable: false, Error: '', RemoteManagers: null},
    },
    // There is no daemon that containers could depend on.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'tscompose-helper',
    ...{ContainerdCommit: {ID: ''}, RuncCommit: {ID: ''}, InitCommit: {ID: ''}},
    SecurityOptions: [
      ...(readSecurityModules().apparmor ? ['name=apparmor'] : []),
      'name=seccomp,profile=builtin',
      'name=cgroupns',
    ],
    CDISpecDirs: cdiDirectories,
    Warnings: null,
  };
}

/** The same for as long as the root stays where it is. */
function idOf(root: string): string {
  const hex = createHash('sha256').update(root).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

async function countContainers({
  containers,
}: InfoContext): Promise<
  Pick<SystemInfo, 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped'>
> {
  const states = (await containers.list({all: true})).map(({State}) => State);
  const paused = states.filter((state) => state === 'paused').length;
  const running = states.filter((state) => state === 'running' || state === 'restarting').length;
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
  };
}

type Limits = Pick<
  SystemInfo,
  'MemoryLimit' | 'SwapLimit' | 'CpuCfsPeriod' | 'CpuCfsQuota' | 'CPUShares' | 'CPUSet' | 'PidsLimit' | 'OomKillDisable'
>;

/** What the machine's controllers can limit. */
async function limitsOf({cgroups: {v1, v2}}: Machine): Promise<Limits> {
  const unified = v2 === undefined ? '' : ((await readText(join(v2.mount, 'cgroup.controllers'))) ?? '');
  const controllers = new Set([...v1.flatMap((hierarchy) => hierarchy.controllers), ...unified.trim().split(' ')]);
  const memory = v1.find((hierarchy) => hierarchy.controllers.includes('memory'))?.mount;
  const has = async (file: string) => memory !== undefined && (await readText(join(memory, file))) !== undefined;
  const onVersion2 = v1.length === 0;
  return {
    MemoryLimit: controllers.has('memory'),
    SwapLimit: onVersion2 ? controllers.has('memory') : await has('memory.memsw.limit_in_bytes'),
    CpuCfsPeriod: controllers.has('cpu'),
    CpuCfsQuota: controllers.has('cpu'),
    CPUShares: controllers.has('cpu'),
    CPUSet: controllers.has('cpuset'),
    PidsLimit: controllers.has('pids'),
    OomKillDisable: await has('memory.oom_control'),
  };
}

/** os-release(5). */
async function readSystemName(): Promise<Pick<SystemInfo, 'OperatingSystem' | 'OSVersion'>> {
  const text = (await readText('/etc/os-release')) ?? (await readText('/usr/lib/os-release')) ?? '';
  const value = (key: string) => new RegExp(`^${key}=["']?(.*?)["']?$`, 'm').exec(text)?.[1] ?? '';
  return {OperatingSystem: value('PRETTY_NAME') || 'Linux', OSVersion: value('VERSION_ID')};
}
