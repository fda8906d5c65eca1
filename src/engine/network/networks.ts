import {existsSync, readdirSync} from 'node:fs';
import type {NetworkContainer, NetworkInspect} from '../../api/types/network.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Networks} from '../engine.ts';
import {temporaryPrefix} from '../record-store.ts';
import {checkCreateBody, createNetwork, removeNetworkParts} from './create-network.ts';
import {defaultBridgeName, findDefaultBridge, isDefaultBridge, namesDefaultBridge} from './default-bridge.ts';
import {createEndpoints, type Endpoints} from './endpoints.ts';
import {parseAddress} from './ip.ts';
import {createKernel} from './kernel.ts';
import {type Endpoint, readEndpoints} from './leases.ts';
import {isHeld} from './liveness.ts';
import {machineFiles} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {filterNetworks} from './network-filters.ts';
import {findNetwork, inspectNetwork, type NetworkRecord, poolsOf, readNetworks} from './network-record.ts';
import {predefinedNetworks} from './predefined.ts';
import {createUpkeep, sweepDirectories} from './upkeep.ts';

/** The engine's networks: what the Engine API asks of them, and what containers do. */
export interface EngineNetworks extends Omit<Networks, 'prune' | 'connect' | 'disconnect'> {
  readonly endpoints: Endpoints;
}

export function createNetworks(context: NetworkContext): EngineNetworks {
  const {layout, helper, events} = context;
  const kernel = createKernel(helper);
  const files = context.files ?? machineFiles;
  const upkeep = createUpkeep(context, kernel, files);

  const inspectRecord = (record: NetworkRecord) =>
    inspectNetwork(
      record,
      Object.fromEntries(
        readEndpoints(layout, record.id)
          .filter(({joining}) => joining !== true)
          .map((endpoint) => describeMember(record, endpoint)),
      ),
    );
  const publishEvent = ({id, name, driver}: NetworkRecord, action: string) =>
    events.append({type: 'network', action, id, attributes: {name, type: driver}});

  // Under the lock nobody is making one: what is there was left by a process that was killed.
  const sweepHalfMade = async (): Promise<void> => {
    await using lock = await helper.lock(layout.locks.networks);
    void lock;
    const networks = await readNetworks(layout);
    await sweepDirectories(context, networks);
    await upkeep.sweep(networks);
  };

  /** With the default network, which is there whether or not anybody has needed it yet. */
  const readAll = async (): Promise<readonly NetworkRecord[]> => {
    const known = await readNetworks(layout);
    const bridge = await findDefaultBridge({context, kernel, files}, known);
    return [bridge, ...known.filter((network) => !isDefaultBridge(network))];
  };

  return {
    endpoints: createEndpoints(context, kernel, files, upkeep),

    async list(filters) {
      if (hasHalfMade(layout)) await sweepHalfMade();
      const records = await readAll();
      return [...filterNetworks([...predefinedNetworks, ...records.map(inspectRecord)], filters)];
    },

    async inspect(reference) {
      const predefined = findPredefined(reference);
      if (predefined) return predefined;
      const known = await readNetworks(layout);
      return inspectRecord(findNetwork(namesDefaultBridge(reference, known) ? await readAll() : known, reference));
    },

    async create(body) {
      checkCreateBody(body);
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const networks = await readNetworks(layout);
      await upkeep.sweep(networks);
      const {record, warnings} = await createNetwork({context, kernel, files, upkeep, networks, body});
      await publishEvent(record, 'create');
      return {Id: record.id, Warning: warnings.map(({message, hint}) => `${message}: ${hint}`).join('\n')};
    },

    async remove(reference) {
      const predefined = findPredefined(reference)?.Name;
      if (predefined !== undefined || namesDefaultBridge(reference, await readNetworks(layout))) {
        throw new TscomposeError(
          'forbidden',
          `cannot remove network "${predefined ?? defaultBridgeName}": it is a pre-defined network and cannot be removed`,
        );
      }
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const networks = await readNetworks(layout);
      await upkeep.sweep(networks);
      const record = findNetwork(networks, reference);
      const attached: Endpoint[] = [];
      for (const endpoint of readEndpoints(layout, record.id)) {
        if (await isHeld(context, record.id, endpoint)) attached.push(endpoint);
        else await upkeep.clear(record, endpoint);
      }
      if (attached.length > 0) throw attachedError(record, attached);
      const remaining = networks.filter(({id}) => id !== record.id);
      await removeNetworkParts({context, kernel, upkeep, record, remaining});
      await publishEvent(record, 'destroy');
    },
  };
}

function hasHalfMade({networks}: NetworkContext['layout']): boolean {
  return existsSync(networks) && readdirSync(networks).some((name) => name.startsWith(temporaryPrefix));
}

function findPredefined(reference: string): NetworkInspect | undefined {
  return predefinedNetworks.find(({Name, Id}) => Name === reference || Id === reference);
}

function describeMember(record: NetworkRecord, endpoint: Endpoint): readonly [string, NetworkContainer] {
  const pools = poolsOf(record);
  const withLength = (family: 4 | 6) => {
    const text = endpoint.addresses.find((address) => parseAddress(address)?.family === family);
    const pool = pools.find(({subnet}) => subnet.family === family);
    return text === undefined || !pool ? '' : `${text}/${pool.subnet.length}`;
  };
  return [
    endpoint.container,
    {
      Name: endpoint.name,
      EndpointID: endpoint.endpoint,
      MacAddress: endpoint.mac,
      IPv4Address: withLength(4),
      IPv6Address: withLength(6),
    },
  ];
}

function attachedError({name}: NetworkRecord, attached: readonly Endpoint[]): TscomposeError {
  const count = attached.length === 1 ? '1 container is attached' : `${attached.length} containers are attached`;
  const names = attached.map((endpoint) => endpoint.name).sort();
  return new TscomposeError('conflict', `cannot remove network "${name}": ${count} (${names.join(', ')})`, {
    hint: 'stop them first, or run "tscompose down"',
  });
}
