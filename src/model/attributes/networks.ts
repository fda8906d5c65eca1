import type {Json} from '../../base/canonical-json.ts';
import {sortedMembers} from '../sorted.ts';
import {isText, mapEntries, scalar, type Tree} from '../tree.ts';
import type {Service, ServiceNetwork} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {modeOf} from './namespaces.ts';
import {itself, labelMap} from './process.ts';
import {list, number, object, type Reader, text, wrong} from './readers.ts';
import {namesTo, oneToList, withDirectiveOf} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const readNetwork: Reader<ServiceNetwork> = object<ServiceNetwork>({
  aliases: list(text),
  ipv4_address: text,
  ipv6_address: text,
  mac_address: text,
  priority: number,
  gw_priority: number,
  link_local_ips: list(text),
  driver_opts: labelMap,
  interface_name: text,
});

/** The network with the highest priority comes first; equal ones in the order of their names. */
const readNetworks: Reader<Readonly<Record<string, ServiceNetwork | null>>> = (node, context) => {
  if (node.kind !== 'mapping') return undefined;
  const read = [...node.entries].map(([name, entry]) => {
    const value = entry.value.kind === 'mapping' ? (readNetwork(entry.value, context) ?? {}) : null;
    return [name, value] as const;
  });
  const priority = (value: ServiceNetwork | null): number => value?.priority ?? 0;
  return Object.fromEntries(read.sort(([a, x], [b, y]) => priority(y) - priority(x) || (a < b ? -1 : 1)));
};

const networks: Row<'networks'> = {
  expand: namesTo((name) => scalar(null, name.at)),
  merge: {each: {members: {aliases: {unique: itself}, link_local_ips: {unique: itself}}}},
  read: readNetworks,
  spec: (value, {project}): Json =>
    Object.fromEntries(
      Object.entries(value).map(([key, network]) => {
        const {aliases, ...rest} = network ?? {};
        const stated = aliases === undefined || aliases.length === 0 ? rest : {...rest, aliases: [...aliases]};
        return [key, {name: project.networks[key]?.name ?? key, ...stated}];
      }),
    ),
  render: (value) =>
    Object.fromEntries(
      Object.entries(value).map(([key, network]) => [key, network === null ? null : renderNetwork(network)]),
    ),
  change: 'recreate',
  limits: [
    {
      by: 'builtin',
      of: 'link_local_ips',
      reason: 'the built-in engine gives no link-local addresses of choice',
      where: (value) => namesWhere(value, 'link_local_ips', (network) => (network.link_local_ips ?? []).length > 0),
    },
    {
      by: 'builtin',
      of: 'driver_opts other than com.docker.network.endpoint.ifname and .sysctls',
      reason: 'the built-in engine does not know the option',
      where: (value) =>
        namesWhere(value, 'driver_opts', ({driver_opts = {}}) =>
          Object.keys(driver_opts).some((name) => name !== interfaceOption && name !== sysctlsOption),
        ),
    },
  ],
};

/** Docker's option of an endpoint for the name of its interface. */
export const interfaceOption = 'com.docker.network.endpoint.ifname';
/** The same for settings of the kernel. */
const sysctlsOption = 'com.docker.network.endpoint.sysctls';

function namesWhere(
  value: Readonly<Record<string, ServiceNetwork | null>>,
  member: string,
  fits: (network: ServiceNetwork) => boolean,
): readonly string[] {
  return Object.entries(value).flatMap(([name, network]) =>
    network !== null && fits(network) ? [`${name}.${member}`] : [],
  );
}

function renderNetwork({
  aliases,
  driver_opts,
  gw_priority,
  interface_name,
  ipv4_address,
  ipv6_address,
  link_local_ips,
  mac_address,
  priority,
}: ServiceNetwork): Json {
  return {
    ...(aliases === undefined || aliases.length === 0 ? {} : {aliases}),
    ...(driver_opts === undefined || Object.keys(driver_opts).length === 0
      ? {}
      : {driver_opts: sortedMembers(driver_opts)}),
    ...(gw_priority === undefined ? {} : {gw_priority}),
    ...(interface_name === undefined ? {} : {interface_name}),
    ...(ipv4_address === undefined ? {} : {ipv4_address}),
    ...(ipv6_address === undefined ? {} : {ipv6_address}),
    ...(link_local_ips === undefined || link_local_ips.length === 0 ? {} : {link_local_ips}),
    ...(mac_address === undefined ? {} : {mac_address}),
    ...(priority === undefined ? {} : {priority}),
  };
}

const network_mode: Row<'network_mode'> = {
  read: text,
  spec: (value) => (value === '' ? undefined : value),
  lower: (value, {host}, context) => {
    if (value !== '') host.NetworkMode = modeOf(value, context);
  },
  change: 'recreate',
};

/** `host=address` or `host:address`; an address may stand in brackets. */
export const extra_hosts: Row<'extra_hosts'> = {
  expand: (node) => {
    if (node.kind !== 'sequence' || !node.items.every(isText)) return mapEntries(node, oneToList);
    const hosts = new Map<string, Tree[]>();
    for (const item of node.items) {
      if (!isText(item)) continue;
      const at = item.value.search(/[=:]/);
      if (at === -1) return node;
      const host = item.value.slice(0, at);
      hosts.set(host, [...(hosts.get(host) ?? []), scalar(item.value.slice(at + 1), item.at)]);
    }
    const entries = [...hosts].map(([host, items]) => {
      const at = items[0]?.at ?? node.at;
      return [host, {key: at, value: {kind: 'sequence' as const, items, at}}] as const;
    });
    return withDirectiveOf(node, {kind: 'mapping', entries: new Map(entries), at: node.at});
  },
  merge: {each: {unique: itself}},
  read: (node, context) => {
    if (node.kind === 'sequence') {
      for (const item of node.items) {
        if (isText(item) && !/[=:]/.test(item.value))
          wrong(item, context, {message: `"${item.value}" has no address`, hint: 'write HOST=ADDRESS'});
      }
      return undefined;
    }
    if (node.kind !== 'mapping') return undefined;
    const result: Record<string, readonly string[]> = {};
    for (const [host, entry] of node.entries) {
      result[host] = (list(text)(entry.value, context) ?? []).map((address) => address.replace(/^\[(.*)\]$/, '$1'));
    }
    return result;
  },
  lower: (value, {host}) => {
    host.ExtraHosts = Object.entries(value).flatMap(([name, addresses]) =>
      addresses.map((address) => `${name}:${address}`),
    );
  },
  render: (value) =>
    Object.entries(value)
      .flatMap(([name, addresses]) => addresses.map((address) => `${name}=${address}`))
      .sort(),
  change: 'recreate',
};

const dns: Row<'dns'> = {
  expand: oneToList,
  merge: {unique: itself},
  read: list(text),
  lower: (value, {host}) => {
    host.Dns = value;
  },
  change: 'recreate',
};

const dns_search: Row<'dns_search'> = {
  expand: oneToList,
  merge: {unique: itself},
  read: list(text),
  lower: (value, {host}) => {
    host.DnsSearch = value;
  },
  change: 'recreate',
};

const dns_opt: Row<'dns_opt'> = {
  merge: {unique: itself},
  read: list(text),
  lower: (value, {host}) => {
    host.DnsOptions = value;
  },
  change: 'recreate',
};

export const networkAttributes = {networks, network_mode, extra_hosts, dns, dns_search, dns_opt} as const;
