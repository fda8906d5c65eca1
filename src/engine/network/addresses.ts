import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type Address, contains, formatAddress, formatPrefix, parseAddress} from './ip.ts';
import type {Endpoint} from './leases.ts';
import {type NetworkRecord, type Pool, poolsOf} from './network-record.ts';
import {firstFree, isEdge} from './pools.ts';

/** An address that was asked for is held by this container. */
export interface AddressHolder {
  readonly address: string;
  readonly endpoint: Endpoint;
}

/**
 * The addresses of a new endpoint, one a family of the network: the one asked for, or the lowest free one, as Docker
 * gives. Answers who holds an address that was asked for. Throws `invalid` for an address that cannot be, `conflict`
 * for one that the network keeps for itself, `exhausted` when none is left.
 */
export function chooseAddresses(
  network: NetworkRecord,
  settings: EndpointSettings,
  endpoints: readonly Endpoint[],
): {readonly addresses: readonly Address[]} | {readonly heldBy: AddressHolder} {
  const pools = poolsOf(network);
  const wanted = wantedAddresses(network, settings, pools);
  const leased = endpoints.flatMap(({addresses}) => addresses.flatMap((text) => parseAddress(text) ?? []));
  const addresses: Address[] = [];
  for (const pool of pools) {
    const asked = wanted.find(({family}) => family === pool.subnet.family);
    if (asked) {
      const text = formatAddress(asked);
      const endpoint = endpoints.find((candidate) => candidate.addresses.includes(text));
      if (endpoint) return {heldBy: {address: text, endpoint}};
      addresses.push(asked);
      continue;
    }
    const free = firstFree(pool.range, pool.subnet, [...kept(pool), ...leased]);
    if (!free) {
      throw new TscomposeError(
        'exhausted',
        `network "${network.name}" has no free address left in ${formatPrefix(pool.range)}`,
        {hint: 'stop containers that are not needed, or create the network again with a larger subnet'},
      );
    }
    addresses.push(free);
  }
  return {addresses};
}

/** What the settings ask for, checked. Also for a container that is only created. */
export function wantedAddresses(
  network: NetworkRecord,
  {IPAMConfig}: EndpointSettings,
  pools: readonly Pool[] = poolsOf(network),
): readonly Address[] {
  const texts = [IPAMConfig?.IPv4Address, IPAMConfig?.IPv6Address].filter((text) => text !== undefined && text !== '');
  return texts.map((text = '') => {
    const address = parseAddress(text);
    if (!address) throw new TscomposeError('invalid', `network "${network.name}": "${text}" is not an IP address`);
    const pool = pools.find(({subnet}) => subnet.family === address.family);
    if (!pool || !contains(pool.subnet, address)) {
      const subnets = pools.map(({subnet}) => formatPrefix(subnet)).join(' and ');
      throw new TscomposeError(
        'invalid',
        `network "${network.name}": no configured subnet contains the IP address ${text}: its ${pools.length === 1 ? 'subnet is' : 'subnets are'} ${subnets}`,
        {hint: 'choose an "ipv4_address" of that subnet, or remove it'},
      );
    }
    if (pool.automatic) {
      throw new TscomposeError(
        'invalid',
        `network "${network.name}": user specified IP address is supported only when connecting to networks with user configured subnets`,
        {hint: 'give the network a subnet (networks.<name>.ipam.config)'},
      );
    }
    if (isEdge(address, pool.subnet)) {
      throw new TscomposeError(
        'invalid',
        `network "${network.name}": ${text} is the first or last address of ${formatPrefix(pool.subnet)}`,
      );
    }
    if (kept(pool).some(({value}) => value === address.value)) {
      throw new TscomposeError(
        'conflict',
        `network "${network.name}": address ${text} is in use by the network itself (gateway or auxiliary address)`,
      );
    }
    return address;
  });
}

/** What the network keeps for itself. */
function kept({gateway, reserved}: Pool): readonly Address[] {
  return gateway ? [gateway, ...reserved] : reserved;
}
