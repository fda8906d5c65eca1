import type {EndpointSettings, PortMap} from '../../api/types/container.ts';
import type {NetworkPlan} from '../container/context.ts';
import type {ContainerRecord} from '../container/record.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import {attachOperations, isolatedOperations, memberOperation, type PlannedInterface} from './attach.ts';
import {type DecidedEndpoints, type DecideRequest, decideEndpoints, type Gateways} from './decide-endpoints.ts';
import {describeEndpoint} from './describe-endpoint.ts';
import {explainFullBridge} from './full-bridge.ts';
import {type Address, formatAddress} from './ip.ts';
import {type Endpoint, readEndpoints, removeEndpoint, writeEndpoint} from './leases.ts';
import type {MachineFiles} from './machine.ts';
import {isVlan, type NetworkRecord, poolsOf} from './network-record.ts';
import type {PublishedPort} from './port-elements.ts';
import {explainPublishError} from './port-in-use.ts';
import {predefinedNetworks} from './predefined.ts';
import {portMapOf} from './publish.ts';
import {
  nameServiceAddress,
  parseResolvConf,
  type ResolvConf,
  type ResolverSettings,
  resolvConfForMachine,
  resolvConfForNetworks,
  upstreamServers,
} from './resolv-conf.ts';
import {forgetStaleConnections} from './stale-connections.ts';
import type {Warning} from './warning.ts';

/** A container's place in its networks, with everything that is known of it. */
export interface EndpointPlan extends NetworkPlan {
  /** Text of the container's resolv.conf. */
  readonly resolvConf: string;
  /** By network name, as inspect answers. */
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  readonly ports: PortMap;
  readonly warnings: readonly Warning[];
  /** Some published port was chosen, not asked for: a start that fails for want of it can be tried again. */
  readonly ephemeral: boolean;
  /** Says of a failed launch who has the port, where that was it. */
  explain(error: unknown): Promise<unknown>;
}

/** In the machine's network, or in one of its own without a way out. */
export async function planWithoutNetworks(
  files: MachineFiles,
  record: ContainerRecord,
  mode: 'host' | 'none',
): Promise<EndpointPlan> {
  const operations: readonly MonitorOperation[] = [
    ...(mode === 'host' ? [{kind: 'network', mode: 'host'} as const] : isolatedOperations()),
    ...predefinedNetworks
      .filter(({Name}) => Name === mode)
      .map(({Id: id, Name: name, Driver: driver}) => memberOperation(record.id, {id, name, driver})),
  ];
  const machine = parseResolvConf(await files.readResolvConf());
  return {
    operations,
    addresses: [],
    ...(mode === 'host' ? {gateway: '127.0.0.1'} : {}),
    resolvConf: resolvConfForMachine(machine, resolverSettings(record), mode),
    networks: {},
    ports: {},
    warnings: [],
    ephemeral: false,
    explain: async (error) => error,
  };
}

/** In the network of another container, which has all there is to plan. */
export function planJoined(): EndpointPlan {
  return {
    ...{operations: [], addresses: [], resolvConf: '', networks: {}, ports: {}, warnings: []},
    ephemeral: false,
    explain: async (error) => error,
  };
}

export interface PlanRequest extends Omit<DecideRequest, 'kept'> {
  readonly warnings: readonly Warning[];
}

/** Decides and leases; the networks' lock is held. Throws `conflict` for an address or port that another container has. */
export async function planOnNetworks(request: PlanRequest): Promise<EndpointPlan> {
  const {context, kernel, networks} = request;
  const decided = await decideEndpoints({...request, kept: new Map()});
  const {interfaces, endpoints, ports} = decided;
  await forgetConnections({context, kernel, networks}, ports);
  lease(request, interfaces, endpoints);
  return describePlan(request, decided);
}

/** A courtesy to clients that go on sending: no reason to fail. */
export async function forgetConnections(
  {context, kernel, networks}: Pick<PlanRequest, 'context' | 'kernel' | 'networks'>,
  ports: readonly PublishedPort[],
): Promise<void> {
  const published = networks.flatMap(({id}) => readEndpoints(context.layout, id).flatMap((other) => other.ports));
  await forgetStaleConnections(kernel, ports, [...published, ...ports]).catch(() => undefined);
}

/** Leases all or none. */
function lease(
  {context: {layout}, record}: PlanRequest,
  interfaces: readonly PlannedInterface[],
  endpoints: readonly Endpoint[],
): void {
  try {
    for (const [position, endpoint] of endpoints.entries()) {
      writeEndpoint(layout, interfaces[position]?.network.id ?? '', endpoint);
    }
  } catch (error) {
    for (const {network} of interfaces) removeEndpoint(layout, network.id, record.id);
    throw error;
  }
}

export function resolverSettings({hostConfig}: ContainerRecord): ResolverSettings {
  return {
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
  };
}

async function describePlan(request: PlanRequest, planned: DecidedEndpoints): Promise<EndpointPlan> {
  const {context, files, record, memberships, warnings} = request;
  const {interfaces, endpoints, ports, ephemeral, ipv6Machine, gateways} = planned;
  const machine = parseResolvConf(await files.readResolvConf());
  const resolver = resolverSettings(record);
  const operations = attachOperations({
    ...{layout: context.layout, containerId: record.id, interfaces, ports, ipv6Machine},
    ...upstreamsOf(files, machine, resolver, gateways),
  });
  const machineAddress = machineAddressOf(
    gateways,
    interfaces.map(({network}) => network),
  );
  return {
    operations,
    addresses: interfaces.flatMap(({addresses}) => addresses),
    nameServer: nameServiceAddress,
    ...(machineAddress ? {gateway: formatAddress(machineAddress)} : {}),
    resolvConf: resolvConfForNetworks(machine, resolver),
    networks: Object.fromEntries(
      memberships.flatMap((membership, position) => {
        const endpoint = endpoints[position];
        return endpoint ? [[membership.network.name, describeEndpoint(membership, endpoint)]] : [];
      }),
    ),
    ports: portMapOf(ports, Object.keys(record.config.ExposedPorts ?? {})),
    warnings,
    ephemeral,
    explain: (error) => explainPublishError(explainFullBridge(error, interfaces), ports),
  };
}

/** A bridge has it, with a way out or not; a parent's router is another machine. */
function machineAddressOf(gateways: Gateways, networks: readonly NetworkRecord[]): Address | undefined {
  const outside = gateways.ipv4 ?? gateways.ipv6;
  return (outside ? [outside, ...networks] : networks)
    .filter((network) => !isVlan(network))
    .flatMap((network) => poolsOf(network).flatMap(({gateway}) => gateway ?? []))[0];
}

/** A container that has no way out asks nobody outside either. */
export function upstreamsOf(
  {resolvConfPath}: MachineFiles,
  machine: ResolvConf,
  resolver: ResolverSettings,
  gateways: Gateways,
): {readonly upstreams: readonly string[]; readonly resolverFile?: string | undefined} {
  if (!gateways.ipv4 && !gateways.ipv6) return {upstreams: []};
  const upstreams = upstreamServers(machine, resolver);
  return resolver.dns.length > 0 ? {upstreams} : {upstreams, resolverFile: resolvConfPath};
}
