import {TscomposeError} from '../../base/errors.ts';

/** What each key of a network's `Options` says to a driver. */
export type OptionReaders<T> = Readonly<Record<string, (value: string, key: string) => Partial<T>>>;

/** Throws `unsupported` for a key that no reader is for, and what readers throw. */
export function readOptions<T extends object>(
  driver: string,
  options: Readonly<Record<string, string>>,
  readers: OptionReaders<T>,
  defaults: T,
): T {
  let found = defaults;
  for (const [key, value] of Object.entries(options)) {
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (!read) {
      throw new TscomposeError('unsupported', `network option "${key}" is not supported by driver "${driver}"`);
    }
    found = {...found, ...read(value, key)};
  }
  return found;
}

/** Options that mean the same with every driver. */
export interface CommonOptions {
  readonly mtu?: number;
  /** Interfaces of containers are named after it: `eth0`, `eth1`. */
  readonly interfacePrefix: string;
}

export const commonReaders: OptionReaders<CommonOptions> = {
  'com.docker.network.driver.mtu': (value, key) => {
    const mtu = Number(value);
    if (!/^\d+$/.test(value) || mtu < 68 || mtu > 65535) throw wrongOption(key, value, 'a number from 68 to 65535');
    return {mtu};
  },
  'com.docker.network.container_iface_prefix': (value, key) => {
    if (!/^[A-Za-z0-9_-]{1,11}$/.test(value)) throw wrongOption(key, value, 'a name of at most 11 characters');
    return {interfacePrefix: value};
  },
};

export function wrongOption(key: string, value: string, expected: string): TscomposeError {
  return new TscomposeError('invalid', `network option "${key}": "${value}" is not ${expected}`);
}
