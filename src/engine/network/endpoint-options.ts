import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/** What `DriverOpts` of an endpoint may say: Docker's keys, honoured or refused by name. */
export interface EndpointOptions {
  /** Name of the interface inside the container. */
  readonly interfaceName?: string;
  /** Settings of the kernel for its interface, by its name. */
  sysctls(interfaceName: string): Readonly<Record<string, string>>;
}

const readers: Readonly<Record<string, (value: string, key: string) => Partial<EndpointOptions>>> = {
  'com.docker.network.endpoint.ifname': readInterfaceName,
  'com.docker.network.endpoint.sysctls': readSysctls,
};

/** Throws `unsupported` for a key that is not honoured, `invalid` for a value of another shape. */
export function readEndpointOptions(driver: string, {DriverOpts}: EndpointSettings): EndpointOptions {
  let options: EndpointOptions = {sysctls: () => ({})};
  for (const [key, value] of Object.entries(DriverOpts ?? {})) {
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (!read)
      throw new TscomposeError('unsupported', `endpoint option "${key}" is not supported by driver "${driver}"`);
    options = {...options, ...read(value, key)};
  }
  return options;
}

function readInterfaceName(value: string, key: string): Partial<EndpointOptions> {
  if (!/^[^\s/:]{1,15}$/.test(value) || value === '.' || value === '..' || value === 'lo') {
    throw new TscomposeError(
      'invalid',
      `endpoint option "${key}": "${value}" is not an interface name of at most 15 characters`,
    );
  }
  return {interfaceName: value};
}

/** `net.ipv4.conf.IFNAME.forwarding=1,…`: nothing but settings of the one interface. */
function readSysctls(value: string, key: string): Partial<EndpointOptions> {
  const settings = value.split(',').map((text) => {
    const match = /^(net)\.(ipv4|ipv6|mpls)\.([\w-]+)\.IFNAME\.([\w-]+)=(.+)$/.exec(text);
    if (!match) {
      throw new TscomposeError(
        'invalid',
        `endpoint option "${key}": unrecognised network interface sysctl "${text}"; represent "net.X.Y.ethN.Z=V" as "net.X.Y.IFNAME.Z=V", "X" must be "ipv4", "ipv6" or "mpls"`,
      );
    }
    const [net = '', family = '', group = '', name = '', set = ''] = match.slice(1);
    return {path: (interfaceName: string) => [net, family, group, interfaceName, name].join('/'), set};
  });
  return {sysctls: (name) => Object.fromEntries(settings.map(({path, set}) => [path(name), set]))};
}
