import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/** What `DriverOpts` of an endpoint may say: Docker's keys, honoured or refused by name. */
export interface EndpointOptions {
  /** Name of the interface inside the container. */
  readonly interfaceName?: string;
}

export function readEndpointOptions(driver: string, {DriverOpts}: EndpointSettings): EndpointOptions {
  let options: EndpointOptions = {};
  for (const [key, value] of Object.entries(DriverOpts ?? {})) {
    if (key !== 'com.docker.network.endpoint.ifname') {
      throw new TscomposeError('unsupported', `endpoint option "${key}" is not supported by driver "${driver}"`);
    }
    if (!/^[^\s/:]{1,15}$/.test(value) || value === '.' || value === '..' || value === 'lo') {
      throw new TscomposeError(
        'invalid',
        `endpoint option "${key}": "${value}" is not an interface name of at most 15 characters`,
      );
    }
    options = {...options, interfaceName: value};
  }
  return options;
}
