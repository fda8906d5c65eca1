import {readdir, readFile, readlink} from 'node:fs/promises';
import type {PortProtocol} from './firewall-rules.ts';
import {bitsOf, isUnspecified, parseAddress} from './ip.ts';

export interface PortHolder {
  readonly pid: number;
  /** As ps shows it: at most 15 characters. */
  readonly name: string;
}

/**
 * The process that keeps a port from being bound, found in /proc. Undefined where it cannot be seen: another user's, or
 * in another process namespace.
 */
export async function findPortHolder(
  protocol: PortProtocol,
  hostAddress: string,
  port: number,
): Promise<PortHolder | undefined> {
  const inodes = await bindingSockets(protocol, hostAddress, port);
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (await holdsSocket(pid, inodes)) {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?');
      return {pid: Number(pid), name: name.trim()};
    }
  }
  return undefined;
}

const listening = '0A';

/** Inodes of sockets bound to the port on this address, on all, or (for all) on any. */
async function bindingSockets(protocol: string, hostAddress: string, port: number): Promise<ReadonlySet<string>> {
  const wanted = parseAddress(hostAddress);
  const inodes = new Set<string>();
  for (const table of [protocol, `${protocol}6`]) {
    const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state = '', , , , , , inode = '0'] = line.trim().split(/\s+/);
      const [hexAddress = '', hexPort = ''] = local.split(':');
      if (Number.parseInt(hexPort, 16) !== port || (protocol === 'tcp' && state !== listening)) continue;
      const bound = {family: table.endsWith('6') ? (6 as const) : (4 as const), value: fromProc(hexAddress)};
      const same = bound.family === wanted?.family && bound.value === wanted.value;
      // A socket on :: may serve IPv4 too.
      const overlaps = isUnspecified(bound) || (wanted !== undefined && isUnspecified(wanted));
      if ((same || overlaps) && inode !== '0') inodes.add(inode);
    }
  }
  return inodes;
}

/** /proc/net writes addresses as 32-bit words in machine byte order. */
function fromProc(hex: string): bigint {
  const words = hex.match(/.{8}/g) ?? [];
  const swapped = words.map((word) => (word.match(/../g) ?? []).reverse().join('')).join('');
  return swapped.length * 4 === bitsOf(4) || swapped.length * 4 === bitsOf(6) ? BigInt(`0x${swapped}`) : -1n;
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
