import {BlockList, isIP} from 'node:net';
import {TscomposeError} from '../../base/errors.ts';
import {nameOf} from './settings.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Of one link only: metadata of clouds, mostly. */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');

/** Addresses that mean something else to each machine, or nothing outside of one network. */
const inner = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  inner.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  inner.addSubnet(network, bits, 'ipv6');
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether a registry is on this machine, as its name says or resolves to: Docker talks plain HTTP to those too. */
export async function isLoopback(host: string): Promise<boolean> {
  const name = absoluteName(host);
  if (isLocalName(name)) return true;
  if (isIP(name) !== 0) return isIn(loopback, name);
  // Loaded for who asks: it makes a resolver, which reads the machine's files.
  const {lookup} = process.getBuiltinModule('node:dns/promises');
  const found = await lookup(name, {all: true}).catch(() => []);
  return found.length > 0 && found.every(({address}) => isIn(loopback, address));
}

/**
 * Whether a registry may send us to an address. One out in the world has no business with this machine, its network or
 * the metadata of a cloud; one that is itself inside may point to its neighbours, but to link-local addresses nobody may.
 * Throws `forbidden`.
 */
export function checkTarget(target: URL, from: URL, what: string): void {
  const [name, own] = [absoluteName(target.host), absoluteName(from.host)];
  if (name === own || !isInner(name)) return;
  if (!isIn(linkLocal, name) && isInner(own)) return;
  throw new TscomposeError(
    'forbidden',
    `registry ${from.host} names ${target.host} as ${what}: an address inside of this machine's network`,
  );
}

function isInner(name: string): boolean {
  return isLocalName(name) || isIn(inner, name);
}

function isLocalName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** A dot at the end says that a name is whole: `localhost.` is the same. */
function absoluteName(host: string): string {
  return nameOf(host).replace(/\.$/, '').toLowerCase();
}
