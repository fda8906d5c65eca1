import {restartUnhealthyLabel} from '../../api/labels.ts';
import type {ContainerConfig, HostConfig} from '../../api/types/container.ts';
import {encodeOperations, type MonitorOperation} from '../helper/operations.ts';
import type {ContainerPaths, Layout} from '../layout.ts';
import type {DeviceNumbers} from './block-devices.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {planCgroups} from './cgroups.ts';
import {eventAttributesText} from './container-event.ts';
import type {ImageRoot, NetworkPlan} from './context.ts';
import type {ContainerDevices} from './devices/gather.ts';
import type {LegacyLinks} from './legacy-links.ts';
import {type LogReceiver, planLog} from './log-plan.ts';
import type {Machine} from './machine.ts';
import {ownNamespaces} from './namespace-modes.ts';
import {resolvePrivileges} from './privileges.ts';
import {planProcess} from './process-plan.ts';
import type {ContainerRecord} from './record.ts';
import {planRoot} from './root-plan.ts';
import {parseSignal} from './signal.ts';
import type {UsedVolumes} from './use-volumes.ts';
import {volumeMembers} from './volume-members.ts';

/** Seconds that a container gets to stop by itself. */
const defaultStopTimeout = 10;

/** A monitor takes so many connections and some more. */
const mostExpected = 100;

export interface LaunchRequest {
  readonly layout: Layout;
  readonly machine: Machine;
  readonly cgroupParent: string;
  readonly record: ContainerRecord;
  readonly name: string;
  readonly image: ImageRoot;
  readonly volumes: Pick<UsedVolumes, 'directories' | 'mounted'>;
  /** Layers of the images that are mounted in it. */
  readonly images: ReadonlyMap<string, readonly string[]>;
  /** The block devices that its limits name. */
  readonly disks: DeviceNumbers;
  readonly network: NetworkPlan;
  readonly links: LegacyLinks;
  readonly devices: ContainerDevices;
  /** Of the container whose hosts, hostname and resolv.conf it has. */
  readonly identity: ContainerPaths;
  /** Namespaces of other containers. */
  readonly joins: readonly MonitorOperation[];
  /** They asked to attach before the start. */
  readonly expectedClients: number;
  /** Of the machine. */
  readonly hostName: string;
  /** Who gets its log, besides. */
  readonly receiver: LogReceiver | undefined;
  readonly unrecorded: readonly string[] | undefined;
}

/** Everything a monitor has to know about a container, for all of its runs. */
export function planLaunch({
  layout,
  machine,
  cgroupParent,
  record,
  name,
  image,
  volumes,
  images,
  disks,
  network,
  devices,
  identity,
  joins,
  expectedClients,
  links,
  hostName,
  receiver,
  unrecorded,
}: LaunchRequest): readonly MonitorOperation[] {
  const {id, config, hostConfig} = record;
  const paths = layout.container(id);
  const place = cgroupPlace(cgroupParent, record);
  const privileges = resolvePrivileges(hostConfig);
  return [
    {kind: 'identity', id, name},
    {kind: 'paths', state: paths.state, exit: paths.exit, control: paths.control, lock: paths.lock},
    ...planLog({record, name, path: paths.log, hostName, receiver}),
    planRestart(hostConfig),
    {
      kind: 'stop',
      signal: parseSignal(config.StopSignal || 'SIGTERM'),
      graceMs: stopGraceMs(config.StopTimeout ?? defaultStopTimeout),
    },
    ...planHealth(config),
    {kind: 'events', journal: layout.journal, attributes: eventAttributesText(record, name)},
    ...planCgroups({machine, ours: cgroupParent, place, host: hostConfig, disks, deviceRules: devices.rules}),
    {kind: 'namespaces', list: ownNamespaces(hostConfig)},
    ...joins,
    ...(machine.rootless ? [{kind: 'outside', socket: machine.rootless.outside} as const] : []),
    ...network.operations,
    {
      kind: 'stdio',
      tty: config.Tty ?? false,
      openStdin: config.OpenStdin ?? false,
      stdinOnce: config.StdinOnce ?? false,
      rows: 0,
      columns: 0,
    },
    ...(expectedClients > 0
      ? [{kind: 'expectedClients', count: Math.min(expectedClients, mostExpected)} as const]
      : []),
    ...volumes.mounted.map(({lock, directory}): MonitorOperation => ({kind: 'volumeUse', lock, mountpoint: directory})),
    ...volumeMembers(record),
    ...(hostConfig.Init ? [{kind: 'init'} as const] : []),
    {kind: 'cleanup', path: paths.begun},
    ...(identity.hosts === paths.hosts ? identityCleanup(paths) : []),
    {
      kind: 'process',
      operations: encodeOperations([
        ...planRoot({
          machine,
          place,
          paths,
          identity,
          record,
          privileges,
          devices,
          image,
          volumes: volumes.directories,
          images,
        }),
        ...planProcess(machine, record, {privileges, devices, linked: links.variables, unrecorded}),
      ]),
    },
  ];
}

/** The files that are made for each start. */
export function identityCleanup({hosts, hostname, resolvConf}: ContainerPaths): readonly MonitorOperation[] {
  return [hosts, hostname, resolvConf].map((path) => ({kind: 'cleanup', path}));
}

export function planRestart({RestartPolicy: policy}: HostConfig): MonitorOperation {
  return {kind: 'restart', policy: policy?.Name || 'no', maxRetries: policy?.MaximumRetryCount ?? 0};
}

/** Negative: for ever. */
export function stopGraceMs(seconds: number): number {
  return seconds < 0 ? -1 : Math.round(seconds * 1000);
}

/** Docker's defaults, in milliseconds. */
const healthDefaults = {interval: 30_000, timeout: 30_000, startInterval: 5_000, retries: 3} as const;

function planHealth(config: ContainerConfig): readonly MonitorOperation[] {
  const {Healthcheck: health} = config;
  const [kind, ...rest] = health?.Test ?? [];
  if (health === undefined || kind === undefined || kind === '' || kind === 'NONE') return [];
  const milliseconds = (nanoseconds: number | undefined, otherwise: number) =>
    nanoseconds ? Math.max(Math.round(nanoseconds / 1e6), 1) : otherwise;
  return [
    {
      kind: 'health',
      intervalMs: milliseconds(health.Interval, healthDefaults.interval),
      timeoutMs: milliseconds(health.Timeout, healthDefaults.timeout),
      startPeriodMs: milliseconds(health.StartPeriod, 0),
      startIntervalMs: milliseconds(health.StartInterval, healthDefaults.startInterval),
      retries: health.Retries || healthDefaults.retries,
      restart: config.Labels?.[restartUnhealthyLabel] === 'true',
      words: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...rest] : rest,
    },
  ];
}
