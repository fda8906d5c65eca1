import type {EndpointSettings} from '../../api/types/container.ts';
import type {Membership} from './gateway.ts';
import {formatAddress, parseAddress} from './ip.ts';
import type {Endpoint} from './leases.ts';
import {type NetworkRecord, poolsOf} from './network-record.ts';

/** As inspect answers for a running container. */
export function describeEndpoint({network, settings}: Membership, endpoint: Endpoint): EndpointSettings {
  const pools = poolsOf(network);
  const addressOf = (family: 4 | 6) => endpoint.addresses.find((text) => parseAddress(text)?.family === family) ?? '';
  const poolOf = (family: 4 | 6) => pools.find(({subnet}) => subnet.family === family);
  const gatewayOf = (family: 4 | 6) => {
    const gateway = poolOf(family)?.gateway;
    return gateway && !network.internal ? formatAddress(gateway) : '';
  };
  return {
    ...describeStopped({settings, names: endpoint.names}, network),
    MacAddress: endpoint.mac,
    EndpointID: endpoint.endpoint,
    Gateway: gatewayOf(4),
    IPAddress: addressOf(4),
    IPPrefixLen: addressOf(4) === '' ? 0 : (poolOf(4)?.subnet.length ?? 0),
    IPv6Gateway: gatewayOf(6),
    GlobalIPv6Address: addressOf(6),
    GlobalIPv6PrefixLen: addressOf(6) === '' ? 0 : (poolOf(6)?.subnet.length ?? 0),
  };
}

/** As inspect answers for one that does not run. */
export function describeStopped(
  {settings, names}: {readonly settings: EndpointSettings; readonly names: readonly string[]},
  network: NetworkRecord | undefined,
): EndpointSettings {
  return {
    IPAMConfig: settings.IPAMConfig ?? null,
    Links: settings.Links ?? null,
    Aliases: settings.Aliases ?? null,
    MacAddress: '',
    DriverOpts: settings.DriverOpts ?? null,
    GwPriority: settings.GwPriority ?? 0,
    NetworkID: network?.id ?? '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: names.length > 0 ? names : null,
  };
}
