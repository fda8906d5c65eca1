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
    fits = (value) => !saysNothing(value[member]),
  }: {
    readonly of?: string;
    readonly reason: string;
    readonly hint?: string;
    readonly fits?: (value: T) => boolean;
  },
): Limit<T> {
  return {by, of, reason, where: (value) => (fits(value) ? [member] : []), ...(hint === undefined ? {} : {hint})};
}

/** Keys of `driver_opts` of a network that the built-in engine honours. */
const bridgeOptions: ReadonlySet<string> = new Set([
  'com.docker.network.bridge.name',
  'com.docker.network.bridge.enable_icc',
  'com.docker.network.bridge.enable_ip_masquerade',
  'com.docker.network.driver.mtu',
  'com.docker.network.bridge.host_binding_ipv4',
  'com.docker.network.container_iface_prefix',
  'com.docker.network.bridge.gateway_mode_ipv4',
  'com.docker.network.bridge.gateway_mode_ipv6',
]);

const networks: readonly Limit<Network>[] = [
  limit('builtin', 'driver', {
    of: 'driver other than bridge',
    reason: 'the built-in engine has networks of the driver bridge only',
    fits: ({driver, external}) => external !== true && !['', 'bridge', 'default'].includes(driver ?? ''),
  }),
  limit('builtin', 'driver_opts', {
    of: 'driver_opts that are unknown',
    reason: 'the built-in engine does not know the option',
    fits: ({driver_opts = {}}) => Object.keys(driver_opts).some((name) => !bridgeOptions.has(name)),
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

const volumes: readonly Limit<Volume>[] = [
  limit('builtin', 'driver', {
    of: 'driver other than local',
    reason: 'the built-in engine has volumes of the driver local only',
    fits: ({driver, external}) => external !== true && !['', 'local'].includes(driver ?? ''),
  }),
  limit('builtin', 'driver_opts', {
    of: 'driver_opts other than a bind of a directory',
    reason: 'the built-in engine mounts nothing but directories of the machine',
    hint: 'mount it on the machine, and use type: none with o: bind',
    fits: ({driver_opts = {}}) => {
      const {type = '', o = '', device: _, ...others} = driver_opts;
      if (Object.keys(others).length > 0) return true;
      const flags = o.split(',').filter((flag) => flag !== '');
      const isBind = flags.length > 0 && flags.every((flag) => ['bind', 'rbind', 'rw'].includes(flag));
      return Object.keys(driver_opts).length > 0 && !(isBind && ['', 'none', 'bind'].includes(type));
    },
  }),
];

const files: readonly Limit<FileObject>[] = [
  limit('tscompose', 'external', {
    reason: 'external ones belong to a swarm',
    hint: 'give it a file, content or an environment variable',
  }),
  limit('tscompose', 'driver', {
    reason: 'drivers belong to a swarm',
    hint: 'give it a file or an environment variable',
  }),
  limit('tscompose', 'template_driver', {reason: 'templates belong to a swarm', hint: 'take it away'}),
];

const models: readonly Limit<Model>[] = [{by: 'tscompose', reason: 'AI models are not run yet', where: () => ['']}];

/** What is not done with networks, volumes, configs, secrets and models. */
export const resourceLimits = {networks, volumes, configs: files, secrets: files, models} as const;
