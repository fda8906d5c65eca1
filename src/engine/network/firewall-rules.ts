import {sha256Hex} from '../../base/canonical-json.ts';
import {addressFamilies} from './netlink/address.ts';
import {
  connectionState,
  connectionStatus,
  decide,
  differs,
  type Expression,
  equals,
  hasBits,
  inSet,
  interfaceName,
  lacksBits,
  load,
  mapTo,
  mask,
  masquerade,
  nativeNumber,
  register,
  translateDestination,
} from './netlink/expression.ts';
import type {BaseChain, NewSet} from './netlink/nftables.ts';

/**
 * The one nftables table of a root. Its rules are the same for every set of networks: what differs are the elements of
 * its sets, so that a network or a published port comes and goes by adding and deleting elements.
 */

export const sets = {
  /** Bridges of the root. */
  bridges: {name: 'bridges', key: ['interfaceName']},
  /** Each bridge with itself: traffic within a network, and back into it through the machine. */
  same: {name: 'same', key: ['interfaceName', 'interfaceName']},
  /** As `same`, for networks whose containers must not reach each other. */
  closed: {name: 'closed', key: ['interfaceName', 'interfaceName']},
  internal: {name: 'internal', key: ['interfaceName']},
  /** Bridges whose traffic leaves under the machine's address. */
  masquerade: {name: 'masquerade', key: ['interfaceName']},
} as const satisfies Record<string, NewSet>;

export const portSets = {
  ports4: {name: 'ports4', key: ['ipv4Address', 'protocol', 'port'], data: ['ipv4Address', 'port']},
  ports6: {name: 'ports6', key: ['ipv6Address', 'protocol', 'port'], data: ['ipv6Address', 'port']},
  /** Ports published on all addresses. */
  any4: {name: 'any4', key: ['protocol', 'port'], data: ['ipv4Address', 'port']},
  any6: {name: 'any6', key: ['protocol', 'port'], data: ['ipv6Address', 'port']},
  /** Ports published on loopback addresses: served by the proxy alone, and never from outside. */
  loopback4: {name: 'loopback4', key: ['ipv4Address', 'protocol', 'port']},
} as const satisfies Record<string, NewSet>;
export type PortSetName = keyof typeof portSets;

export interface FirewallChain {
  readonly name: string;
  readonly base?: BaseChain;
  readonly rules: readonly (readonly Expression[])[];
}

const ipv4 = [load.nfproto(), equals(Uint8Array.of(addressFamilies.inet))];
const ipv6 = [load.nfproto(), equals(Uint8Array.of(addressFamilies.inet6))];
/** What ports can be published of. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';
export const protocolNumbers: Readonly<Record<PortProtocol, number>> = {tcp: 6, udp: 17, sctp: 132};

/** Loads `iifname . oifname`. */
const bothInterfaces = [load.iifname(register(0)), load.oifname(register(4))];
const toThisMachine = [load.destinationType(), equals(nativeNumber(2))];
const notTranslated = [load.ctStatus(), ...lacksBits(connectionStatus.destinationTranslated)];
const drop = decide({kind: 'drop'});
const accept = decide({kind: 'accept'});
const back = decide({kind: 'return'});

/** An accept ends this chain only: other tables still have their say. A drop is final. */
export const chains: readonly FirewallChain[] = [
  {
    name: 'raw',
    base: {type: 'filter', hook: 'prerouting', priority: -300},
    rules: [
      // Where route_localnet is on, a neighbour could send packets for 127.0.0.1 and have them delivered.
      [
        load.iifname(),
        differs(interfaceName('lo')),
        ...ipv4,
        load.ipv4Destination(register(0)),
        load.l4proto(register(1)),
        load.destinationPort(register(2)),
        inSet(portSets.loopback4.name),
        drop,
      ],
    ],
  },
  {
    // After connections are told apart (-200), before addresses are translated (-100).
    name: 'source',
    base: {type: 'filter', hook: 'prerouting', priority: -150},
    rules: [
      // A container speaks for itself alone, whatever rp_filter says: root in it can write any source into a packet.
      [
        load.iifname(),
        inSet(sets.bridges.name),
        load.ctState(),
        ...hasBits(connectionState.new),
        load.wayBack(),
        equals(nativeNumber(0)),
        drop,
      ],
    ],
  },
  {
    name: 'publish',
    rules: [
      [
        ...ipv4,
        load.ipv4Destination(register(0)),
        load.l4proto(register(1)),
        load.destinationPort(register(2)),
        mapTo(portSets.ports4.name),
        translateDestination({family: addressFamilies.inet, address: register(0), port: register(1)}),
      ],
      [
        ...ipv4,
        load.l4proto(register(0)),
        load.destinationPort(register(1)),
        mapTo(portSets.any4.name),
        translateDestination({family: addressFamilies.inet, address: register(0), port: register(1)}),
      ],
      [
        ...ipv6,
        load.ipv6Destination(register(0)),
        load.l4proto(register(4)),
        load.destinationPort(register(5)),
        mapTo(portSets.ports6.name),
        translateDestination({family: addressFamilies.inet6, address: register(0), port: register(4)}),
      ],
      [
        ...ipv6,
        load.l4proto(register(0)),
        load.destinationPort(register(1)),
        mapTo(portSets.any6.name),
        translateDestination({family: addressFamilies.inet6, address: register(0), port: register(4)}),
      ],
    ],
  },
  {
    name: 'prerouting',
    base: {type: 'nat', hook: 'prerouting', priority: -100},
    rules: [
      // A container that asks for a port of the machine is served by the proxy: where bridge-nf-call-iptables is set, a
      // translated packet that leads back into its own bridge is bridged, and would not come back to where it came from.
      [load.iifname(), inSet(sets.bridges.name), back],
      [...toThisMachine, decide({kind: 'jump', chain: 'publish'})],
    ],
  },
  {
    name: 'output',
    base: {type: 'nat', hook: 'output', priority: -100},
    rules: [
      // Loopback goes to the socket: translated, its packets would leave with a source that nobody can answer.
      [...ipv4, load.ipv4Destination(), mask(Uint8Array.of(255, 0, 0, 0)), equals(Uint8Array.of(127, 0, 0, 0)), back],
      [...ipv6, load.ipv6Destination(), equals(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)), back],
      [...toThisMachine, decide({kind: 'jump', chain: 'publish'})],
    ],
  },
  {
    name: 'postrouting',
    base: {type: 'nat', hook: 'postrouting', priority: 100},
    rules: [
      [
        load.iifname(),
        inSet(sets.masquerade.name),
        ...bothInterfaces,
        inSet(sets.same.name, {inverted: true}),
        masquerade,
      ],
    ],
  },
  {
    name: 'forward',
    base: {type: 'filter', hook: 'forward', priority: 0},
    rules: [
      [load.ctState(), ...hasBits(connectionState.established | connectionState.related), accept],
      [...bothInterfaces, inSet(sets.closed.name), ...notTranslated, drop],
      [...bothInterfaces, inSet(sets.same.name), accept],
      [load.iifname(), inSet(sets.internal.name), drop],
      [load.oifname(), inSet(sets.internal.name), drop],
      // From outside and from other networks only what was published, and only by its published address.
      [load.oifname(), inSet(sets.bridges.name), ...notTranslated, drop],
    ],
  },
  {
    name: 'input',
    base: {type: 'filter', hook: 'input', priority: 0},
    rules: [[load.iifname(), inSet(sets.internal.name), load.ctState(), ...hasBits(connectionState.new), drop]],
  },
];

/** Changes with every change of the rules above: a table with another one was made by another version, or was tampered with. */
export const rulesVersion = sha256Hex(
  JSON.stringify({sets, portSets, chains}, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? [...value] : value,
  ),
).slice(0, 10);
