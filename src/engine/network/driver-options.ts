import {TscomposeError} from '../../base/errors.ts';
import type {NetworkRecord} from './network-record.ts';
import {type CommonOptions, commonReaders, type OptionReaders, readOptions, wrongOption} from './option-readers.ts';

/** What `Options` of a bridge network may say: Docker's keys, honoured or refused by name. */
export interface DriverOptions extends CommonOptions {
  readonly bridgeName?: string;
  /** Containers of the network reach each other. */
  readonly interContainer: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no address. */
  readonly hostAddress?: string;
}

const readers: OptionReaders<DriverOptions> = {
  ...commonReaders,
  'com.docker.network.bridge.name': (value, key) => {
    if (!/^[A-Za-z0-9_.-]{1,15}$/.test(value) || value === '.' || value === '..') {
      throw wrongOption(key, value, 'an interface name of at most 15 characters');
    }
    return {bridgeName: value};
  },
  'com.docker.network.bridge.enable_icc': (value, key) => ({interContainer: boolean(value, key)}),
  'com.docker.network.bridge.enable_ip_masquerade': (value, key) => ({masquerade: boolean(value, key)}),
  'com.docker.network.bridge.host_binding_ipv4': (value, key) => {
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(value)) throw wrongOption(key, value, 'an IPv4 address');
    // As on all addresses, of both families.
    return value === '0.0.0.0' ? {} : {hostAddress: value};
  },
  // What Docker says of its default network, and that is all it does.
  'com.docker.network.bridge.default_bridge': (value, key) => {
    boolean(value, key);
    return {};
  },
  'com.docker.network.bridge.gateway_mode_ipv4': gatewayMode,
  'com.docker.network.bridge.gateway_mode_ipv6': gatewayMode,
};

/** Throws `unsupported` for a key that is not honoured, `invalid` for a value of another shape. */
export function readDriverOptions(options: Readonly<Record<string, string>>): DriverOptions {
  return readOptions('bridge', options, readers, {interContainer: true, masquerade: true, interfacePrefix: 'eth'});
}

/** Of a record: what was checked when it was created. */
export function driverOptionsOf(record: NetworkRecord): DriverOptions {
  return readDriverOptions(record.options);
}

const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false])),
};

function boolean(value: string, key: string): boolean {
  const truth = Object.hasOwn(truths, value) ? truths[value] : undefined;
  if (truth === undefined) throw wrongOption(key, value, 'true or false');
  return truth;
}

const gatewayModes = ['nat', 'nat-unprotected', 'routed', 'isolated'];

function gatewayMode(value: string, key: string): Partial<DriverOptions> {
  if (value === '' || value === 'nat') return {};
  if (!gatewayModes.includes(value)) {
    throw new TscomposeError('invalid', `failed to parse ${key} value: ${value} (unknown gateway mode ${value})`);
  }
  throw new TscomposeError('unsupported', `network option "${key}": "${value}" is not supported, only "nat" is`);
}
