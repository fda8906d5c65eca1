import type {IpamPool} from '../../api/types/network.ts';
import {TscomposeError} from '../../base/errors.ts';
import {
  type Address,
  bitsOf,
  contains,
  covers,
  formatAddress,
  formatPrefix,
  lastOf,
  overlap,
  type Prefix,
  parseAddress,
  parsePrefix,
} from './ip.ts';
import type {NetworkRecord, RecordedPool} from './network-record.ts';

/** A block that cannot be given to a new network, and why, as a person would say it. */
export interface Occupied {
  readonly prefix: Prefix;
  readonly by: string;
  /** A route through a gateway may hold our more exact one; nothing else may. */
  readonly gatewayRoute?: boolean;
}

export function occupiedByNetworks(networks: readonly NetworkRecord[]): readonly Occupied[] {
  return networks.flatMap(({name, pools}) =>
    pools.flatMap(({subnet}) => {
      const prefix = parsePrefix(subnet);
      return prefix ? {prefix, by: `network "${name}"`} : [];
    }),
  );
}

/** Docker's default pools: the private /16 blocks from 172.17 on, then /20 blocks of 192.168. */
function* ipv4Candidates(): Generator<Prefix> {
  for (let second = 17; second < 32; second += 1) yield known(`172.${second}.0.0/16`);
  for (let third = 0; third < 256; third += 16) yield known(`192.168.${third}.0/20`);
}

/** /64 blocks of a unique local /48 (RFC 4193) whose 40 bits come from the root. */
function* ipv6Candidates(rootHash: string): Generator<Prefix> {
  const [a, b, c] = [rootHash.slice(0, 2), rootHash.slice(2, 6), rootHash.slice(6, 10)];
  for (let subnet = 0; subnet < 65536; subnet += 1) yield known(`fd${a}:${b}:${c}:${subnet.toString(16)}::/64`);
}

function known(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new TscomposeError('internal', `${text} is not an address block`);
  return prefix;
}

export interface PoolRequest {
  /** For messages. */
  readonly network: string;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly given: readonly IpamPool[];
  /** Given to no network a second time. */
  readonly occupied: readonly Occupied[];
  /** Not taken unasked; taken by a bridge they would be cut off. */
  readonly occupiedByRoutes: readonly Occupied[];
  readonly rootHash: string;
  readonly driver: string;
  /** An address is kept for a gateway, also where none was named. */
  readonly gateways: boolean;
}

/**
 * The pools of a new network: those that were asked for, checked, and a free one for each family without. Throws
 * `invalid` for contradictions, `forbidden` where a block is taken, `exhausted` when none is left.
 */
export function choosePools(request: PoolRequest): readonly RecordedPool[] {
  const {network, ipv4, ipv6, rootHash} = request;
  const loose = request.given.find((pool) => !pool.Subnet && (pool.Gateway || pool.IPRange));
  if (loose) throw refuse(network, `${loose.Gateway ?? loose.IPRange} needs a subnet`);
  const pools = request.given.map((pool) => checkPool(pool, request));
  refuseSecond(pools, request);
  refuseOverlaps(pools, request);
  const chosen: RecordedPool[] = [];
  if (ipv4 && !pools.some(({subnet}) => subnet.family === 4)) chosen.push(freePool(ipv4Candidates(), 4, request));
  if (ipv6 && !pools.some(({subnet}) => subnet.family === 6)) {
    chosen.push(freePool(ipv6Candidates(rootHash), 6, request));
  }
  return [...pools.map(({recorded}) => recorded), ...chosen];
}

interface CheckedPool {
  readonly subnet: Prefix;
  readonly recorded: RecordedPool;
}

function checkPool(pool: IpamPool, {network, ipv4, ipv6, gateways}: PoolRequest): CheckedPool {
  const text = pool.Subnet ?? '';
  const subnet = parsePrefix(text);
  if (!subnet)
    throw refuse(network, `"${text}" is not a subnet`, 'write it as address and length, for example 10.5.0.0/24');
  if (subnet.address.value !== subnet.value) {
    throw refuse(network, `invalid subnet ${text}: it should be ${formatPrefix(subnet)}`);
  }
  const used = subnet.family === 4 ? ipv4 : ipv6;
  if (used && bitsOf(subnet.family) === subnet.length) {
    throw refuse(network, `subnet ${text} has no room for a gateway and a container`);
  }
  const range = pool.IPRange ? parsePrefix(pool.IPRange) : undefined;
  if (pool.IPRange && !range) throw refuse(network, `"${pool.IPRange}" is not an address range`);
  if (range && range.address.value !== range.value) {
    throw refuse(network, `invalid range ${pool.IPRange}: it should be ${formatPrefix(range)}`);
  }
  if (range && !covers(subnet, range)) throw refuse(network, `range ${pool.IPRange} is not in subnet ${text}`);
  const auxiliary = Object.entries(pool.AuxiliaryAddresses ?? {}).map(
    ([name, address]) => [name, checkMember(address, subnet, network, `auxiliary address "${name}"`)] as const,
  );
  const taken = auxiliary.map(([, address]) => address);
  const twice = taken.find(({value}, index) => taken.findIndex((other) => other.value === value) < index);
  if (twice) throw refuse(network, `auxiliary address ${formatAddress(twice)} is there twice`);
  const gateway = pool.Gateway
    ? checkMember(pool.Gateway, subnet, network, 'gateway')
    : gateways
      ? firstFree(range ?? subnet, subnet, taken)
      : undefined;
  if (gateway ? taken.some(({value}) => value === gateway.value) : gateways) {
    throw refuse(network, `subnet ${text} has no address left for a gateway`);
  }
  const recorded = {
    subnet: formatPrefix(subnet),
    ...(range ? {range: formatPrefix(range)} : {}),
    gateway: gateway ? formatAddress(gateway) : '',
    ...(auxiliary.length > 0
      ? {auxiliary: Object.fromEntries(auxiliary.map(([name, address]) => [name, formatAddress(address)]))}
      : {}),
    automatic: false,
  };
  return {subnet, recorded};
}

function checkMember(text: string, subnet: Prefix, network: string, what: string): Address {
  const address = parseAddress(text);
  if (!address) throw refuse(network, `${what}: "${text}" is not an address`);
  if (!contains(subnet, address)) throw refuse(network, `${what} ${text} is not in subnet ${formatPrefix(subnet)}`);
  if (isEdge(address, subnet))
    throw refuse(network, `${what} ${text} is the first or last address of ${formatPrefix(subnet)}`);
  return address;
}

function refuseSecond(pools: readonly CheckedPool[], {network, driver}: PoolRequest): void {
  for (const family of [4, 6] as const) {
    if (pools.filter(({subnet}) => subnet.family === family).length > 1) {
      throw new TscomposeError(
        'unsupported',
        `cannot create network "${network}": driver "${driver}" takes one IPv${family} subnet, more were given`,
      );
    }
  }
}

function refuseOverlaps(pools: readonly CheckedPool[], request: PoolRequest): void {
  const {network, driver} = request;
  const occupied = driver === 'bridge' ? [...request.occupied, ...request.occupiedByRoutes] : request.occupied;
  for (const {subnet} of pools) {
    const other = occupied.find(
      ({prefix, gatewayRoute}) => overlap(prefix, subnet) && !(gatewayRoute && prefix.length < subnet.length),
    );
    if (!other) continue;
    throw new TscomposeError(
      'forbidden',
      `cannot create network "${network}": subnet ${formatPrefix(subnet)} overlaps with ${formatPrefix(other.prefix)} of ${other.by}`,
      {hint: 'choose another subnet, or remove "subnet" to get a free one'},
    );
  }
}

function freePool(candidates: Iterable<Prefix>, family: 4 | 6, request: PoolRequest): RecordedPool {
  const {network, gateways} = request;
  const occupied = [...request.occupied, ...request.occupiedByRoutes];
  for (const subnet of candidates) {
    if (occupied.some(({prefix}) => overlap(prefix, subnet))) continue;
    const gateway = gateways ? firstFree(subnet, subnet, []) : undefined;
    return {subnet: formatPrefix(subnet), gateway: gateway ? formatAddress(gateway) : '', automatic: true};
  }
  throw new TscomposeError('exhausted', `cannot create network "${network}": no IPv${family} address pool is free`, {
    hint: 'remove networks that are not used, or give this one a subnet of its own (networks.<name>.ipam.config)',
  });
}

/** The lowest address of a range that is not taken, nor the first or last one of the subnet. */
export function firstFree(range: Prefix, subnet: Prefix, taken: readonly Address[]): Address | undefined {
  const used = new Set(taken.map(({value}) => value));
  const last = lastOf(range).value;
  for (let value = range.value; value <= last; value += 1n) {
    const address = {family: range.family, value};
    if (!used.has(value) && !isEdge(address, subnet)) return address;
  }
  return undefined;
}

/** The network's own address and, for IPv4, the broadcast address; of two addresses none is kept (RFC 3021, RFC 6164). */
export function isEdge(address: Address, subnet: Prefix): boolean {
  if (bitsOf(subnet.family) - subnet.length === 1) return false;
  return address.value === subnet.value || (subnet.family === 4 && address.value === lastOf(subnet).value);
}

function refuse(network: string, reason: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', `cannot create network "${network}": ${reason}`, {hint});
}
