import {randomInt} from 'node:crypto';
import {sha256Hex} from '../../base/canonical-json.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import {interfaceAlias, type Layout, vethName} from '../layout.ts';
import {isDefaultBridge} from './default-bridge.ts';
import {driverOptionsOf} from './driver-options.ts';
import {tableOf} from './firewall.ts';
import {protocolNumbers} from './firewall-rules.ts';
import {bytesOf, lastOf, parseAddress} from './ip.ts';
import {type NetlinkFamily, netlinkFamilies} from './kernel.ts';
import {leaseFiles} from './leases.ts';
import type {Link} from './links.ts';
import {parseMac} from './mac.ts';
import {addAddress, addDefaultRoute, addDirectDefaultRoute, addressFamilies} from './netlink/address.ts';
import {equals, load, register, translateDestination} from './netlink/expression.ts';
import {createVethPair, deleteLink, isolateBridgePort, noGeneratedAddress, setLink} from './netlink/link.ts';
import {encodeMessages, type NetlinkMessage} from './netlink/message.ts';
import {
  addChain,
  addElements,
  addRule,
  addTable,
  deleteElements,
  deleteTable,
  type TableRef,
  tableFamilies,
  transaction,
} from './netlink/nftables.ts';
import {createSubLink} from './netlink/sub-link.ts';
import {isVlan, type NetworkRecord, poolsOf, type VlanNetwork} from './network-record.ts';
import {type PortElement, type PublishedPort, portElement} from './port-elements.ts';
import {nameServiceAddress} from './resolv-conf.ts';
import {isRouted, vlanOptionsOf} from './vlan-options.ts';

/** A container's interface on one network, decided but not made. */
export interface PlannedInterface {
  readonly network: NetworkRecord;
  /** Index of the bridge, or of the parent. */
  readonly baseIndex: number;
  /** Inside the container. */
  readonly name: string;
  /** Empty: that of the parent (ipvlan). */
  readonly mac: string;
  readonly addresses: readonly string[];
  /** The default route of these families leads through this network. */
  readonly routes: {readonly ipv4: boolean; readonly ipv6: boolean};
  /** Names that stand for others on this network, for this container alone. */
  readonly links: readonly Link[];
  /** Settings of the kernel for this interface, `net/…` by value. */
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface AttachRequest {
  readonly layout: Layout;
  readonly containerId: string;
  readonly interfaces: readonly PlannedInterface[];
  readonly ports: readonly PublishedPort[];
  readonly upstreams: readonly string[];
  /** The file that these are from. */
  readonly resolverFile?: string | undefined;
  readonly ipv6Machine: boolean;
}

/** docs/native.md: the new network namespace, while `attach` batches run. */
const namespaceDescriptor = 100;
/** Above what the kernel counts up by itself in a new namespace, tunnels included. */
const firstIndex = 100;

const ownNamespace: MonitorOperation = {kind: 'network', mode: 'new'};
/** The loopback interface is the first in every namespace. */
const loopbackUp = setLink({index: 1}, {up: true});

/** A namespace with nothing but a loopback interface. */
export function isolatedOperations(): readonly MonitorOperation[] {
  return [ownNamespace, batch('inside', 'route', [loopbackUp])];
}

/** Everything a monitor does for a container's networks, at its start and at its end. */
export function attachOperations(request: AttachRequest): readonly MonitorOperation[] {
  const {layout, containerId, interfaces, ports} = request;
  const elements = ports.flatMap((port) => portElement(port, containerId) ?? []);
  const table = tableOf(layout);
  return [
    ownNamespace,
    batch(
      'attach',
      'route',
      interfaces.flatMap((planned, position) => interfaceMessages(request, planned, firstIndex + position)),
    ),
    ...(elements.length > 0
      ? [
          rules(
            'attach',
            elements.map(({set, element}) => addElements(table, set, [element])),
          ),
        ]
      : []),
    batch('inside', 'route', [
      loopbackUp,
      ...interfaces.flatMap((planned, position) => insideMessages(request, planned, firstIndex + position)),
    ]),
    rules('inside', nameServiceRules(containerId)),
    ...interfaces.flatMap(sysctlOperations),
    ...networkOperations(request),
  ];
}

export function sysctlOperations({sysctls}: PlannedInterface): readonly MonitorOperation[] {
  return Object.entries(sysctls).map(([key, value]) => ({kind: 'interfaceSysctl', key, value}));
}

/** What an event of a network says of the container that it is about. */
export function memberAttributes(
  container: string,
  {name, driver}: {readonly name: string; readonly driver: string},
): Readonly<Record<string, string>> {
  return {container, name, type: driver};
}

/** Events tell of it when the container comes to the network and when it leaves. */
export function memberOperation(
  container: string,
  {id, name, driver}: Pick<NetworkRecord, 'id' | 'name'> & {readonly driver: string},
): MonitorOperation {
  const attributes = memberAttributes(container, {name, driver});
  return {kind: 'networkMember', id, attributes: JSON.stringify(attributes).slice(1, -1)};
}

/** What a monitor knows of the networks for as long as nothing about them changes: whom it serves, and what goes at the end. */
export function networkOperations(request: AttachRequest): readonly MonitorOperation[] {
  const {layout, containerId, interfaces, ports, upstreams, resolverFile} = request;
  const elements = ports.flatMap((port) => portElement(port, containerId) ?? []);
  const table = tableOf(layout);
  const pairs = interfaces.flatMap(({network}) =>
    isVlan(network) ? [] : [deleteLink(vethName(layout, network.id, containerId))],
  );
  return [
    ...ports.map((port): MonitorOperation => ({kind: 'publish', ...port})),
    {kind: 'dns', address: `${nameServiceAddress}:${servicePortOf(containerId)}`},
    ...upstreams.map((address): MonitorOperation => ({kind: 'dnsUpstream', address, port: 53})),
    ...(resolverFile === undefined ? [] : [{kind: 'dnsFile', path: resolverFile} as const]),
    // On the default network there are no names, as with Docker.
    ...interfaces
      .filter(({network}) => !isDefaultBridge(network))
      .map(({network}): MonitorOperation => {
        return {kind: 'dnsNetwork', name: network.name, directory: layout.network(network.id).names};
      }),
    ...interfaces.flatMap(({network, links}) =>
      links.map((link): MonitorOperation => ({kind: 'dnsLink', network: network.name, ...link})),
    ),
    ...interfaces.map(({network}) => memberOperation(containerId, network)),
    // One transaction each: what is missing already must not keep the rest.
    ...elements.map((element) => rules('detach', [removal(table, element)])),
    // The others go with their namespace.
    ...(pairs.length > 0 ? [batch('detach', 'route', pairs)] : []),
    ...interfaces.flatMap(({network}) =>
      leaseFiles(layout, network.id, containerId).map((path): MonitorOperation => ({kind: 'cleanup', path})),
    ),
  ];
}

export function removal(table: TableRef, {set, element}: PortElement): NetlinkMessage {
  return deleteElements(table, set, [element.key]);
}

type When = 'attach' | 'inside' | 'detach';

function batch(when: When, family: NetlinkFamily, messages: readonly NetlinkMessage[]): MonitorOperation {
  return {kind: 'netlinkBatch', when, family: netlinkFamilies[family], batch: encodeMessages(messages)};
}

function rules(when: When, changes: readonly NetlinkMessage[]): MonitorOperation {
  return batch(when, 'netfilter', transaction(changes));
}

/** Makes an interface of the container, from the machine's side. `inside`: its index there. */
export function interfaceMessages(
  request: AttachRequest,
  planned: PlannedInterface,
  inside: number,
): readonly NetlinkMessage[] {
  const {network} = planned;
  return isVlan(network) ? subLinkMessages(planned, network, inside) : pairMessages(request, planned, inside);
}

/** Both ends are made by one message, so that none is ever left without the other. */
function pairMessages(
  {layout, containerId, ipv6Machine}: AttachRequest,
  {network, baseIndex, name, mac}: PlannedInterface,
  inside: number,
): readonly NetlinkMessage[] {
  const {mtu, interContainer} = driverOptionsOf(network);
  const veth = vethName(layout, network.id, containerId);
  // Far above the indexes in use: one that is taken would fail the start.
  const index = 0x10000000 + randomInt(0x10000000);
  return [
    createVethPair({
      name: veth,
      index,
      master: baseIndex,
      mtu,
      peer: {name, index: inside, address: parseMac(mac), namespaceDescriptor},
    }),
    setLink(
      {index},
      {
        alias: interfaceAlias(layout, containerId),
        ...(ipv6Machine ? {familySettings: {inet6: {addressGeneration: noGeneratedAddress}}} : {}),
      },
    ),
    ...(interContainer ? [] : [isolateBridgePort({index})]),
  ];
}

function subLinkMessages(
  {baseIndex, name, mac}: PlannedInterface,
  network: VlanNetwork,
  index: number,
): readonly NetlinkMessage[] {
  const {mode, flag, mtu} = vlanOptionsOf(network);
  const {driver} = network;
  return [
    createSubLink({
      kind: driver,
      mode,
      flag,
      link: baseIndex,
      name,
      index,
      namespaceDescriptor,
      // One that is passed through keeps the parent's, and changes it where it is given another.
      ...(driver === 'macvlan' && mode !== 'passthru' ? {address: parseMac(mac)} : {}),
      mtu,
    }),
  ];
}

export function insideMessages(
  {ipv6Machine}: AttachRequest,
  {network, mac, addresses, routes}: PlannedInterface,
  index: number,
): readonly NetlinkMessage[] {
  const pools = poolsOf(network);
  const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
  return [
    // Interfaces that share a link address have link-local ones that only the kernel tells apart.
    ...(ipv6Machine && mac !== ''
      ? [setLink({index}, {familySettings: {inet6: {addressGeneration: noGeneratedAddress}}})]
      : []),
    ...(network.ipv6 && mac !== '' ? [addAddress({index, address: linkLocalAddress(mac), prefixLength: 64})] : []),
    ...parsed.flatMap((address) => {
      const pool = pools.find(({subnet}) => subnet.family === address.family);
      if (!pool) return [];
      return addAddress({
        index,
        address: bytesOf(address),
        prefixLength: pool.subnet.length,
        ...(address.family === 4 ? {broadcast: bytesOf(lastOf(pool.subnet))} : {}),
      });
    }),
    ...(isPassedThrough(network) ? [setLink({index}, {address: parseMac(mac)})] : []),
    setLink({index}, {up: true}),
    ...pools.flatMap(({subnet: {family}, gateway}) => {
      if (!(family === 4 ? routes.ipv4 : routes.ipv6)) return [];
      if (isVlan(network) && isRouted(vlanOptionsOf(network))) {
        return [addDirectDefaultRoute({index, family})];
      }
      return gateway ? [addDefaultRoute({index, gateway: bytesOf(gateway)})] : [];
    }),
  ];
}

function isPassedThrough(network: NetworkRecord): boolean {
  return isVlan(network) && vlanOptionsOf(network).mode === 'passthru';
}

/** As the kernel makes it from a MAC address (RFC 4291, appendix A), but usable at once. */
function linkLocalAddress(mac: string): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = parseMac(mac);
  return Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 0x02, b, c, 0xff, 0xfe, d, e, f);
}

/** Above the range that outgoing connections take theirs from; 53 itself is the container's to use. The same at every time. */
function servicePortOf(containerId: string): number {
  return 61000 + (Number.parseInt(sha256Hex(containerId).slice(0, 8), 16) % 4000);
}

const nameServiceTable: TableRef = {family: tableFamilies.ipv4, table: 'tscompose_names'};

/**
 * The same where the table may be there already, from networks that the container left. Not in a new namespace: whatever a
 * transaction takes away holds its socket up (nft_rcv_nl_event), which would be the longest step of a start.
 */
export function renewedNameServiceRules(containerId: string): readonly NetlinkMessage[] {
  return [addTable(nameServiceTable), deleteTable(nameServiceTable), ...nameServiceRules(containerId)];
}

/**
 * Questions to the name service's port 53 go to where it listens: a container that binds port 53 on all of its addresses
 * finds it free. As Docker does; the table is the container's own.
 */
function nameServiceRules(containerId: string): readonly NetlinkMessage[] {
  const table = nameServiceTable;
  const address = parseAddress(nameServiceAddress);
  const service = address ? bytesOf(address) : new Uint8Array(4);
  const servicePort = servicePortOf(containerId);
  const port = (number: number) => Uint8Array.of(number >> 8, number & 0xff);
  const redirect = (protocol: number) =>
    addRule(table, {
      chain: 'output',
      expressions: [
        load.ipv4Destination(),
        equals(service),
        load.l4proto(),
        equals(Uint8Array.of(protocol)),
        load.destinationPort(),
        equals(port(53)),
        {kind: 'immediate', destination: register(0), data: {value: service}},
        {kind: 'immediate', destination: register(1), data: {value: port(servicePort)}},
        translateDestination({family: addressFamilies.inet, address: register(0), port: register(1)}),
      ],
    });
  return [
    addTable(table),
    addChain(table, 'output', {type: 'nat', hook: 'output', priority: -100}),
    redirect(protocolNumbers.udp),
    redirect(protocolNumbers.tcp),
  ];
}
