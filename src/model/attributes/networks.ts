import type {Json} from '../../base/canonical-json.ts';
import {isText, mapEntries, scalar, type Tree} from '../tree.ts';
import type {Service, ServiceNetwork} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {itself} from './process.ts';
import {list, number, object, type Reader, refine, text, wrong} from './readers.ts';
import {namesTo, oneToList, withDirectiveOf} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const readNetwork: Reader<ServiceNetwork> = object<ServiceNetwork>({
  aliases: list(text),
  ipv4_address: text,
  ipv6_address: text,
  mac_address: text,
  priority: number,
  gw_priority: number,
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
  merge: {each: {members: {aliases: {unique: itself}}}},
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
};

function renderNetwork({
  aliases,
  gw_priority,
  ipv4_address,
  ipv6_address,
  mac_address,
  priority,
}: ServiceNetwork): Json {
  return {
    ...(aliases === undefined || aliases.length === 0 ? {} : {aliases}),
    ...(gw_priority === undefined ? {} : {gw_priority}),
    ...(ipv4_address === undefined ? {} : {ipv4_address}),
    ...(ipv6_address === undefined ? {} : {ipv6_address}),
    ...(mac_address === undefined ? {} : {mac_address}),
    ...(priority === undefined ? {} : {priority}),
  };
}

const network_mode: Row<'network_mode'> = {
  read: refine(text, (value, node, context) => {
    if (value === 'host' || value === 'none') return value;
    if (value === 'bridge' || /^(?:service|container):./.test(value)) {
      return wrong(node, context, {
        kind: 'unsupported',
        code: 'unsupported',
        message: `"${value}" is not supported yet`,
        hint: 'host and none are',
      });
    }
    return wrong(node, context, {
      message: `"${value}" is no network mode`,
      hint: 'it is host or none; to join a network write "networks"',
    });
  }),
  lower: (value, {host}) => {
    host.NetworkMode = value;
  },
  change: 'recreate',
};

/** `host=address` or `host:address`; an address may stand in brackets. */
const extra_hosts: Row<'extra_hosts'> = {
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
