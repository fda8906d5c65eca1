import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {hasKind} from '../../base/errors.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {bridgeName, type Layout} from '../layout.ts';
import {makeDirectoryWhole, writeRecord} from '../record-store.ts';
import type {Kernel} from './kernel.ts';
import {readEndpoints} from './leases.ts';
import {type MachineFiles, occupiedByMachine} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import type {NetworkRecord} from './network-record.ts';
import {choosePools, type Occupied, occupiedByNetworks} from './pools.ts';

/** The network of containers that name none. It is there before anybody asks for it, and cannot be removed. */
export const defaultBridgeName = 'bridge';
const defaultBridgeId = sha256Hex(`predefined network ${defaultBridgeName}`);

export function isDefaultBridge({id}: {readonly id: string}): boolean {
  return id === defaultBridgeId;
}

interface Machine {
  readonly context: NetworkContext;
  readonly kernel: Kernel;
  readonly files: MachineFiles;
}

/** It as it is, or as it would be made now: without a pool where none is left. */
export async function findDefaultBridge(machine: Machine, networks: readonly NetworkRecord[]): Promise<NetworkRecord> {
  const existing = networks.find(isDefaultBridge);
  if (existing) return existing;
  const occupied = await occupiedBlocks(machine, networks);
  try {
    return planDefaultBridge(machine.context.layout, choosePool(machine.context.layout, occupied));
  } catch (error) {
    if (hasKind(error, 'exhausted')) return planDefaultBridge(machine.context.layout, []);
    throw error;
  }
}

/** By name, id or the beginning of its id, unless another network has that for a name. */
export function namesDefaultBridge(reference: string, networks: readonly NetworkRecord[]): boolean {
  if (reference === defaultBridgeName) return true;
  const isOther = networks.some(({name}) => name === reference);
  return reference !== '' && defaultBridgeId.startsWith(reference) && !isOther;
}

/**
 * The networks with the default one, whose record is made by the first container that needs it, and goes with the last. The
 * networks' lock is held. Throws `exhausted`.
 */
export async function withDefaultBridge(
  machine: Machine,
  networks: readonly NetworkRecord[],
): Promise<readonly NetworkRecord[]> {
  if (networks.some(isDefaultBridge)) return networks;
  const {layout, now} = machine.context;
  const pools = choosePool(layout, await occupiedBlocks(machine, networks));
  const record = {...planDefaultBridge(layout, pools), created: formatNanoseconds(unixNanoseconds(now))};
  await makeDirectoryWhole(layout.networks, record.id, (directory) =>
    writeRecord(join(directory, 'config.json'), record),
  );
  return [...networks, record];
}

interface OccupiedBlocks {
  readonly occupied: readonly Occupied[];
  readonly occupiedByRoutes: readonly Occupied[];
}

async function occupiedBlocks(
  {context, kernel, files}: Machine,
  networks: readonly NetworkRecord[],
): Promise<OccupiedBlocks> {
  const own = new Set([...networks.map(({bridge}) => bridge), bridgeName(context.layout, defaultBridgeId)]);
  return {
    occupied: occupiedByNetworks(networks),
    occupiedByRoutes: await occupiedByMachine(kernel, files, own),
  };
}

function choosePool({rootHash}: Layout, blocks: OccupiedBlocks): NetworkRecord['pools'] {
  return choosePools({
    network: defaultBridgeName,
    ...{ipv4: true, ipv6: false, given: [], rootHash, driver: 'bridge', gateways: true},
    ...blocks,
  });
}

function planDefaultBridge(layout: Layout, pools: NetworkRecord['pools']): NetworkRecord {
  const bridge = bridgeName(layout, defaultBridgeId);
  return {
    v: 1,
    id: defaultBridgeId,
    name: defaultBridgeName,
    created: '0001-01-01T00:00:00Z',
    driver: 'bridge',
    ...{internal: false, attachable: false, ipv4: true, ipv6: false},
    pools,
    bridge,
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': bridge,
      'com.docker.network.driver.mtu': '1500',
    },
    labels: {},
  };
}

/** Those that something on the machine is needed for: the default one only while containers are on it, or about to be. */
export function networksInUse(
  layout: Layout,
  networks: readonly NetworkRecord[],
  joining: readonly {readonly id: string}[] = [],
): readonly NetworkRecord[] {
  return networks.filter(
    (network) =>
      !isDefaultBridge(network) || joining.some(isDefaultBridge) || readEndpoints(layout, network.id).length > 0,
  );
}
