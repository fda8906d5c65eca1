import type {ContainerInspect, ContainerState, HostConfig, MountPoint} from '../../api/types/container.ts';
import {zeroTime} from '../clock.ts';
import type {ContainerContext} from './context.ts';
import {maskedPaths, readonlyPaths} from './default-mounts.ts';
import {execIds} from './exec-records.ts';
import {describeLinks} from './legacy-links.ts';
import {memoryAndSwap} from './limits.ts';
import {containerOfMode} from './namespace-modes.ts';
import {notice} from './notice.ts';
import type {ContainerRecord, RecordedMount} from './record.ts';
import {findContainer, noSuchContainer} from './reference.ts';
import {appArmorProfile, readSecurityModules} from './security-modules.ts';
import {type Identity, identityOf} from './shared-namespaces.ts';
import {type Observation, readUnlessDamaged, toContainerState} from './state.ts';

/** Throws `notFound`. */
export async function inspectContainer(context: ContainerContext, reference: string): Promise<ContainerInspect> {
  const found = await findContainer(context.layout, reference);
  const {id, name, record} = found;
  const observation = await notice(context, found);
  if (observation === undefined) throw noSuchContainer(reference);
  const state = await withLastEnd(context, id, toContainerState(observation));
  const paths = context.layout.container(id);
  const identity = await identityOf(context.layout, record);
  const endpoints = await context.endpoints.describe({record, name}, state.Running);
  const [path = '', ...args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  const isJoined = containerOfMode(record.hostConfig.NetworkMode) !== undefined;
  const onDefault = endpoints.networks['bridge'];
  return {
    Id: id,
    Created: record.created,
    Path: path,
    Args: args,
    State: state,
    Image: record.image.id,
    ...pathsOf(observation, identity.paths, record.hostConfig.LogConfig?.Type === 'json-file' ? paths.log : ''),
    Name: `/${name}`,
    RestartCount: observation.state?.restartCount ?? 0,
    Driver: 'overlay2',
    Platform: 'linux',
    ...{MountLabel: '', ProcessLabel: ''},
    AppArmorProfile: appArmorProfile(readSecurityModules(), record.hostConfig),
    ExecIDs: execIds(context.execs, id),
    HostConfig: {
      ...{...emptyHostConfig, ...record.hostConfig, ...filledIn(record.hostConfig)},
      Links: record.hostConfig.Links?.length ? await describeLinks(context, record.hostConfig.Links, name) : null,
    },
    GraphDriver: {Name: 'overlay2', Data: {LowerDir: '', MergedDir: '', UpperDir: paths.upper, WorkDir: paths.work}},
    Mounts: record.mounts.flatMap((mount) => toMountPoint(context, mount)),
    Config: {...withEmptyMembers(identity.record), ...withMacAddress(record)},
    NetworkSettings: {
      ...{
        Bridge: '',
        HairpinMode: false,
        LinkLocalIPv6Address: '',
        LinkLocalIPv6PrefixLen: 0,
        SecondaryIPAddresses: null,
        SecondaryIPv6Addresses: null,
        EndpointID: onDefault?.EndpointID ?? '',
        IPPrefixLen: onDefault?.IPPrefixLen ?? 0,
        IPv6Gateway: onDefault?.IPv6Gateway ?? '',
        GlobalIPv6Address: onDefault?.GlobalIPv6Address ?? '',
        GlobalIPv6PrefixLen: onDefault?.GlobalIPv6PrefixLen ?? 0,
      },
      SandboxID: state.Running && !isJoined ? id : '',
      SandboxKey: state.Running && state.Pid > 0 && !isJoined ? `/proc/${state.Pid}/ns/net` : '',
      Ports: endpoints.ports,
      Networks: endpoints.networks,
      // Of the default network: clients older than API 1.52 look here.
      IPAddress: onDefault?.IPAddress ?? '',
      Gateway: onDefault?.Gateway ?? '',
      MacAddress: onDefault?.MacAddress ?? '',
    },
  };
}

/** While it runs, when it ended the last time. */
async function withLastEnd(context: ContainerContext, id: string, state: ContainerState): Promise<ContainerState> {
  if (!state.Running || state.FinishedAt !== zeroTime) return state;
  const end = await readUnlessDamaged(context.layout.container(id).exit, () => undefined);
  return {...state, FinishedAt: end?.finishedAt || zeroTime};
}

/** Nothing of it is there before the first start. */
function pathsOf(
  {kind}: Observation,
  files: Identity['paths'],
  log: string,
): Pick<ContainerInspect, 'ResolvConfPath' | 'HostnamePath' | 'HostsPath' | 'LogPath'> {
  if (kind === 'created') return {ResolvConfPath: '', HostnamePath: '', HostsPath: '', LogPath: ''};
  return {ResolvConfPath: files.resolvConf, HostnamePath: files.hostname, HostsPath: files.hosts, LogPath: log};
}

/** What Docker adds to what was asked for. */
function filledIn(host: HostConfig): HostConfig {
  const {Privileged = false, IpcMode, PidMode, SecurityOpt} = host;
  // Such a container has no label of SELinux, and Docker says so.
  const isUnlabelled = Privileged || IpcMode === 'host' || PidMode === 'host';
  const bindings = Object.entries(host.PortBindings ?? {}).map(
    ([port, list]) => [port, (list ?? []).map((binding) => ({HostIp: '', HostPort: '', ...binding}))] as const,
  );
  return {
    MemorySwap: memoryAndSwap(host),
    ...(host.PortBindings ? {PortBindings: Object.fromEntries(bindings)} : {}),
    MaskedPaths: host.MaskedPaths ?? (Privileged ? null : maskedPaths),
    ReadonlyPaths: host.ReadonlyPaths ?? (Privileged ? null : readonlyPaths),
    ...(isUnlabelled ? {SecurityOpt: [...(SecurityOpt ?? []), 'label=disable']} : {}),
  };
}

/** Members that clients expect to be there, as Docker fills them in. */
const emptyHostConfig = {
  Binds: null,
  Links: null,
  LogConfig: {Type: 'json-file', Config: {}},
  NetworkMode: 'bridge',
  PortBindings: null,
  RestartPolicy: {Name: 'no', MaximumRetryCount: 0},
  AutoRemove: false,
  CapAdd: null,
  CapDrop: null,
  Cgroup: '',
  CgroupParent: '',
  CgroupnsMode: 'private',
  ConsoleSize: [0, 0],
  ContainerIDFile: '',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  VolumesFrom: null,
  ShmSize: 64 * 1024 * 1024,
  Runtime: 'tscompose',
  Isolation: '',
  VolumeDriver: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceWriteIOps: null,
  IOMaximumBandwidth: 0,
  IOMaximumIOps: 0,
  CpuCount: 0,
  CpuPercent: 0,
  CpuShares: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Memory: 0,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  NanoCpus: 0,
  PidsLimit: null,
  Ulimits: null,
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
} as const satisfies HostConfig & Readonly<Record<string, unknown>>;

/** Where it was asked for, on the network that the container was made for: clients older than API 1.44 look here. */
function withMacAddress({hostConfig, endpoints}: ContainerRecord): Pick<ContainerInspect['Config'], 'MacAddress'> {
  const asked = endpoints[hostConfig.NetworkMode ?? 'bridge']?.MacAddress;
  return asked ? {MacAddress: asked} : {};
}

function withEmptyMembers({config}: ContainerRecord): ContainerRecord['config'] {
  return {
    Domainname: '',
    User: '',
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    WorkingDir: '',
    ...{Env: null, Volumes: null, OnBuild: null},
    ...config,
  };
}

/** As inspect and list answer it; a tmpfs of the short form is not listed, as in Docker. */
export function toMountPoint(context: Pick<ContainerContext, 'layout'>, mount: RecordedMount): MountPoint[] {
  switch (mount.kind) {
    case 'bind':
      return [
        {
          Type: 'bind',
          Source: mount.source,
          Destination: mount.target,
          Mode: mount.mode ?? '',
          RW: !mount.readOnly,
          Propagation: mount.propagation,
        },
      ];
    case 'volume':
      return [
        {
          Type: 'volume',
          Name: mount.name,
          Source: context.layout.volume(mount.name).data,
          Destination: mount.target,
          Driver: 'local',
          Mode: mount.mode ?? '',
          RW: !mount.readOnly,
          Propagation: '',
        },
      ];
    case 'image':
      return [
        {
          Type: 'image',
          Name: mount.source,
          Source: '',
          Destination: mount.target,
          Mode: '',
          RW: false,
          Propagation: 'rprivate',
        },
      ];
    case 'tmpfs':
      return mount.listed
        ? [
            {
              Type: 'tmpfs',
              Source: '',
              Destination: mount.target,
              Mode: '',
              RW: !mount.options.includes('ro'),
              Propagation: '',
            },
          ]
        : [];
  }
}
