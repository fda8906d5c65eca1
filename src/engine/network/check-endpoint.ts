import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {wantedAddresses} from './addresses.ts';
import {readEndpointOptions} from './endpoint-options.ts';
import {parseLink} from './links.ts';
import {normaliseMac} from './mac.ts';
import type {NetworkRecord} from './network-record.ts';

/** Throws what these settings alone make impossible on a network, whoever else is on it. */
export function checkEndpoint(network: NetworkRecord, settings: EndpointSettings): void {
  checkEndpointSyntax(settings, network.driver);
  wantedAddresses(network, settings);
}

/** Throws what only a network that somebody made has. */
export function checkOnDefaultBridge(settings: EndpointSettings): void {
  checkEndpointSyntax(settings);
  const {Aliases, IPAMConfig} = settings;
  if ((Aliases ?? []).length > 0)
    throw new TscomposeError(
      'invalid',
      'network-scoped alias is supported only for containers in user defined networks',
      {hint: 'make a network (networks: …), and name it'},
    );
  if (IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address)
    throw new TscomposeError('invalid', 'user specified IP address is supported on user defined networks only', {
      hint: 'make a network (networks: …) with a subnet, and name it',
    });
}

/** Throws what is impossible on any network. */
export function checkEndpointSyntax(settings: EndpointSettings, driver = 'bridge'): void {
  readEndpointOptions(driver, settings);
  for (const link of settings.Links ?? []) parseLink(link);
  if (settings.MacAddress) normaliseMac(settings.MacAddress);
}
