import type {NetworkChange} from '../container/context.ts';
import {changeOperations} from './change-operations.ts';
import {type DecideRequest, decideEndpoints} from './decide-endpoints.ts';
import {explainFullBridge} from './full-bridge.ts';
import {gatewayNetwork, type Membership} from './gateway.ts';
import {type Endpoint, prepareEndpoint, removeEndpoint, removeUnfinishedLease, writeEndpoint} from './leases.ts';
import {forgetConnections, resolverSettings, upstreamsOf} from './plan-endpoints.ts';
import {explainPublishError} from './port-in-use.ts';
import {parseResolvConf, resolvConfForMachine, resolvConfForNetworks} from './resolv-conf.ts';

export interface ChangeRequest extends Omit<DecideRequest, 'kept'> {
  /** Its networks as they are, and what it has leased; `memberships` and `record` say how they are to be. */
  readonly before: readonly Membership[];
  readonly current: ReadonlyMap<string, Endpoint>;
}

/**
 * Takes a running container from networks to others: leases what is new, has `carryOut` ask the monitor for everything at
 * once, and gives back what was leased when that failed. Killed in between, the lease says that it was never completed.
 * The networks' lock is held.
 */
export async function changeNetworks(
  request: ChangeRequest,
  carryOut: (change: NetworkChange) => Promise<void>,
): Promise<void> {
  const {context, kernel, networks, memberships, before, current, record, files} = request;
  const {layout} = context;
  const stays = (id: string) => memberships.some(({network}) => network.id === id);
  const kept = new Map([...current].filter(([id]) => stays(id)));
  const decided = await decideEndpoints({...request, kept});
  const {interfaces, endpoints, ports, gateways, ipv6Machine} = decided;
  const added = interfaces.filter(({network}) => !kept.has(network.id));
  const removed = before.filter(({network}) => !stays(network.id));
  const gatewaysBefore = {ipv4: gatewayNetwork(before, 4), ipv6: gatewayNetwork(before, 6)};
  const machine = parseResolvConf(await files.readResolvConf());
  const resolver = resolverSettings(record);
  const changed = endpoints.flatMap((endpoint, position) => {
    const network = interfaces[position]?.network;
    const existing = network && kept.get(network.id);
    const isSame = existing !== undefined && JSON.stringify(existing.ports) === JSON.stringify(endpoint.ports);
    return network && !isSame ? [{network, endpoint, isNew: existing === undefined}] : [];
  });
  // One that began without networks has no name service, nor a resolv.conf that names it.
  const isFirst = record.hostConfig.NetworkMode === 'none' && current.size === 0;
  const [alone, together] = [resolvConfForMachine(machine, resolver, 'none'), resolvConfForNetworks(machine, resolver)];
  try {
    // Ports that go over to it are still led to by the lease that has them: whoever clears this one leaves them alone.
    for (const {network, endpoint, isNew} of changed)
      if (isNew) writeEndpoint(layout, network.id, {...endpoint, ports: [], joining: true});
    const prepared = changed.flatMap(({network, endpoint}) => prepareEndpoint(layout, network.id, endpoint));
    await carryOut({
      operations: changeOperations({
        after: {
          ...{layout, containerId: record.id, interfaces, ports, ipv6Machine},
          ...upstreamsOf(files, machine, resolver, gateways),
        },
        ...{added, isFirst, files: prepared},
        removed: removed.map(({network}) => {
          return {network, interfaceName: current.get(network.id)?.interface ?? ''};
        }),
        portsBefore: [...current.values()].flatMap((endpoint) => endpoint.ports),
        gateways: {before: gatewaysBefore, after: gateways},
      }),
      added: added.flatMap(({addresses}) => addresses),
      removed: removed.flatMap(({network}) => current.get(network.id)?.addresses ?? []),
      ...(isFirst ? {resolvConf: {removed: alone + together, added: together}} : {}),
    });
  } catch (error) {
    for (const {network, isNew} of changed) {
      if (isNew) removeEndpoint(layout, network.id, record.id);
      else removeUnfinishedLease(layout, network.id, record.id);
    }
    throw await explainPublishError(explainFullBridge(error, added), ports);
  }
  await forgetConnections({context, kernel, networks}, ports);
}
