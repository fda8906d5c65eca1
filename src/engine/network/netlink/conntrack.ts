import {attributes, type Codec, raw, u8, u16be, u32} from './attribute.ts';
import {messageFlags, type NetlinkMessage} from './message.ts';

/** Tracked connections: include/uapi/linux/netfilter/nfnetlink_conntrack.h. */

const subsystem = 1;
const messageTypes = {newConnection: 0, getConnection: 1, deleteConnection: 2} as const;

const tuple = attributes({
  addresses: [
    1,
    attributes({ipv4Source: [1, raw], ipv4Destination: [2, raw], ipv6Source: [3, raw], ipv6Destination: [4, raw]}),
  ],
  protocol: [2, attributes({number: [1, u8], sourcePort: [2, u16be], destinationPort: [3, u16be]})],
});
const filter = attributes({original: [1, u32]});

const connectionAttributes = attributes({original: [1, tuple], reply: [2, tuple], filter: [25, filter]});
/** A tuple as it came, to be named again. */
const namedAttributes = attributes({original: [1, {...raw, nested: true} satisfies Codec<Uint8Array>]});

/** Which parts of the tuple a dump is to compare: protocol and destination port (CTA_FILTER_F_CTA_PROTO_*, Linux 5.8). */
const compared = (1 << 3) | (1 << 5);

function header(family: number): Uint8Array {
  return Uint8Array.of(family, 0, 0, 0);
}
const headerSize = 4;

/** Connections of a protocol to a destination port, as they began. `family`: 2 (IPv4) or 10 (IPv6). */
export function getConnections(options: {
  readonly family: number;
  readonly protocol: number;
  readonly destinationPort: number;
}): NetlinkMessage {
  const {family, protocol, destinationPort} = options;
  return {
    type: (subsystem << 8) | messageTypes.getConnection,
    flags: messageFlags.request | messageFlags.dump,
    payload: Buffer.concat([
      header(family),
      connectionAttributes.encode({
        original: {protocol: {number: protocol, destinationPort}},
        filter: {original: compared},
      }),
    ]),
  };
}

export interface Connection {
  readonly family: number;
  /** What it was addressed to. */
  readonly destination: Uint8Array;
  readonly destinationPort: number;
  readonly protocol: number;
  /** Who answers: another address or port than it was addressed to where it is translated. */
  readonly answers: Uint8Array;
  readonly answersPort: number;
  /** Names it when it is to be deleted. */
  readonly name: Uint8Array;
}

export function decodeConnection({type, payload}: NetlinkMessage): Connection | undefined {
  if (type !== ((subsystem << 8) | messageTypes.newConnection)) return undefined;
  const bytes = payload.subarray(headerSize);
  const {original, reply} = connectionAttributes.decode(bytes);
  const {original: name} = namedAttributes.decode(bytes);
  const destination = original?.addresses?.ipv4Destination ?? original?.addresses?.ipv6Destination;
  const answers = reply?.addresses?.ipv4Source ?? reply?.addresses?.ipv6Source;
  if (!name || !destination || !answers) return undefined;
  return {
    family: payload[0] ?? 0,
    destination,
    destinationPort: original?.protocol?.destinationPort ?? 0,
    protocol: original?.protocol?.number ?? 0,
    answers,
    answersPort: reply?.protocol?.sourcePort ?? 0,
    name,
  };
}

/** ENOENT where it has ended by itself. */
export function deleteConnection({family, name}: Connection): NetlinkMessage {
  return {
    type: (subsystem << 8) | messageTypes.deleteConnection,
    flags: messageFlags.request | messageFlags.acknowledge,
    payload: Buffer.concat([header(family), namedAttributes.encode({original: name})]),
  };
}
