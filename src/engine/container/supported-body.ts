import type {
  ContainerConfig,
  ContainerCreateBody,
  EndpointSettings,
  HostConfig,
  Mount,
} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/** Members that are carried out. A row for each member of the types: a new one that nobody handles does not compile. */
const configMembers = {
  Hostname: true,
  Domainname: true,
  User: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  ExposedPorts: true,
  Tty: true,
  OpenStdin: true,
  StdinOnce: true,
  Env: true,
  Cmd: true,
  Healthcheck: true,
  Image: true,
  Volumes: true,
  WorkingDir: true,
  Entrypoint: true,
  Labels: true,
  StopSignal: true,
  StopTimeout: true,
  MacAddress: false,
} as const satisfies {readonly [K in keyof ContainerConfig]-?: boolean};

const hostConfigMembers = {
  Binds: true,
  Mounts: true,
  Links: true,
  LogConfig: true,
  NetworkMode: true,
  PortBindings: true,
  PublishAllPorts: true,
  RestartPolicy: true,
  AutoRemove: true,
  CapAdd: true,
  CapDrop: true,
  Dns: true,
  DnsOptions: true,
  DnsSearch: true,
  ExtraHosts: true,
  GroupAdd: true,
  Init: true,
  ReadonlyRootfs: true,
  SecurityOpt: true,
  Tmpfs: true,
  ShmSize: true,
  Sysctls: true,
  Ulimits: true,
  Memory: true,
  MemoryReservation: true,
  MemorySwap: true,
  NanoCpus: true,
  CpuShares: true,
  CpuPeriod: true,
  CpuQuota: true,
  PidsLimit: true,
  OomScoreAdj: true,
  Privileged: true,
  MaskedPaths: true,
  ReadonlyPaths: true,
  Annotations: true,
  BlkioWeight: true,
  BlkioWeightDevice: true,
  BlkioDeviceReadBps: true,
  BlkioDeviceReadIOps: true,
  BlkioDeviceWriteBps: true,
  BlkioDeviceWriteIOps: true,
  CgroupParent: true,
  CgroupnsMode: true,
  CpuCount: false,
  CpuPercent: false,
  CpuRealtimePeriod: true,
  CpuRealtimeRuntime: true,
  CpusetCpus: true,
  CpusetMems: true,
  DeviceCgroupRules: true,
  DeviceRequests: true,
  Devices: true,
  IpcMode: true,
  Isolation: false,
  MemorySwappiness: true,
  OomKillDisable: true,
  PidMode: true,
  Runtime: false,
  StorageOpt: false,
  UTSMode: true,
  UsernsMode: true,
  VolumesFrom: true,
  TscomposeFiles: true,
  TscomposeAllowMissingLimits: true,
} as const satisfies {readonly [K in keyof HostConfig]-?: boolean};

/** Values that only state what happens anyway. */
const harmless: Readonly<Record<string, readonly unknown[]>> = {
  ConsoleSize: [],
  ContainerIDFile: [],
  Isolation: ['default'],
  Runtime: ['tscompose'],
  VolumeDriver: ['local'],
};

/** What the terminal of a client is like, or where it keeps an id, is nothing to an engine. */
const ignored: ReadonlySet<string> = new Set(['ConsoleSize', 'ContainerIDFile']);

const bodyMembers: ReadonlySet<string> = new Set([
  ...Object.entries(configMembers).flatMap(([name, isSupported]) => (isSupported ? [name] : [])),
  'HostConfig',
  'NetworkingConfig',
  'name',
  'platform',
]);
const mountMembers = [
  'Type',
  'Source',
  'Target',
  'ReadOnly',
  'BindOptions',
  'VolumeOptions',
  'TmpfsOptions',
  'ImageOptions',
  'ClusterOptions',
  'Consistency',
];
const endpointMembers = [
  'IPAMConfig',
  'Links',
  'Aliases',
  'MacAddress',
  'DriverOpts',
  'GwPriority',
  'NetworkID',
  'EndpointID',
  'Gateway',
  'IPAddress',
  'IPPrefixLen',
  'IPv6Gateway',
  'GlobalIPv6Address',
  'GlobalIPv6PrefixLen',
  'DNSNames',
];

/** Refuses by name whatever a create body asks for and this engine does not do: nothing is ever left out silently. Throws `unsupported`. */
export function refuseUnsupported(body: ContainerCreateBody): void {
  refuseOthers(body, '', (key) => bodyMembers.has(key));
  const host = body.HostConfig ?? {};
  refuseOthers(
    host,
    'HostConfig.',
    (key) => Object.hasOwn(hostConfigMembers, key) && hostConfigMembers[key as keyof typeof hostConfigMembers],
  );
  for (const mount of host.Mounts ?? []) refuseMount(mount);
  refuseOthers(body.NetworkingConfig ?? {}, 'NetworkingConfig.', (key) => key === 'EndpointsConfig');
  for (const [network, endpoint] of Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {})) {
    refuseUnsupportedEndpoint(endpoint ?? {}, network);
  }
}

export function refuseUnsupportedEndpoint(endpoint: EndpointSettings, network: string): void {
  refuseOthers(endpoint, `NetworkingConfig.EndpointsConfig.${network}.`, (key) => endpointMembers.includes(key));
}

function refuseMount(mount: Mount): void {
  const where = `HostConfig.Mounts of ${mount.Target}: `;
  refuseOthers(mount, where, (key) => mountMembers.includes(key));
  refuseOthers(mount.BindOptions ?? {}, `${where}BindOptions.`, (key) =>
    ['Propagation', 'CreateMountpoint', 'NonRecursive', 'ReadOnlyNonRecursive', 'ReadOnlyForceRecursive'].includes(key),
  );
  refuseOthers(mount.VolumeOptions ?? {}, `${where}VolumeOptions.`, (key) =>
    ['NoCopy', 'Labels', 'Subpath', 'DriverConfig'].includes(key),
  );
  refuseOthers(mount.TmpfsOptions ?? {}, `${where}TmpfsOptions.`, (key) =>
    ['SizeBytes', 'Mode', 'Options'].includes(key),
  );
  refuseOthers(mount.ImageOptions ?? {}, `${where}ImageOptions.`, (key) => key === 'Subpath');
}

function refuseOthers(value: object, prefix: string, isSupported: (key: string) => boolean): void {
  for (const [key, member] of Object.entries(value)) {
    if (isSupported(key) || isEmpty(member) || ignored.has(key) || harmless[key]?.includes(member)) continue;
    throw unsupported(`${prefix}${key}`);
  }
}

function unsupported(what: string): TscomposeError {
  return new TscomposeError('unsupported', `this engine does not support ${what}`);
}

/** Clients send every member there is; one that asks for nothing is no request. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
