import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {EndpointDescription, EndpointSource} from '../container/context.ts';
import {containerOfMode} from '../container/namespace-modes.ts';
import type {ContainerRecord} from '../container/record.ts';
import {checkEndpoint, checkOnDefaultBridge} from './check-endpoint.ts';
import {removeNetworkParts} from './create-network.ts';
import {defaultBridgeName, isDefaultBridge, namesDefaultBridge, withDefaultBridge} from './default-bridge.ts';
import {describeEndpoint, describeStopped} from './describe-endpoint.ts';
import {namesOn} from './endpoint-names.ts';
import {gatewayNetwork, type Membership} from './gateway.ts';
import type {Kernel} from './kernel.ts';
import {readEndpoint, readEndpoints, removeUnfinishedLease, writeEndpoint} from './leases.ts';
import type {MachineFiles} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {findNetwork, type NetworkRecord, readNetworks} from './network-record.ts';
import {changeNetworks} from './plan-change.ts';
import {type EndpointPlan, planJoined, planOnNetworks, planWithoutNetworks} from './plan-endpoints.ts';
import type {PublishedPort} from './port-elements.ts';
import {predefinedNetworks} from './predefined.ts';
import {portMapOf} from './publish.ts';
import type {Upkeep} from './upkeep.ts';

export interface Endpoints extends EndpointSource {
  plan(record: ContainerRecord, name: string): Promise<EndpointPlan>;
}

export function createEndpoints(
  context: NetworkContext,
  kernel: Kernel,
  files: MachineFiles,
  upkeep: Upkeep,
): Endpoints {
  const {layout, helper} = context;

  const release = async (record: ContainerRecord) => {
    const held = (networks: readonly NetworkRecord[]) =>
      networks.flatMap((network) => {
        const endpoint = readEndpoint(layout, network.id, record.id);
        return endpoint ? [{network, endpoint}] : [];
      });
    const known = await readNetworks(layout);
    for (const {id} of known) removeUnfinishedLease(layout, id, record.id);
    // What a monitor cleared by itself, as nearly always, needs no lock.
    const isOnDefault = defaultBridgeName in record.endpoints;
    if (held(known).length === 0 && !isOnDefault) return;
    await using lock = await helper.lock(layout.locks.networks);
    void lock;
    const networks = await readNetworks(layout);
    for (const {network, endpoint} of held(networks)) await upkeep.clear(network, endpoint);
    if (isOnDefault) await retireDefault(networks);
  };

  /** The lock is held. */
  const networksFor = async (record: ContainerRecord) => {
    const known = await readNetworks(layout);
    return defaultBridgeName in record.endpoints ? await withDefaultBridge({context, kernel, files}, known) : known;
  };

  /** The default network goes with its last container; nobody made it, so nobody would remove it. */
  const retireDefault = async (networks: readonly NetworkRecord[]) => {
    const record = networks.find(isDefaultBridge);
    if (!record || readEndpoints(layout, record.id).length > 0) return;
    const remaining = networks.filter((network) => network !== record);
    await removeNetworkParts({context, kernel, upkeep, record, remaining});
  };

  return {
    release,

    async nameOf(reference) {
      const predefined = predefinedNetworks.find(({Name, Id}) => Name === reference || Id === reference);
      if (predefined) return predefined.Name;
      const known = await readNetworks(layout);
      return namesDefaultBridge(reference, known) ? defaultBridgeName : findNetwork(known, reference).name;
    },

    async check(reference, settings) {
      if (reference === 'none') return;
      if (reference === defaultBridgeName) checkOnDefaultBridge(settings);
      else checkEndpoint(findNetwork(await readNetworks(layout), reference), settings);
    },

    async change({before, after, name}, carryOut) {
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const networks = await networksFor(after);
      await upkeep.sweep(networks);
      const memberships = membershipsOf(after, networks);
      await upkeep.recheck(
        networks,
        memberships.map(({network}) => network),
      );
      const current = networks.flatMap(({id}) => {
        const endpoint = readEndpoint(layout, id, before.id);
        return endpoint ? [[id, endpoint] as const] : [];
      });
      await changeNetworks(
        {
          ...{context, kernel, files, upkeep, networks, record: after, name, current: new Map(current)},
          before: membershipsOf(before, networks),
          memberships,
        },
        carryOut,
      );
      if (defaultBridgeName in before.endpoints) await retireDefault(networks);
    },

    async forget(network, reference) {
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const record = (await readNetworks(layout)).find(({name}) => name === network);
      const left =
        record &&
        readEndpoints(layout, record.id).find(
          ({name, container}) => name === reference || container.startsWith(reference),
        );
      if (!left) throw new TscomposeError('notFound', `endpoint ${reference} not found`);
      await upkeep.clear(record, left);
    },

    async plan(record, name) {
      const mode = record.hostConfig.NetworkMode || 'default';
      if (containerOfMode(mode) !== undefined) return planJoined();
      if (mode === 'host') return await planWithoutNetworks(files, record, 'host');
      // It may have left "none" for other networks.
      const isAlone = Object.keys(record.endpoints).every((reference) => reference === 'none');
      if (mode === 'none' && isAlone) return await planWithoutNetworks(files, record, 'none');
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const networks = await networksFor(record);
      await upkeep.sweep(networks);
      for (const network of networks) {
        const left = readEndpoint(layout, network.id, record.id);
        if (left) await upkeep.clear(network, left);
      }
      const memberships = membershipsOf(record, networks);
      const warnings = await upkeep.recheck(
        networks,
        memberships.map(({network}) => network),
      );
      return await planOnNetworks({context, kernel, files, upkeep, networks, record, name, memberships, warnings});
    },

    async membersOf(record) {
      if (containerOfMode(record.hostConfig.NetworkMode) !== undefined) return [];
      const others = predefinedNetworks.map(({Id: id, Name: name, Driver: driver}) => ({id, name, driver}));
      const known = [...others, ...(await readNetworks(layout))];
      return Object.keys(record.endpoints).flatMap(
        (reference) => known.find(({id, name}) => id === reference || name === reference) ?? [],
      );
    },

    async rename(record, name) {
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      for (const {id} of await readNetworks(layout)) {
        const endpoint = readEndpoint(layout, id, record.id);
        if (!endpoint) continue;
        const names = [name.toLowerCase(), ...endpoint.names.filter((other) => other !== endpoint.name.toLowerCase())];
        writeEndpoint(layout, id, {...endpoint, name, names: [...new Set(names)]});
      }
    },

    async describe({record, name}, running): Promise<EndpointDescription> {
      if (containerOfMode(record.hostConfig.NetworkMode) !== undefined) return {networks: {}, ports: {}};
      const known = await readNetworks(layout);
      const networks: Record<string, EndpointSettings> = {};
      const ports: PublishedPort[] = [];
      const memberships: Membership[] = [];
      for (const [reference, settings] of Object.entries(record.endpoints)) {
        const network = known.find(({id, name}) => id === reference || name === reference);
        const leased = network && running ? readEndpoint(layout, network.id, record.id) : undefined;
        const endpoint = leased?.joining === true ? undefined : leased;
        networks[network?.name ?? reference] =
          network && endpoint
            ? describeEndpoint({network, settings}, endpoint)
            : describeStopped({settings, names: namesOn(network, {record, name}, settings)}, network);
        if (network) memberships.push({network, settings});
        if (endpoint) ports.push(...endpoint.ports);
      }
      const exposed = [
        ...Object.keys(record.config.ExposedPorts ?? {}),
        ...Object.keys(record.hostConfig.PortBindings ?? {}),
      ];
      // As Docker: where no network leads out, a port is not even told to be closed.
      const leadsOut = gatewayNetwork(memberships, 4) ?? gatewayNetwork(memberships, 6);
      return {networks, ports: running && leadsOut ? portMapOf(ports, exposed) : {}};
    },
  };
}

/** The networks that a container is to be on, in order. Throws `notFound`. */
function membershipsOf(record: ContainerRecord, networks: readonly NetworkRecord[]): readonly Membership[] {
  return Object.entries(record.endpoints).flatMap(([reference, settings]) => {
    if (reference === 'none') return [];
    return {network: findNetwork(networks, reference), settings};
  });
}
