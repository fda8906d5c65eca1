import {attributes, u16, u32} from './attribute.ts';
import {createLink} from './link.ts';
import type {NetlinkMessage} from './message.ts';

/** Interfaces on top of others, and those that lead nowhere. include/uapi/linux/if_link.h, drivers/net/{macvlan,dummy}.c. */

const macvlanModes: Readonly<Record<string, number>> = {private: 1, vepa: 2, bridge: 4, passthru: 8};
const ipvlanModes: Readonly<Record<string, number>> = {l2: 0, l3: 1, l3s: 2};
const ipvlanFlags: Readonly<Record<string, number>> = {bridge: 0, private: 1, vepa: 2};

const macvlanData = attributes({mode: [1, u32]});
const ipvlanData = attributes({mode: [1, u16], flags: [2, u16]});
const vlanData = attributes({id: [1, u16]});

export interface SubLink {
  readonly kind: 'macvlan' | 'ipvlan';
  readonly mode: string;
  readonly flag: string;
  /** Index of the interface below, in this namespace. */
  readonly link: number;
  /** Name and index in the namespace of an open descriptor. */
  readonly name: string;
  readonly index: number;
  readonly namespaceDescriptor: number;
  /** Without one macvlan makes one up; ipvlan has that of the interface below. */
  readonly address?: Uint8Array;
  readonly mtu?: number | undefined;
}

/** An interface of a container, made in its namespace at once. */
export function createSubLink({kind, mode, flag, index, mtu, ...values}: SubLink): NetlinkMessage {
  const data =
    kind === 'macvlan'
      ? macvlanData.encode({mode: macvlanModes[mode] ?? 0})
      : ipvlanData.encode({mode: ipvlanModes[mode] ?? 0, flags: ipvlanFlags[flag] ?? 0});
  return createLink({...values, ...(mtu === undefined ? {} : {mtu}), kind, data}, {index});
}

/** Takes every frame, and leads nowhere. */
export function createDummy(options: {readonly name: string}): NetlinkMessage {
  return createLink({...options, kind: 'dummy'});
}

/** The part of an interface's traffic that carries a tag. */
export function createVlan(options: {
  readonly name: string;
  readonly link: number;
  readonly id: number;
}): NetlinkMessage {
  const {id, ...values} = options;
  return createLink({...values, kind: 'vlan', data: vlanData.encode({id})});
}

export type LinkKind = 'macvlan' | 'ipvlan' | 'vlan' | 'dummy';

/**
 * What no kernel can make: one that knows the kind of interface says what is missing, one that does not know it says
 * that (EOPNOTSUPP). Either way nothing is made, and the kernel has loaded its module where there is one.
 */
export function impossibleLink(kind: LinkKind): NetlinkMessage {
  // The others need an interface below them.
  return createLink({kind, ...(kind === 'dummy' ? {address: new Uint8Array(6)} : {})});
}
