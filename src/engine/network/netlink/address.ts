import {attributes, type Codec, raw, u32} from './attribute.ts';
import {messageFlags, type NetlinkMessage} from './message.ts';

/** Addresses and routes: RTM_*ADDR, RTM_*ROUTE, RTM_*NEIGH messages. rtnetlink(7). */

const messageTypes = {
  newAddress: 20,
  newRoute: 24,
  getRoute: 26,
  newNeighbour: 28,
} as const;

export const addressFamilies = {inet: 2, inet6: 10} as const;

function familyOf(address: Uint8Array): number {
  return address.length === 4 ? addressFamilies.inet : addressFamilies.inet6;
}

interface AddressHeader {
  readonly family: number;
  readonly prefixLength: number;
  readonly flags: number;
  readonly scope: number;
  readonly index: number;
}

const addressHeader: Pick<Codec<AddressHeader>, 'encode'> = {
  encode({family, prefixLength, flags, scope, index}) {
    const bytes = Uint8Array.of(family, prefixLength, flags, scope, 0, 0, 0, 0);
    new DataView(bytes.buffer).setUint32(4, index, true);
    return bytes;
  },
};

const addressAttributes = attributes({address: [1, raw], local: [2, raw], broadcast: [4, raw]});

/** Duplicate address detection is skipped: the address is usable at once, its uniqueness is ours to keep. */
const noDuplicateDetection = 0x02;

export interface InterfaceAddress {
  readonly index: number;
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/** The same address again is not an error. `broadcast`: the last address of an IPv4 subnet. */
export function addAddress(options: InterfaceAddress & {readonly broadcast?: Uint8Array | undefined}): NetlinkMessage {
  const {index, address, prefixLength, broadcast} = options;
  const family = familyOf(address);
  const flags = family === addressFamilies.inet6 ? noDuplicateDetection : 0;
  return {
    type: messageTypes.newAddress,
    flags: messageFlags.request | messageFlags.acknowledge | messageFlags.create | messageFlags.replace,
    payload: Buffer.concat([
      addressHeader.encode({family, prefixLength, flags, scope: 0, index}),
      addressAttributes.encode({address, local: address, ...(broadcast === undefined ? {} : {broadcast})}),
    ]),
  };
}

interface RouteHeader {
  readonly family: number;
  readonly prefixLength: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
}

const routeHeader: Codec<RouteHeader> = {
  encode({family, prefixLength, table, protocol, scope, type}) {
    return Uint8Array.of(family, prefixLength, 0, 0, table, protocol, scope, type, 0, 0, 0, 0);
  },
  decode: (bytes) => ({
    family: bytes[0] ?? 0,
    prefixLength: bytes[1] ?? 0,
    table: bytes[4] ?? 0,
    protocol: bytes[5] ?? 0,
    scope: bytes[6] ?? 0,
    type: bytes[7] ?? 0,
  }),
};
const routeHeaderSize = 12;

const routeAttributes = attributes({
  destination: [1, raw],
  outInterface: [4, u32],
  gateway: [5, raw],
  table: [15, u32],
});

const routeTables = {main: 254, local: 255} as const;
const routeProtocols = {boot: 3} as const;
const routeScopes = {universe: 0, link: 253} as const;
const unicast = 1;

export interface Route {
  readonly family: number;
  readonly table: number;
  /** Absent: the default route. */
  readonly destination?: Uint8Array;
  readonly prefixLength: number;
  /** Index of the interface it leads to. */
  readonly outInterface?: number;
  readonly gateway?: Uint8Array;
  /** A destination on the link itself, without a gateway. */
  readonly onLink: boolean;
}

/** The default route through a gateway, in place of another one. Without an index the interface is the one that reaches the gateway. */
export function addDefaultRoute(options: {readonly index?: number; readonly gateway: Uint8Array}): NetlinkMessage {
  const {index, gateway} = options;
  return routeMessage(
    {prefixLength: 0, scope: routeScopes.universe, family: familyOf(gateway)},
    routeAttributes.encode({...(index === undefined ? {} : {outInterface: index}), gateway}),
  );
}

/** The default route out of an interface on which every address is reached directly. */
export function addDirectDefaultRoute(options: {readonly index: number; readonly family: 4 | 6}): NetlinkMessage {
  const {index, family} = options;
  return routeMessage(
    {
      prefixLength: 0,
      scope: family === 4 ? routeScopes.link : routeScopes.universe,
      family: family === 4 ? addressFamilies.inet : addressFamilies.inet6,
    },
    routeAttributes.encode({outInterface: index}),
  );
}

function routeMessage(
  header: Pick<RouteHeader, 'prefixLength' | 'scope' | 'family'>,
  values: Uint8Array,
): NetlinkMessage {
  return {
    type: messageTypes.newRoute,
    flags: messageFlags.request | messageFlags.acknowledge | messageFlags.create | messageFlags.replace,
    payload: Buffer.concat([
      routeHeader.encode({...header, table: routeTables.main, protocol: routeProtocols.boot, type: unicast}),
      values,
    ]),
  };
}

export function getRoutes(): NetlinkMessage {
  return {
    type: messageTypes.getRoute,
    flags: messageFlags.request | messageFlags.dump,
    payload: routeHeader.encode({family: 0, prefixLength: 0, table: 0, protocol: 0, scope: 0, type: 0}),
  };
}

/** Unicast routes only. */
export function decodeRoute({type, payload}: NetlinkMessage): Route | undefined {
  if (type !== messageTypes.newRoute) return undefined;
  const header = routeHeader.decode(payload);
  if (header.type !== unicast) return undefined;
  const {table, ...values} = routeAttributes.decode(payload.subarray(routeHeaderSize));
  return {
    family: header.family,
    prefixLength: header.prefixLength,
    table: table ?? header.table,
    onLink: values.gateway === undefined,
    ...values,
  };
}

const neighbourAttributes = attributes({destination: [1, raw], linkAddress: [2, raw]});
const permanent = 0x80;

/** The link address of a neighbour, known for good: no ARP is needed. */
export function addNeighbour(options: {
  readonly index: number;
  readonly address: Uint8Array;
  readonly linkAddress: Uint8Array;
}): NetlinkMessage {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint8(0, familyOf(options.address));
  view.setInt32(4, options.index, true);
  view.setUint16(8, permanent, true);
  return {
    type: messageTypes.newNeighbour,
    flags: messageFlags.request | messageFlags.acknowledge | messageFlags.create | messageFlags.replace,
    payload: Buffer.concat([
      header,
      neighbourAttributes.encode({destination: options.address, linkAddress: options.linkAddress}),
    ]),
  };
}
