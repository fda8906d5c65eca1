import {createSocket} from 'node:dgram';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {readFile, writeFile} from '../at-once.ts';
import {addressFromBytes, type Prefix, parseAddress} from './ip.ts';
import type {Kernel} from './kernel.ts';
import {decodeRoute, getRoutes} from './netlink/address.ts';
import {decodeLink, getLinks, type Link} from './netlink/link.ts';
import type {Occupied} from './pools.ts';
import {parseResolvConf} from './resolv-conf.ts';

/** Settings of the network namespace below /proc/sys, and the machine's resolver file. */
export interface MachineFiles {
  /** `net/ipv4/ip_forward`; undefined where the kernel has no such setting. */
  readSetting(name: string): Promise<string | undefined>;
  writeSetting(name: string, value: string): Promise<void>;
  /** Path of that file where monitors are, who look at it again and again. Absent: it does not change. */
  readonly resolvConfPath?: string;
  /** Text of /etc/resolv.conf; empty where there is none. */
  readResolvConf(): Promise<string>;
  /** Tables of the older packet filter in use (/proc/net/ip_tables_names). Absent: its firewalls are not looked for. */
  readLegacyTables?(): Promise<string>;
  /** Sends a small UDP datagram that lives for `hops` routers. */
  sendDatagram?(options: {readonly address: string; readonly port: number; readonly hops: number}): Promise<void>;
}

export const machineFiles: MachineFiles = {
  async readSetting(name) {
    try {
      return (await readFile(`/proc/sys/${name}`, 'utf8')).trim();
    } catch {
      return undefined;
    }
  },
  async writeSetting(name, value) {
    try {
      await writeFile(`/proc/sys/${name}`, value);
    } catch (error) {
      throw new TscomposeError('forbidden', `cannot set ${name.replaceAll('/', '.')} to ${value}: ${reasonOf(error)}`, {
        hint: `run "sysctl -w ${name.replaceAll('/', '.')}=${value}" on the machine`,
        cause: error,
      });
    }
  },
  resolvConfPath: '/etc/resolv.conf',
  readResolvConf: () => readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  readLegacyTables: () => readFile('/proc/net/ip_tables_names', 'utf8').catch(() => ''),
  sendDatagram: ({address, port, hops}) =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const end = (error: Error | null) => socket.close(() => (error ? reject(error) : resolve()));
      socket.once('error', end);
      socket.bind(0, () => {
        socket.setTTL(hops);
        socket.send(new Uint8Array(1), port, address, end);
      });
    }),
};

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EROFS'
    ? 'it is read-only here'
    : code === 'EACCES' || code === 'EPERM'
      ? 'permission denied'
      : String(code);
}

/** True where the kernel was started with IPv6. */
export async function hasIpv6(files: MachineFiles): Promise<boolean> {
  return (await files.readSetting('net/ipv6/conf/all/disable_ipv6')) === '0';
}

export function readLinks(kernel: Kernel): Promise<readonly Link[]> {
  return kernel.read('route', getLinks(), decodeLink, 'list the interfaces');
}

/** The blocks that the machine's routes and name servers take: a network there would cut them off. */
export async function occupiedByMachine(
  kernel: Kernel,
  files: MachineFiles,
  own: ReadonlySet<string>,
): Promise<readonly Occupied[]> {
  const names = new Map((await readLinks(kernel)).map(({index, name}) => [index, name]));
  const routes = await kernel.read('route', getRoutes(), decodeRoute, 'list the routes');
  const blocks = routes.flatMap(({destination, prefixLength, outInterface = 0, onLink}): Occupied[] => {
    // Half of all addresses and more is a way of writing "default route", as VPNs do.
    if (destination === undefined || prefixLength < 8) return [];
    const device = names.get(outInterface) ?? '?';
    if (own.has(device)) return [];
    const prefix: Prefix = {...addressFromBytes(destination), length: prefixLength};
    return [{prefix, by: `a route of the machine (interface ${device})`, ...(onLink ? {} : {gatewayRoute: true})}];
  });
  const servers = parseResolvConf(await files.readResolvConf()).nameservers.flatMap((text): Occupied[] => {
    const address = parseAddress(text);
    const length = address?.family === 4 ? 32 : 128;
    return address ? [{prefix: {...address, length}, by: 'a name server of the machine'}] : [];
  });
  return [...blocks, ...servers];
}

/** Undefined where what is asked for does not exist. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}
