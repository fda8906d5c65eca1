import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {interfaceAlias, type Layout} from '../layout.ts';
import {driverOptionsOf} from './driver-options.ts';
import {bytesOf, lastOf} from './ip.ts';
import type {Kernel} from './kernel.ts';
import {readLinks, unlessMissing} from './machine.ts';
import {addAddress} from './netlink/address.ts';
import {
  createBridge,
  decodeLink,
  deleteLink,
  getLink,
  ipv4Settings,
  type Link,
  noGeneratedAddress,
  setLink,
} from './netlink/link.ts';
import {type NetworkRecord, poolsOf} from './network-record.ts';

export async function readLink(kernel: Kernel, name: string): Promise<Link | undefined> {
  const found = await unlessMissing(kernel.read('route', getLink(name), decodeLink, `look up interface ${name}`));
  return found?.[0];
}

/**
 * The bridge of a network, made where it is missing; its index. It is taken up last: a bridge that is up is complete.
 * Throws `conflict` when an interface of somebody else has its name.
 */
export async function ensureBridge(
  kernel: Kernel,
  layout: Layout,
  record: NetworkRecord,
  ipv6Machine: boolean,
): Promise<number> {
  const {bridge: name} = record;
  const alias = interfaceAlias(layout, record.id);
  const existing = await readLink(kernel, name);
  if (existing && existing.alias !== alias) {
    throw new TscomposeError('conflict', `network "${record.name}": interface ${name} exists already and is not ours`, {
      hint: `remove it (ip link delete ${name}) or choose another name with com.docker.network.bridge.name`,
    });
  }
  if (existing?.up) return existing.index;
  const {mtu} = driverOptionsOf(record);
  const step = `make bridge ${name}`;
  if (!existing) {
    await kernel.route([createBridge({name, address: bridgeAddress(name)}), setLink({name}, {alias})], step);
  }
  const link = existing ?? (await readLink(kernel, name));
  if (!link) throw new TscomposeError('internal', `${step}: it is gone again`);
  await kernel.route(
    [
      setLink(link, {
        ...(mtu === undefined ? {} : {mtu}),
        familySettings: {
          // A container that comes back through the machine to its neighbour is translated: no hint to go directly.
          inet: {settings: {[ipv4Settings.sendRedirects]: 0}},
          ...(ipv6Machine ? {inet6: {addressGeneration: noGeneratedAddress}} : {}),
        },
      }),
      // The kernel's own would be tentative for its first seconds, and the machine mute towards containers.
      ...(record.ipv6 ? [addAddress({index: link.index, address: linkLocalGateway, prefixLength: 64})] : []),
      ...poolsOf(record).flatMap(({subnet, gateway}) =>
        gateway
          ? addAddress({
              index: link.index,
              address: bytesOf(gateway),
              prefixLength: subnet.length,
              ...(subnet.family === 4 ? {broadcast: bytesOf(lastOf(subnet))} : {}),
            })
          : [],
      ),
      setLink(link, {up: true}),
    ],
    step,
  );
  return link.index;
}

/** fe80::1 */
const linkLocalGateway = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** Given once and for all: a bridge without an address of its own takes over that of one of its ports, and changes it with them. */
function bridgeAddress(name: string): Uint8Array {
  return Uint8Array.of(0x02, 0x42, ...Buffer.from(sha256Hex(name).slice(0, 8), 'hex'));
}

/** Ports that are left go with their namespaces. */
export async function removeBridge(kernel: Kernel, layout: Layout, record: NetworkRecord): Promise<void> {
  const link = await readLink(kernel, record.bridge);
  if (link?.alias === interfaceAlias(layout, record.id)) await removeLink(kernel, record.bridge);
}

export async function removeLink(kernel: Kernel, name: string): Promise<void> {
  await unlessMissing(kernel.route([deleteLink(name)], `remove interface ${name}`));
}

/** Interfaces of the root, with the id that each is for. */
export async function readOwnLinks(
  kernel: Kernel,
  layout: Layout,
): Promise<readonly {readonly link: Link; readonly id: string}[]> {
  const prefix = interfaceAlias(layout, '');
  return (await readLinks(kernel))
    .filter(({alias}) => alias.startsWith(prefix))
    .map((link) => ({link, id: link.alias.slice(prefix.length)}));
}
