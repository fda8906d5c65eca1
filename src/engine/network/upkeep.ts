import {join} from 'node:path';
import {readdir, rm} from '../at-once.ts';
import {type Layout, nftablesTableName, vethName} from '../layout.ts';
import {temporaryPrefix} from '../record-store.ts';
import {removal} from './attach.ts';
import {readOwnLinks, removeLink} from './bridge.ts';
import {networksInUse} from './default-bridge.ts';
import {ensureFirewall, hasFirewall, readElements, tableOf} from './firewall.ts';
import {type PortSetName, portSets} from './firewall-rules.ts';
import {deleteMarkedRules, ensureAccepted, readMarkedRules} from './foreign-firewall.ts';
import {deleteGuard, ensureForwarding, guardedFamilies, removeNote, switchForwarding} from './forwarding.ts';
import {type Kernel, kernelErrno} from './kernel.ts';
import {type Endpoint, readEndpoints, removeEndpoint, removeUnfinishedLeases} from './leases.ts';
import {probeLegacyFirewall} from './legacy-firewall.ts';
import {isContainerAlive, isHeld} from './liveness.ts';
import {hasIpv6, type MachineFiles, unlessMissing} from './machine.ts';
import {decodeGeneration, decodeTable, deleteTable, getGeneration, getTables} from './netlink/nftables.ts';
import type {NetworkContext} from './network-context.ts';
import {isVlan, type NetworkRecord} from './network-record.ts';
import {type PortElement, portElement} from './port-elements.ts';
import type {Warning} from './warning.ts';

/**
 * Keeps the machine as the records say it should be. Every function expects the networks' lock to be held.
 */
export interface Upkeep {
  /** Firewall and forwarding as these networks need them; what is missing or was changed by others is put right. */
  ensure(networks: readonly NetworkRecord[]): Promise<readonly Warning[]>;
  /**
   * As `ensure`, for a container that comes to networks: what this process found in order a moment ago is not looked at
   * again.
   */
  recheck(networks: readonly NetworkRecord[], joining: readonly {readonly id: string}[]): Promise<readonly Warning[]>;
  /** Clears what killed processes left: once for each process. */
  sweep(networks: readonly NetworkRecord[]): Promise<void>;
  /** Takes away what a container has on a network, as its monitor does at its end. */
  clear(network: {readonly id: string}, endpoint: Endpoint): Promise<void>;
}

/** What was checked less than this ago is not checked again: starts come by the dozen. */
const checkedForMs = 3000;

export function createUpkeep(context: NetworkContext, kernel: Kernel, files: MachineFiles): Upkeep {
  const {layout, now} = context;
  let checked: {readonly networks: string; readonly at: number; readonly warnings: readonly Warning[]} | undefined;
  let swept = false;
  let legacy: readonly Warning[] | undefined;

  const clear: Upkeep['clear'] = async (network, endpoint) => {
    for (const element of elementsOf(endpoint)) await removeElement(context, kernel, element);
    await removeLink(kernel, vethName(layout, network.id, endpoint.container));
    removeEndpoint(layout, network.id, endpoint.container);
  };

  const ensureUsed = async (networks: readonly NetworkRecord[]): Promise<readonly Warning[]> => {
    checked = undefined;
    const bridges = networks.filter((network) => !isVlan(network));
    if (bridges.length === 0) {
      await takeDown(context, kernel, files);
      await removeNote(layout);
      return [];
    }
    await ensureFirewall(kernel, layout, bridges, async () => allElements(context, networks));
    const open = bridges.filter(({internal}) => !internal);
    await ensureForwarding(kernel, files, layout, {
      ipv4: open.some(({ipv4}) => ipv4),
      ipv6: open.some(({ipv6}) => ipv6) && (await hasIpv6(files)),
    });
    legacy ??= await probeLegacyFirewall(kernel, layout, files);
    const warnings = [...(await ensureAccepted(kernel, layout, bridges)), ...legacy];
    checked = {networks: keyOf(networks), at: now(), warnings};
    return warnings;
  };

  return {
    clear,
    ensure: (networks) => ensureUsed(networksInUse(layout, networks)),
    async recheck(all, joining) {
      const networks = networksInUse(layout, all, joining);
      const isRecent = checked?.networks === keyOf(networks) && now() - checked.at < checkedForMs;
      return checked && isRecent && (await hasFirewall(kernel, layout)) ? checked.warnings : await ensureUsed(networks);
    },
    async sweep(networks) {
      if (swept) return;
      swept = true;
      await sweepDirectories(context, networks);
      // Asked together, before anything is taken away: what goes with a lease is not missed by whoever looks for it.
      const [links, ports] = await Promise.all([readOwnLinks(kernel, layout), readPortElements(kernel, layout)]);
      await sweepInterfaces(context, kernel, {networks, links, clear});
      await sweepElements(context, kernel, {networks, ports});
    },
  };
}

function keyOf(networks: readonly NetworkRecord[]): string {
  return networks.map(({id}) => id).join();
}

function elementsOf(endpoint: Endpoint): readonly PortElement[] {
  return endpoint.ports.flatMap((port) => portElement(port, endpoint.container) ?? []);
}

function allElements({layout}: NetworkContext, networks: readonly NetworkRecord[]): readonly PortElement[] {
  return networks.flatMap(({id}) => readEndpoints(layout, id).flatMap(elementsOf));
}

async function removeElement({layout}: NetworkContext, kernel: Kernel, element: PortElement): Promise<void> {
  await unlessMissing(kernel.rules([removal(tableOf(layout), element)], `remove a published port from ${element.set}`));
}

/** Half-made records, and run directories of networks that are gone. Records are made and removed under the lock. */
export async function sweepDirectories({layout}: NetworkContext, networks: readonly NetworkRecord[]): Promise<void> {
  const known = new Set(networks.map(({id}) => id));
  for (const name of await readdir(layout.networks).catch(() => [])) {
    if (name.startsWith(temporaryPrefix)) await rm(join(layout.networks, name), {recursive: true, force: true});
  }
  const runDirectory = join(layout.run, 'networks');
  for (const name of await readdir(runDirectory).catch(() => [])) {
    if (!known.has(name)) await rm(join(runDirectory, name), {recursive: true, force: true});
    else removeUnfinishedLeases(layout, name);
  }
}

/** Leases of containers that died with their monitors; interfaces that belong to no network and to no lease. */
async function sweepInterfaces(
  context: NetworkContext,
  kernel: Kernel,
  {
    networks,
    links,
    clear,
  }: {
    readonly networks: readonly NetworkRecord[];
    readonly links: Awaited<ReturnType<typeof readOwnLinks>>;
    readonly clear: Upkeep['clear'];
  },
): Promise<void> {
  const {layout, helper} = context;
  const names = new Set(links.map(({link}) => link.name));
  const expected = new Set(networks.map(({bridge, parent}) => parent?.name ?? bridge));
  for (const network of networks) {
    for (const endpoint of readEndpoints(layout, network.id)) {
      const veth = vethName(layout, network.id, endpoint.container);
      if (endpoint.joining === true) {
        if (await isHeld(context, network.id, endpoint)) expected.add(veth);
        else await clear(network, endpoint);
        continue;
      }
      // The pair goes with the container's namespace: while it is there, the container most likely is.
      const alive = names.has(veth) || (await isContainerAlive(helper, layout, endpoint.container));
      if (alive) expected.add(veth);
      else await clear(network, endpoint);
    }
  }
  for (const {link} of links) if (!expected.has(link.name)) await removeLink(kernel, link.name);
}

/** Everything that is published; nothing where there is no table. */
async function readPortElements(kernel: Kernel, layout: Layout): Promise<readonly PortElement[]> {
  const sets = await Promise.all(
    (Object.keys(portSets) as PortSetName[]).map(async (set) => {
      const found = await unlessMissing(readElements(kernel, tableOf(layout), set));
      return (found ?? []).map((element): PortElement => ({set, element}));
    }),
  );
  return sets.flat();
}

/** Published ports of nobody: they would lead packets to an address that is given to another container. */
async function sweepElements(
  context: NetworkContext,
  kernel: Kernel,
  {networks, ports}: {readonly networks: readonly NetworkRecord[]; readonly ports: readonly PortElement[]},
): Promise<void> {
  const elementKey = ({set, element}: PortElement) => `${set} ${Buffer.from(element.key).toString('hex')}`;
  const expected = new Set(allElements(context, networks).map(elementKey));
  for (const port of ports) if (!expected.has(elementKey(port))) await removeElement(context, kernel, port);
}

/** A transaction is refused while others change the rules at the same time. */
const attempts = 20;

/**
 * With the last network everything goes: table, accepts in other firewalls, and forwarding where we switched it on and no
 * other root needs it. In one transaction that is refused when anything changed since it was decided.
 */
async function takeDown({layout}: NetworkContext, kernel: Kernel, files: MachineFiles): Promise<void> {
  const own = nftablesTableName(layout);
  for (let attempt = 1; ; attempt += 1) {
    const [generation] = await kernel.read('netfilter', getGeneration(), decodeGeneration, 'read the rules generation');
    const tables = await kernel.read('netfilter', getTables(), decodeTable, 'list the firewall tables');
    const marked = await readMarkedRules(kernel, layout);
    const others = tables.some(({table}) => table !== own && /^tscompose_[0-9a-f]{10}$/.test(table));
    const guarded = others ? new Map<string, readonly string[]>() : await guardedFamilies(kernel);
    const hasGuard = !others && tables.some(({table}) => table === 'tscompose_forwarding');
    const changes = [
      ...deleteMarkedRules(marked),
      ...(tables.some(({table}) => table === own) ? [deleteTable(tableOf(layout))] : []),
      ...(hasGuard ? [deleteGuard] : []),
    ];
    if (changes.length === 0) return;
    // Before the guard goes: at no time does the machine forward for everybody.
    await switchForwarding(files, guarded, false);
    try {
      await kernel.rules(changes, 'take down the firewall table', generation);
      return;
    } catch (error) {
      await switchForwarding(files, guarded, true);
      if (kernelErrno(error) !== 'ERESTART' || attempt === attempts) throw error;
    }
  }
}
