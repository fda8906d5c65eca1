import {attributes, type Codec, numbered, raw, text, u8, u32, type Values} from './attribute.ts';
import {messageFlags, type NetlinkMessage} from './message.ts';

/** Interfaces: RTM_*LINK messages. rtnetlink(7), include/uapi/linux/if_link.h. */

const messageTypes = {newLink: 16, deleteLink: 17, getLink: 18, setLink: 19} as const;

const interfaceFlags = {up: 0x1} as const;

/** Per-interface IPv4 settings (include/uapi/linux/ip.h), as under /proc/sys/net/ipv4/conf/<name>/. */
export const ipv4Settings = {forwarding: 1, sendRedirects: 6, rpFilter: 8, arpNotify: 22, acceptLocal: 23} as const;

/** No link-local address is made up for the interface: it has no IPv6 but what is given to it. */
export const noGeneratedAddress = 1;

const header: Codec<{
  readonly family: number;
  readonly index: number;
  readonly flags: number;
  readonly change: number;
}> = {
  encode({family, index, flags, change}) {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, family);
    view.setInt32(4, index, true);
    view.setUint32(8, flags, true);
    view.setUint32(12, change, true);
    return bytes;
  },
  decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return {
      family: view.getUint8(0),
      index: view.getInt32(4, true),
      flags: view.getUint32(8, true),
      change: view.getUint32(12, true),
    };
  },
};
const headerSize = 16;

const addressFamilySettings = attributes({
  inet: [2, attributes({settings: [1, numbered(u32)]})],
  inet6: [10, attributes({addressGeneration: [8, u8]})],
});

/** What can be said of the other end of a pair: it is made in another namespace under its own name and index. */
const peerAttributes = attributes({
  address: [1, raw],
  name: [3, text],
  mtu: [4, u32],
  namespaceDescriptor: [28, u32],
  familySettings: [26, addressFamilySettings],
});
type Peer = {readonly index: number} & ReturnType<(typeof peerAttributes)['decode']>;

const peer: Codec<Peer> = {
  nested: true,
  encode: ({index, ...rest}) =>
    Buffer.concat([header.encode({family: 0, index, flags: 0, change: 0}), peerAttributes.encode(rest)]),
  decode: (bytes) => ({index: header.decode(bytes).index, ...peerAttributes.decode(bytes.subarray(headerSize))}),
};

const vethData = attributes({peer: [1, peer]});

const bridgePort = attributes({isolated: [33, u8]});

const linkSchema = {
  address: [1, raw],
  name: [3, text],
  mtu: [4, u32],
  /** Index of the interface below this one. */
  link: [5, u32],
  master: [10, u32],
  bridgePort: [12, bridgePort],
  alias: [20, text],
  familySettings: [26, addressFamilySettings],
  namespaceDescriptor: [28, u32],
  info: [18, attributes({kind: [1, text], data: [2, raw]})],
} as const;
const linkAttributes = attributes(linkSchema);

export type LinkAttributes = Values<typeof linkSchema>;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly alias: string;
  /** Index of the bridge that it is a port of; 0: none. */
  readonly master: number;
  readonly kind: string;
  readonly mtu: number;
  /** `02:42:ac:12:00:02`; empty for an interface without one. */
  readonly address: string;
}

function linkMessage(
  type: number,
  flags: number,
  values: LinkAttributes,
  {index = 0, up, family = 0}: {readonly index?: number; readonly up?: boolean; readonly family?: number} = {},
): NetlinkMessage {
  const state = up === undefined ? 0 : interfaceFlags.up;
  return {
    type,
    flags: messageFlags.request | messageFlags.acknowledge | flags,
    payload: Buffer.concat([
      header.encode({family, index, flags: up === true ? state : 0, change: state}),
      linkAttributes.encode(values),
    ]),
  };
}

const create = messageFlags.create | messageFlags.exclusive;

/** An interface of any kind, with what its kind wants to know. */
export function createLink(
  {kind, data, ...values}: Omit<LinkAttributes, 'info'> & {readonly kind: string; readonly data?: Uint8Array},
  options: {readonly index?: number; readonly up?: boolean} = {},
): NetlinkMessage {
  const info = {kind, ...(data === undefined ? {} : {data})};
  return linkMessage(messageTypes.newLink, create, {...values, info}, options);
}

export function createBridge(options: {readonly name: string; readonly address: Uint8Array}): NetlinkMessage {
  return linkMessage(messageTypes.newLink, create, {...options, info: {kind: 'bridge'}});
}

/** A pair: one end on the bridge of this namespace and up, the other in the namespace of an open descriptor. */
export function createVethPair(options: {
  readonly name: string;
  /** The kernel takes a chosen index for the other end only where this end's is chosen too. */
  readonly index: number;
  /** Index of the bridge. */
  readonly master: number;
  readonly mtu?: number | undefined;
  readonly peer: {
    readonly name: string;
    readonly index: number;
    readonly address: Uint8Array;
    readonly namespaceDescriptor: number;
  };
}): NetlinkMessage {
  const mtu = options.mtu === undefined ? {} : {mtu: options.mtu};
  return linkMessage(
    messageTypes.newLink,
    create,
    {
      name: options.name,
      master: options.master,
      ...mtu,
      info: {kind: 'veth', data: vethData.encode({peer: {...options.peer, ...mtu}})},
    },
    {up: true, index: options.index},
  );
}

/** A pair with both ends in this namespace. */
export function createLocalVethPair(options: {
  readonly name: string;
  readonly index: number;
  readonly peer: {readonly name: string; readonly index: number; readonly address: Uint8Array};
}): NetlinkMessage {
  return linkMessage(
    messageTypes.newLink,
    create,
    {name: options.name, info: {kind: 'veth', data: vethData.encode({peer: options.peer})}},
    {up: true, index: options.index},
  );
}

/** Changes an interface, found by its index or, where that is 0, by its name. */
export function setLink(
  target: {readonly index: number} | {readonly name: string},
  values: Omit<LinkAttributes, 'name' | 'info'> & {readonly up?: boolean},
): NetlinkMessage {
  const {up, ...rest} = values;
  const byName = 'index' in target ? {} : {name: target.name};
  return linkMessage(
    messageTypes.newLink,
    0,
    {...byName, ...rest},
    {index: 'index' in target ? target.index : 0, ...(up === undefined ? {} : {up})},
  );
}

/** Frames between isolated ports of one bridge are dropped. AF_BRIDGE: the settings of the port, not of the link. */
export function isolateBridgePort(target: {readonly index: number}): NetlinkMessage {
  return linkMessage(messageTypes.setLink, 0, {bridgePort: {isolated: 1}}, {index: target.index, family: 7});
}

export function deleteLink(name: string): NetlinkMessage {
  return linkMessage(messageTypes.deleteLink, 0, {name});
}

export function getLinks(): NetlinkMessage {
  return {
    type: messageTypes.getLink,
    flags: messageFlags.request | messageFlags.dump,
    payload: header.encode({family: 0, index: 0, flags: 0, change: 0}),
  };
}

/** One interface by name; the kernel answers ENODEV where there is none. */
export function getLink(name: string): NetlinkMessage {
  return linkMessage(messageTypes.getLink, 0, {name});
}

export function decodeLink({type, payload}: NetlinkMessage): Link | undefined {
  if (type !== messageTypes.newLink) return undefined;
  const {index, flags} = header.decode(payload);
  const values = linkAttributes.decode(payload.subarray(headerSize));
  return {
    index,
    up: (flags & interfaceFlags.up) !== 0,
    name: values.name ?? '',
    alias: values.alias ?? '',
    master: values.master ?? 0,
    kind: values.info?.kind ?? '',
    mtu: values.mtu ?? 0,
    address: Array.from(values.address ?? [], (byte) => byte.toString(16).padStart(2, '0')).join(':'),
  };
}
