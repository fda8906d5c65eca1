import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerInspect,
  HostConfig,
  PortMap,
} from '../api/types/container.ts';
import {canonicalJson, type Json} from '../base/canonical-json.ts';
import type {Provenance} from '../model/types.ts';
import type {FieldChange} from './action.ts';
import {maskedChange} from './mask.ts';
import type {ObservedContainer, ObservedImage} from './observed.ts';
import {showValue} from './values.ts';

interface InspectedComparison {
  readonly container: ObservedContainer;
  /** What the container would be created with now. */
  readonly body: ContainerCreateBody;
  /** Its image as it is now; what comes from there is no change. */
  readonly image: ObservedImage | undefined;
  readonly path: string;
  readonly provenance: Provenance;
}

/**
 * The fields in which a container that another tool made differs from what the stack file asks for. A value that the file
 * does not state is only compared where the engine's default is "nothing", or the image says it.
 */
export function compareInspected(comparison: InspectedComparison): readonly FieldChange[] {
  const {container, body, image, path, provenance} = comparison;
  const {inspected} = container;
  if (inspected === undefined) return [{field: 'origin', before: 'unknown', after: 'tscompose'}];
  const changes: FieldChange[] = [];
  const compare: Compare = (field, before, after) => {
    if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return;
    const source = provenance.at(`${path}.${field}`);
    changes.push({
      ...maskedChange({field, before, after, show: (value) => showValue(field, value)}),
      ...(source && {source}),
    });
  };
  compareConfig(compare, {inspected: inspected.Config, body, image: image?.config});
  compareHost(compare, inspected.HostConfig, body.HostConfig ?? {});
  compareMounts(compare, inspected, body.HostConfig ?? {});
  return changes.sort((a, b) => (a.field < b.field ? -1 : 1));
}

type Compare = (field: string, before: Json | undefined, after: Json | undefined) => void;

/** Field of the engine's configuration → attribute of the stack file. */
const configFields = {
  Cmd: 'command',
  Entrypoint: 'entrypoint',
  User: 'user',
  WorkingDir: 'working_dir',
  StopSignal: 'stop_signal',
} as const satisfies Partial<Record<keyof ContainerConfig, string>>;

/** Only where the file states it: else the engine chooses. */
const statedConfigFields = {
  Image: 'image',
  Hostname: 'hostname',
  Domainname: 'domainname',
  Tty: 'tty',
  OpenStdin: 'stdin_open',
  StopTimeout: 'stop_grace_period',
  Healthcheck: 'healthcheck',
} as const satisfies Partial<Record<keyof ContainerConfig, string>>;

function compareConfig(
  compare: Compare,
  sides: {
    readonly inspected: ContainerConfig;
    readonly body: ContainerConfig;
    readonly image: ContainerConfig | undefined;
  },
): void {
  const {inspected, body, image} = sides;
  for (const [field, attribute] of entries(configFields)) {
    // An entrypoint of the file drops the command of the image.
    const fromImage = field === 'Cmd' && present(body.Entrypoint) !== undefined ? undefined : present(image?.[field]);
    compare(attribute, present(inspected[field]), present(body[field]) ?? fromImage);
  }
  for (const [field, attribute] of entries(statedConfigFields)) {
    const wanted = present(body[field]);
    if (wanted !== undefined) compare(attribute, present(inspected[field]), wanted);
  }
  compareMaps(compare, (name) => `environment.${name}`, variables(inspected.Env), {
    ...variables(image?.Env),
    ...variables(body.Env),
  });
  compareMaps(compare, (name) => `labels.${name}`, ownLabels(inspected.Labels), {
    ...image?.Labels,
    ...ownLabels(body.Labels),
  });
}

const hostFields = {
  Dns: 'dns',
  DnsOptions: 'dns_opt',
  DnsSearch: 'dns_search',
  ExtraHosts: 'extra_hosts',
  Init: 'init',
  ReadonlyRootfs: 'read_only',
  Tmpfs: 'tmpfs',
  Sysctls: 'sysctls',
  Ulimits: 'ulimits',
  Memory: 'mem_limit',
  MemoryReservation: 'mem_reservation',
  NanoCpus: 'cpus',
  CpuShares: 'cpu_shares',
  CpuPeriod: 'cpu_period',
  CpuQuota: 'cpu_quota',
  CpuRealtimePeriod: 'cpu_rt_period',
  CpuRealtimeRuntime: 'cpu_rt_runtime',
  CpusetCpus: 'cpuset',
  CgroupParent: 'cgroup_parent',
  MemorySwappiness: 'mem_swappiness',
  OomKillDisable: 'oom_kill_disable',
  BlkioWeight: 'blkio_config.weight',
  BlkioWeightDevice: 'blkio_config.weight_device',
  BlkioDeviceReadBps: 'blkio_config.device_read_bps',
  BlkioDeviceReadIOps: 'blkio_config.device_read_iops',
  BlkioDeviceWriteBps: 'blkio_config.device_write_bps',
  BlkioDeviceWriteIOps: 'blkio_config.device_write_iops',
  PidsLimit: 'pids_limit',
  OomScoreAdj: 'oom_score_adj',
  Privileged: 'privileged',
} as const satisfies Partial<Record<keyof HostConfig, string>>;

const statedHostFields = {
  ShmSize: 'shm_size',
  MemorySwap: 'memswap_limit',
  LogConfig: 'logging',
  NetworkMode: 'network_mode',
  CgroupnsMode: 'cgroup',
} as const satisfies Partial<Record<keyof HostConfig, string>>;

/** Lists without an order; capabilities are written with and without their prefix. */
const setFields = {
  CapAdd: 'cap_add',
  CapDrop: 'cap_drop',
  GroupAdd: 'group_add',
  DeviceCgroupRules: 'device_cgroup_rules',
} as const satisfies Partial<Record<keyof HostConfig, string>>;

/** Which device requests come from which attribute. */
const deviceAttributes: readonly (readonly [attribute: string, isWanted: (driver: string) => boolean])[] = [
  ['devices', (driver) => driver === 'cdi'],
  ['gpus', (driver) => driver !== 'cdi'],
];

function compareHost(compare: Compare, given: HostConfig, asked: HostConfig): void {
  const [inspected, body] = [withoutUsualSwapping(given), withoutUsualSwapping(asked)];
  for (const [field, attribute] of entries(hostFields))
    compare(attribute, present(inspected[field]), present(body[field]));
  for (const [field, attribute] of entries(statedHostFields)) {
    const wanted = present(body[field]);
    if (wanted !== undefined) compare(attribute, present(inspected[field]), wanted);
  }
  for (const [field, attribute] of entries(setFields)) {
    compare(attribute, present(asSet(inspected[field])), present(asSet(body[field])));
  }
  compare('security_opt', present(securityOptions(inspected)), present(securityOptions(body)));
  compareMaps(compare, (target) => `devices[${target}]`, deviceMap(inspected), deviceMap(body));
  for (const [attribute, isWanted] of deviceAttributes)
    compare(attribute, present(deviceRequests(inspected, isWanted)), present(deviceRequests(body, isWanted)));
  compareMaps(compare, (port) => `ports[${port}]`, portMap(inspected.PortBindings), portMap(body.PortBindings));
  compare('restart', restartPolicy(inspected), restartPolicy(body));
}

/** -1 leaves to the machine how memory is swapped out, as saying nothing does. */
function withoutUsualSwapping(host: HostConfig): HostConfig {
  return host.MemorySwappiness === -1 ? {...host, MemorySwappiness: null} : host;
}

function restartPolicy({RestartPolicy}: HostConfig): string {
  const {Name, MaximumRetryCount = 0} = RestartPolicy ?? {};
  return `${Name || 'no'}${Name === 'on-failure' && MaximumRetryCount > 0 ? `:${MaximumRetryCount}` : ''}`;
}

/**
 * An engine adds to those of a privileged container that it has no label; unconfined paths of the kernel reach it as an
 * empty list.
 */
function securityOptions({SecurityOpt, Privileged = false, MaskedPaths}: HostConfig): readonly string[] {
  const options = asSet(SecurityOpt).filter((option) => !Privileged || option !== 'label=disable');
  return MaskedPaths?.length === 0 ? [...options, 'systempaths=unconfined'] : options;
}

/** `/dev/zero:r` by its path in the container. */
function deviceMap({Devices}: HostConfig): Record<string, string> {
  return Object.fromEntries(
    (Devices ?? []).map(({PathOnHost, PathInContainer, CgroupPermissions}) => [
      PathInContainer,
      `${PathOnHost}:${CgroupPermissions}`,
    ]),
  );
}

/** Without the members that an engine fills in with nothing. */
function deviceRequests({DeviceRequests}: HostConfig, isWanted: (driver: string) => boolean): Json {
  return (DeviceRequests ?? [])
    .filter(({Driver = ''}) => isWanted(Driver))
    .map((request) => Object.fromEntries(Object.entries(request).filter(([, value]) => present(value) !== undefined)));
}

function asSet(list: readonly string[] | null | undefined): readonly string[] {
  return (list ?? []).map((item) => item.replace(/^CAP_/, '')).sort();
}

/** All addresses are meant where none is stated, a chosen port where none is. */
function portMap(ports: PortMap | null | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(ports ?? {}).map(([port, bindings]) => [
      port,
      (bindings ?? [])
        .map(({HostIp, HostPort}) => `${HostIp || '0.0.0.0'}:${HostPort || '0'}`)
        .sort()
        .join(', '),
    ]),
  );
}

/** Anonymous volumes are nobody's wish: they are left out. */
function compareMounts(compare: Compare, inspected: ContainerInspect, body: HostConfig): void {
  const before: Record<string, string> = {};
  for (const mount of inspected.Mounts) {
    const anonymous = mount.Type === 'volume' && /^[0-9a-f]{64}$/.test(mount.Name ?? '');
    if (mount.Type === 'tmpfs' || anonymous) continue;
    before[mount.Destination] = `${mount.Type === 'volume' ? mount.Name : mount.Source}${mount.RW ? '' : ':ro'}`;
  }
  const after: Record<string, string> = {};
  for (const mount of body.Mounts ?? []) {
    if (mount.Type === 'tmpfs' || mount.Source === undefined) continue;
    after[mount.Target] = `${mount.Source}${mount.ReadOnly === true ? ':ro' : ''}`;
  }
  for (const bind of body.Binds ?? []) {
    const [source = '', target = '', options = ''] = bind.split(':');
    after[target] = `${source}${options.split(',').includes('ro') ? ':ro' : ''}`;
  }
  compareMaps(compare, (target) => `volumes[${target}]`, before, after);
}

function compareMaps(
  compare: Compare,
  fieldOf: (key: string) => string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): void {
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    compare(fieldOf(key), before[key], after[key]);
  }
}

function variables(list: readonly string[] | null | undefined): Record<string, string> {
  return Object.fromEntries(
    (list ?? []).flatMap((entry) => {
      const end = entry.indexOf('=');
      return end < 0 ? [] : [[entry.slice(0, end), entry.slice(end + 1)]];
    }),
  );
}

function ownLabels(labels: Readonly<Record<string, string>> | null | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels ?? {}).filter(
      ([name]) => !name.startsWith('com.docker.compose.') && !name.startsWith('io.tscompose.'),
    ),
  );
}

/** The value, or undefined where it is one of the ways in which an engine spells "nothing". */
function present(value: unknown): Json | undefined {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return undefined;
  if (typeof value === 'object' && Object.keys(value).length === 0) return undefined;
  return value as Json;
}

function entries<K extends string, V>(record: Readonly<Record<K, V>>): readonly (readonly [K, V])[] {
  return Object.entries(record) as unknown as readonly (readonly [K, V])[];
}
