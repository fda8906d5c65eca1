import {randomInt} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import type {Layout} from '../layout.ts';
import {removeLink} from './bridge.ts';
import type {Kernel} from './kernel.ts';
import {type MachineFiles, unlessMissing} from './machine.ts';
import {addAddress, addNeighbour} from './netlink/address.ts';
import {counter, equals, interfaceName, load} from './netlink/expression.ts';
import {createLocalVethPair, ipv4Settings, noGeneratedAddress, setLink} from './netlink/link.ts';
import {
  addChain,
  addRule,
  addTable,
  decodeRule,
  deleteTable,
  getRules,
  type TableRef,
  tableFamilies,
} from './netlink/nftables.ts';
import type {Warning} from './warning.ts';

/**
 * Rules of the older packet filter (iptables-legacy) are invisible to us and cannot be changed through nftables. Where
 * its tables are in use, one packet is sent through the machine the way a container's would go, and counted before and
 * behind it. No warning where the packet does not get that far for other reasons.
 */
export async function probeLegacyFirewall(
  kernel: Kernel,
  layout: Layout,
  files: MachineFiles,
): Promise<readonly Warning[]> {
  const tables = (await files.readLegacyTables?.())?.split('\n') ?? [];
  if (!tables.includes('filter') || files.sendDatagram === undefined) return [];
  const outcome = await sendProbe(kernel, layout, files.sendDatagram).catch(() => undefined);
  if (!outcome || outcome.before === 0n || outcome.behind > 0n) return [];
  return [
    {
      message: 'the firewall chain FORWARD of iptables-legacy drops packets of containers',
      hint: 'run iptables-legacy -I FORWARD -i tsb+ -j ACCEPT and iptables-legacy -I FORWARD -o tsb+ -j ACCEPT',
    },
  ];
}

/** Link-local addresses of nobody; named by the root, so that two do not meet. */
function probeAddresses(layout: Layout): {readonly own: Uint8Array; readonly other: Uint8Array} {
  const third = Number.parseInt(layout.rootHash.slice(0, 2), 16);
  const fourth = Number.parseInt(layout.rootHash.slice(2, 4), 16) & 0xfc;
  return {own: Uint8Array.of(169, 254, third, fourth | 1), other: Uint8Array.of(169, 254, third, fourth | 2)};
}

async function sendProbe(
  kernel: Kernel,
  layout: Layout,
  sendDatagram: NonNullable<MachineFiles['sendDatagram']>,
): Promise<{readonly before: bigint; readonly behind: bigint}> {
  const table: TableRef = {family: tableFamilies.ipv4, table: `tscompose_probe_${layout.rootHash}`};
  const name = `tsbp${layout.rootHash.slice(0, 8)}`;
  const clear = async () => {
    await removeLink(kernel, `${name}a`);
    await unlessMissing(kernel.rules([deleteTable(table)], 'probe the firewall'));
  };
  // A process that was killed may have left its own.
  await clear();
  try {
    const {own, other} = probeAddresses(layout);
    const index = 0x10000000 + randomInt(0x10000000);
    const mac = Uint8Array.of(2, 0x42, 0, 0, 0, 1);
    await kernel.rules(countingRules(table, `${name}b`), 'probe the firewall');
    await kernel.route(
      [
        createLocalVethPair({
          name: `${name}a`,
          index,
          peer: {name: `${name}b`, index: index + 1, address: mac},
        }),
        // What comes back on the second end has an address of the machine, and is forwarded all the same.
        setLink(
          {index: index + 1},
          {
            up: true,
            familySettings: {
              inet: {
                settings: {[ipv4Settings.acceptLocal]: 1, [ipv4Settings.rpFilter]: 0, [ipv4Settings.forwarding]: 1},
              },
              inet6: {addressGeneration: noGeneratedAddress},
            },
          },
        ),
        addAddress({index, address: own, prefixLength: 30}),
        addNeighbour({index, address: other, linkAddress: mac}),
      ],
      'probe the firewall',
    );
    // One router: it is forwarded once, and does not go round in circles.
    await sendDatagram({address: other.join('.'), port: 9, hops: 2});
    return await readCounters(kernel, table);
  } finally {
    await clear();
  }
}

const before = 'before';
const behind = 'behind';

function countingRules(table: TableRef, incoming: string) {
  const chain = (name: string, priority: number) => [
    addChain(table, name, {type: 'filter', hook: 'forward', priority}),
    addRule(table, {chain: name, expressions: [load.iifname(), equals(interfaceName(incoming)), counter]}),
  ];
  // iptables filters at priority 0, mangles at -150.
  return [addTable(table), ...chain(before, -500), ...chain(behind, 500)];
}

/** How long, in total about a second, is waited for a packet that may be dropped even earlier. */
const longestPauseMs = 500;

async function readCounters(kernel: Kernel, table: TableRef): Promise<{before: bigint; behind: bigint}> {
  for (let pauseMs = 5, looks = 0; ; pauseMs *= 2) {
    const rules = await kernel.read('netfilter', getRules(table), decodeRule, 'probe the firewall');
    const packets = (chain: string) =>
      rules
        .filter((rule) => rule.chain === chain)
        .flatMap(({expressions}) =>
          expressions().flatMap((found) => (found.kind === 'counter' ? [found.packets ?? 0n] : [])),
        )
        .reduce((sum, count) => sum + count, 0n);
    const counted = {before: packets(before), behind: packets(behind)};
    // The packet is on its way within the send; the other end may be taken up later by another processor, or when a busy
    // one gets to it. From there on it is not put off any more.
    if (counted.before > 0n) looks += 1;
    if (counted.behind > 0n || looks === 4 || pauseMs > longestPauseMs) return counted;
    await delay(pauseMs);
  }
}
