import type {IpamPool, NetworkContainer, NetworkInspect} from '../../api/types/network.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readdir} from '../at-once.ts';
import {validateNetwork} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord} from '../record-store.ts';
import {type Address, type Prefix, parseAddress, parsePrefix} from './ip.ts';
import type {VlanDriver} from './vlan-options.ts';

/** config.json of a network: written once (schemas/record/network.schema.json). */
export interface NetworkRecord {
  readonly v: 1;
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: 'bridge' | VlanDriver;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly pools: readonly RecordedPool[];
  /** Name of the bridge; empty with other drivers. */
  readonly bridge: string;
  /** Of the other drivers. */
  readonly parent?: RecordedParent;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The machine's interface that containers' interfaces are on. */
export interface RecordedParent {
  readonly name: string;
  /** It is ours: an interface that leads nowhere, or the part of one with a tag. */
  readonly made?: 'dummy' | 'vlan';
}

export type VlanNetwork = NetworkRecord & {readonly driver: VlanDriver; readonly parent: RecordedParent};

export function isVlan(record: NetworkRecord): record is VlanNetwork {
  return record.parent !== undefined;
}

export interface RecordedPool {
  readonly subnet: string;
  readonly range?: string;
  /** Empty: none is kept, the way out needs no router or there is none. */
  readonly gateway: string;
  readonly auxiliary?: Readonly<Record<string, string>>;
  /** Chosen by the engine, which then also chooses all addresses in it. */
  readonly automatic: boolean;
}

/** A pool with its addresses read. */
export interface Pool {
  readonly subnet: Prefix;
  /** Where addresses are given from: the range, or all of the subnet. */
  readonly range: Prefix;
  readonly gateway: Address | undefined;
  readonly reserved: readonly Address[];
  readonly automatic: boolean;
}

const networkId = /^[0-9a-f]{64}$/;

/** All networks of the root, whole ones only, oldest first. */
export async function readNetworks(layout: Layout): Promise<readonly NetworkRecord[]> {
  const names = await readdir(layout.networks).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const records = await Promise.all(names.filter((name) => networkId.test(name)).map((id) => readNetwork(layout, id)));
  return records
    .filter((record) => record !== undefined)
    .sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
}

export function readNetwork(layout: Layout, id: string): Promise<NetworkRecord | undefined> {
  return readRecord<NetworkRecord>(layout.network(id).config, validateNetwork);
}

/** By id, by name, then by a prefix of the id that only one network has. Throws `notFound`, `invalid` when ambiguous. */
export function findNetwork(networks: readonly NetworkRecord[], reference: string): NetworkRecord {
  const exact = networks.find(({id}) => id === reference) ?? networks.find(({name}) => name === reference);
  if (exact) return exact;
  const candidates = reference === '' ? [] : networks.filter(({id}) => id.startsWith(reference));
  const [only, second] = candidates;
  if (only && second)
    throw new TscomposeError('invalid', `network ${reference} is ambiguous: ${candidates.length} ids start with it`);
  if (!only) throw new TscomposeError('notFound', `network ${reference} not found`);
  return only;
}

/** The pools that addresses are given from: one a family that is switched on, IPv4 first. */
export function poolsOf(record: NetworkRecord): readonly Pool[] {
  const pools = record.pools.flatMap(({subnet: text, range, gateway: gatewayText, auxiliary, automatic}) => {
    const subnet = parsePrefix(text);
    const gateway = parseAddress(gatewayText);
    if (!subnet || !(subnet.family === 4 ? record.ipv4 : record.ipv6)) return [];
    return {
      subnet,
      range: (range === undefined ? undefined : parsePrefix(range)) ?? subnet,
      gateway,
      reserved: Object.values(auxiliary ?? {}).flatMap((address) => parseAddress(address) ?? []),
      automatic,
    };
  });
  return pools.sort((a, b) => a.subnet.family - b.subnet.family);
}

/** As the Engine API shows it. */
export function inspectNetwork(
  record: NetworkRecord,
  containers: Readonly<Record<string, NetworkContainer>>,
): NetworkInspect {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: record.ipv4,
    EnableIPv6: record.ipv6,
    IPAM: {Driver: 'default', Options: null, Config: record.pools.map(inspectPool)},
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: {Network: ''},
    ConfigOnly: false,
    Containers: containers,
    Options: record.options,
    Labels: record.labels,
  };
}

function inspectPool({subnet, range, gateway, auxiliary}: RecordedPool): IpamPool {
  return {
    Subnet: subnet,
    ...(range === undefined ? {} : {IPRange: range}),
    ...(gateway === '' ? {} : {Gateway: gateway}),
    ...(auxiliary === undefined ? {} : {AuxiliaryAddresses: auxiliary}),
  };
}
