import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {EndpointDescription, EndpointSource} from '../container/context.ts';
import {containerOfMode} from '../container/namespace-modes.ts';
import type {ContainerRecord} from '../container/record.ts';
import {describeEndpoint, describeStopped} from './describe-endpoint.ts';
import type {Membership} from './gateway.ts';
import type {Kernel} from './kernel.ts';
import {readEndpoint, removeUnfinishedLease, writeEndpoint} from './leases.ts';
import type {MachineFiles} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {findNetwork, type NetworkRecord, readNetworks} from './network-record.ts';
import {type EndpointPlan, planJoined, planOnNetworks, planWithoutNetworks} from './plan-endpoints.ts';
import type {PublishedPort} from './port-elements.ts';
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
    const networks = await readNetworks(layout);
    for (const {id} of networks) removeUnfinishedLease(layout, id, record.id);
    // What a monitor cleared by itself, as nearly always, needs no lock.
    if (held(networks).length === 0) return;
    await using lock = await helper.lock(layout.locks.networks);
    void lock;
    for (const {network, endpoint} of held(await readNetworks(layout))) await upkeep.clear(network, endpoint);
  };

  return {
    release,

    async plan(record, name) {
      const mode = record.hostConfig.NetworkMode || 'default';
      if (mode === 'host' || mode === 'none') return await planWithoutNetworks(files, record, mode);
      if (containerOfMode(mode) !== undefined) return planJoined();
      await using lock = await helper.lock(layout.locks.networks);
      void lock;
      const networks = await readNetworks(layout);
      await upkeep.sweep(networks);
      for (const network of networks) {
        const left = readEndpoint(layout, network.id, record.id);
        if (left) await upkeep.clear(network, left);
      }
      const memberships = membershipsOf(record, networks);
      const warnings = await upkeep.recheck(networks);
      return await planOnNetworks({context, kernel, files, upkeep, networks, record, name, memberships, warnings});
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

    async describe(record, running): Promise<EndpointDescription> {
      if (containerOfMode(record.hostConfig.NetworkMode) !== undefined) return {networks: {}, ports: {}};
      const known = await readNetworks(layout);
      const networks: Record<string, EndpointSettings> = {};
      const ports: PublishedPort[] = [];
      for (const [reference, settings] of Object.entries(record.endpoints)) {
        const network = known.find(({id, name}) => id === reference || name === reference);
        const endpoint = network && running ? readEndpoint(layout, network.id, record.id) : undefined;
        networks[network?.name ?? reference] =
          network && endpoint ? describeEndpoint({network, settings}, endpoint) : describeStopped(settings, network);
        if (endpoint) ports.push(...endpoint.ports);
      }
      const exposed = [
        ...Object.keys(record.config.ExposedPorts ?? {}),
        ...Object.keys(record.hostConfig.PortBindings ?? {}),
      ];
      return {networks, ports: running ? portMapOf(ports, exposed) : {}};
    },
  };
}

/** The networks that a container is to be on, in order. Throws `notFound`, `unsupported` for the default bridge. */
function membershipsOf(record: ContainerRecord, networks: readonly NetworkRecord[]): readonly Membership[] {
  return Object.entries(record.endpoints).map(([reference, settings]) => {
    if (reference === 'default' || reference === 'bridge') {
      throw new TscomposeError('unsupported', 'the default bridge network is not supported', {
        hint: 'name a network (networks: …), or use network_mode "host" or "none"',
      });
    }
    return {network: findNetwork(networks, reference), settings};
  });
}
