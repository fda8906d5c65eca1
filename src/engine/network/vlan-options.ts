import {TscomposeError} from '../../base/errors.ts';
import type {VlanNetwork} from './network-record.ts';
import {type CommonOptions, commonReaders, type OptionReaders, readOptions, wrongOption} from './option-readers.ts';

/** Drivers whose containers have an interface of their own on top of one of the machine, the parent. */
export type VlanDriver = 'macvlan' | 'ipvlan';

/** What `Options` of such a network may say: Docker's keys, honoured or refused by name. */
export interface VlanOptions extends CommonOptions {
  /** Absent: an interface that leads nowhere is made for the network. */
  readonly parent?: string;
  readonly mode: string;
  /** Of ipvlan: which containers on the parent reach each other. */
  readonly flag: string;
}

/** The first of each is Docker's default. */
const vlanModes = {
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
} as const satisfies Readonly<Record<VlanDriver, readonly string[]>>;
const flags = ['bridge', 'private', 'vepa'];

const readers: Readonly<Record<VlanDriver, OptionReaders<VlanOptions>>> = {
  macvlan: {
    ...commonReaders,
    parent: (value) => readParent('macvlan', value),
    macvlan_mode: (mode) => {
      if (mode === '') return {};
      if ((vlanModes.macvlan as readonly string[]).includes(mode)) return {mode};
      throw notValid(`requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`);
    },
  },
  ipvlan: {
    ...commonReaders,
    parent: (value) => readParent('ipvlan', value),
    ipvlan_mode: (mode) => {
      if (mode === '') return {};
      if ((vlanModes.ipvlan as readonly string[]).includes(mode)) return {mode};
      throw notValid(`requested ipvlan mode '${mode}' is not valid, 'l2' mode is the ipvlan driver default`);
    },
    ipvlan_flag: (flag) => {
      if (flag === '') return {};
      if (flags.includes(flag)) return {flag};
      throw notValid(`requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`);
    },
  },
};

/** Throws `unsupported` for a key that is not honoured, `invalid`, in Docker's words, for a value that cannot be. */
export function readVlanOptions(driver: VlanDriver, options: Readonly<Record<string, string>>): VlanOptions {
  return readOptions(driver, options, readers[driver], {
    mode: vlanModes[driver][0],
    flag: 'bridge',
    interfacePrefix: 'eth',
  });
}

/** Packets leave by the interface itself: no neighbour routes them. */
export function isRouted({mode}: VlanOptions): boolean {
  return mode === 'l3' || mode === 'l3s';
}

/** Of a record: what was checked when it was created. */
export function vlanOptionsOf({driver, options}: VlanNetwork): VlanOptions {
  return readVlanOptions(driver, options);
}

function readParent(driver: VlanDriver, name: string): Partial<VlanOptions> {
  if (name === '') return {};
  if (name === 'lo') throw notValid(`loopback interface is not a valid ${driver} parent link`);
  if (!/^[^\s/:]{1,15}$/.test(name) || name === '.' || name === '..') {
    throw wrongOption('parent', name, 'an interface name of at most 15 characters');
  }
  return {parent: name};
}

/** The interface that a name such as `eth0.10` is on, and its number. Throws `invalid` in Docker's words. */
export function parseVlanName(name: string): {readonly lower: string; readonly id: number} {
  const [lower = '', text = '', ...rest] = name.split('.');
  const id = Number(text);
  if (!name.includes('.')) throw notValid(`invalid subinterface vlan name ${name}, example formatting is eth0.10`);
  if (rest.length > 0 || lower === '') {
    throw notValid(
      `required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received ${name}`,
    );
  }
  if (!/^\d+$/.test(text)) throw notValid(`unable to parse a valid vlan id from: ${text} (ex. eth0.10 for vlan 10)`);
  if (id < 1 || id > 4094) throw notValid(`vlan id must be between 1-4094, received: ${text}`);
  return {lower, id};
}

function notValid(message: string): TscomposeError {
  return new TscomposeError('invalid', message);
}
