import type {FileObject, Model, Network, Volume} from '../types.ts';
import type {Limit} from './attribute.ts';
import {saysNothing} from './limits.ts';

/** A limit of one member of a network, volume, config or secret. */
function limit<T>(
  by: Limit<T>['by'],
  member: keyof T & string,
  {
    of = member,
    reason,
    hint,
    ofValue,
    fits = (value) => !saysNothing(value[member]),
    where = (value) => (fits(value) ? [member] : []),
  }: {
    readonly of?: string;
    readonly reason: string;
    readonly hint?: string;
    readonly ofValue?: true;
    readonly fits?: (value: T) => boolean;
    readonly where?: (value: T) => readonly string[];
  },
): Limit<T> {
  return {by, of, reason, where, ...(hint === undefined ? {} : {hint}), ...(ofValue === true ? {ofValue} : {})};
}

const everyDriver = ['com.docker.network.driver.mtu', 'com.docker.network.container_iface_prefix'];

/** Keys of `driver_opts` of a network that the built-in engine honours, by driver. */
const driverOptions: Readonly<Record<string, readonly string[]>> = {
  bridge: [
    ...everyDriver,
    'com.docker.network.bridge.name',
    'com.docker.network.bridge.enable_icc',
    'com.docker.network.bridge.enable_ip_masquerade',
    'com.docker.network.bridge.host_binding_ipv4',
    'com.docker.network.bridge.gateway_mode_ipv4',
    'com.docker.network.bridge.gateway_mode_ipv6',
  ],
  macvlan: [...everyDriver, 'parent', 'macvlan_mode'],
  ipvlan: [...everyDriver, 'parent', 'ipvlan_mode', 'ipvlan_flag'],
};

/** Undefined: one that the built-in engine does not have. */
function optionsOf({driver = ''}: Network): readonly string[] | undefined {
  const name = driver === '' || driver === 'default' ? 'bridge' : driver;
  return Object.hasOwn(driverOptions, name) ? driverOptions[name] : undefined;
}

const networks: readonly Limit<Network>[] = [
  limit('builtin', 'driver', {
    of: 'driver other than bridge, macvlan and ipvlan',
    reason: 'the built-in engine supports only bridge, macvlan and ipvlan networks',
    ofValue: true,
    fits: (network) => network.external !== true && optionsOf(network) === undefined,
  }),
  limit('builtin', 'driver_opts', {
    of: 'driver_opts that are unknown',
    reason: 'the built-in engine does not know the option',
    fits: (network) => {
      const known = optionsOf(network);
      return Object.keys(network.driver_opts ?? {}).some((name) => known !== undefined && !known.includes(name));
    },
  }),
  {
    by: 'builtin',
    of: 'ipam.driver other than default, ipam.options',
    reason: 'the built-in engine gives out addresses itself',
    where: ({ipam}) => [
      ...(['', 'default'].includes(ipam?.driver ?? '') ? [] : ['ipam.driver']),
      ...(saysNothing(ipam?.options) ? [] : ['ipam.options']),
    ],
  },
];

/** What the local driver knows: mount(2) is told it. */
const volumeOptions = ['type', 'o', 'device'];

const volumes: readonly Limit<Volume>[] = [
  limit('builtin', 'driver', {
    of: 'driver other than local',
    reason: 'the built-in engine supports only local volumes',
    ofValue: true,
    fits: ({driver, external}) => external !== true && !['', 'local'].includes(driver ?? ''),
  }),
  limit('builtin', 'driver_opts', {
    of: 'driver_opts.size',
    reason: 'no quotas are set on a file system',
    hint: 'give memory a size: driver_opts: {type: tmpfs, device: tmpfs, o: size=100m}',
    where: ({driver_opts}) => (Object.hasOwn(driver_opts ?? {}, 'size') ? ['driver_opts.size'] : []),
  }),
  limit('builtin', 'driver_opts', {
    of: 'driver_opts other than type, o and device',
    reason: 'the built-in engine does not know the option',
    where: ({driver_opts}) =>
      Object.keys(driver_opts ?? {})
        .filter((name) => name !== 'size' && !volumeOptions.includes(name))
        .map((name) => `driver_opts.${name}`),
  }),
];

const files: readonly Limit<FileObject>[] = [
  limit('tscompose', 'external', {
    reason: 'external configs and secrets exist only in a swarm',
    hint: 'replace "external" with "file" or "environment"',
  }),
  limit('tscompose', 'driver', {
    reason: 'only a swarm has drivers for it',
    hint: 'replace "driver" with "file" or "environment"',
  }),
  limit('tscompose', 'template_driver', {reason: 'templates belong to a swarm', hint: 'remove it'}),
];

const models: readonly Limit<Model>[] = [{by: 'tscompose', reason: 'AI models are not run yet', where: () => ['']}];

/** What is not done with networks, volumes, configs, secrets and models. */
export const resourceLimits = {networks, volumes, configs: files, secrets: files, models} as const;
