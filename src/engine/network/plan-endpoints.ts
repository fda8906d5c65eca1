import {randomBytes} from 'node:crypto';
import type {EndpointSettings, PortMap} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {NetworkPlan} from '../container/context.ts';
import type {ContainerRecord} from '../container/record.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import {chooseAddresses} from './addresses.ts';
import {attachOperations, isolatedOperations, type PlannedInterface} from './attach.ts';
import {ensureBridge} from './bridge.ts';
import {describeEndpoint} from './describe-endpoint.ts';
import {driverOptionsOf} from './driver-options.ts';
import {readEndpointOptions} from './endpoint-options.ts';
import {gatewayNetwork, type Membership} from './gateway.ts';
import {type Address, formatAddress, parseAddress} from './ip.ts';
import type {Kernel} from './kernel.ts';
import {type Endpoint, readEndpoints, removeEndpoint, writeEndpoint} from './leases.ts';
import {isHeld} from './liveness.ts';
import {macFor, normaliseMac} from './mac.ts';
import {hasIpv6, type MachineFiles} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {isVlan, type NetworkRecord, poolsOf} from './network-record.ts';
import {ensureParent} from './parent.ts';
import {readBindings} from './port-bindings.ts';
import type {PublishedPort} from './port-elements.ts';
import {explainPublishError, portOfContainer} from './port-in-use.ts';
import {choosePublished, portMapOf} from './publish.ts';
import {
  nameServiceAddress,
  parseResolvConf,
  type ResolverSettings,
  resolvConfForMachine,
  resolvConfForNetworks,
  upstreamServers,
} from './resolv-conf.ts';
import {forgetStaleConnections} from './stale-connections.ts';
import type {Upkeep} from './upkeep.ts';
import {vlanOptionsOf} from './vlan-options.ts';
import type {Warning} from './warning.ts';

/** A container's place in its networks, with everything that is known of it. */
export interface EndpointPlan extends NetworkPlan {
  /** Text of the container's resolv.conf. */
  readonly resolvConf: string;
  /** By network name, as inspect answers. */
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  readonly ports: PortMap;
  /** Settings of the container's namespace that belong to its interfaces. */
  readonly sysctls: Readonly<Record<string, string>>;
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
  const operations: readonly MonitorOperation[] =
    mode === 'host' ? [{kind: 'network', mode: 'host'}] : isolatedOperations();
  const machine = parseResolvConf(await files.readResolvConf());
  return {
    operations,
    addresses: [],
    resolvConf: resolvConfForMachine(machine, resolverSettings(record), mode),
    networks: {},
    ports: {},
    sysctls: {},
    warnings: [],
    ephemeral: false,
    explain: async (error) => error,
  };
}

/** In the network of another container, which has all there is to plan. */
export function planJoined(): EndpointPlan {
  return {
    ...{operations: [], addresses: [], resolvConf: '', networks: {}, ports: {}, sysctls: {}, warnings: []},
    ephemeral: false,
    explain: async (error) => error,
  };
}

export interface PlanRequest {
  readonly context: NetworkContext;
  readonly kernel: Kernel;
  readonly files: MachineFiles;
  readonly upkeep: Upkeep;
  readonly networks: readonly NetworkRecord[];
  readonly record: ContainerRecord;
  readonly name: string;
  readonly memberships: readonly Membership[];
  readonly warnings: readonly Warning[];
}

/** Decides and leases; the networks' lock is held. Throws `conflict` for an address or port that another container has. */
export async function planOnNetworks(request: PlanRequest): Promise<EndpointPlan> {
  const {context, kernel, files, record, memberships} = request;
  const {layout} = context;
  const ipv6Machine = await hasIpv6(files);
  const gateways = {ipv4: gatewayNetwork(memberships, 4), ipv6: gatewayNetwork(memberships, 6)};
  const interfaces: PlannedInterface[] = [];
  for (const [position, membership] of memberships.entries()) {
    const {network, settings} = membership;
    const addresses = await addressesOn(request, membership);
    const base = isVlan(network)
      ? await ensureParent(kernel, layout, network)
      : {index: await ensureBridge(kernel, layout, network, ipv6Machine)};
    const {interfaceName} = readEndpointOptions(network.driver, settings);
    interfaces.push({
      network,
      baseIndex: base.index,
      name: interfaceName ?? `${interfacePrefixOf(network)}${position}`,
      mac: macOn(membership, 'address' in base ? base.address : '') ?? macFor(addresses, record.id),
      addresses: addresses.map(formatAddress),
      routes: {ipv4: network === gateways.ipv4, ipv6: network === gateways.ipv6},
    });
  }
  refuseSameNames(interfaces);
  const publishers = {ipv4: publisherOf(gateways.ipv4), ipv6: publisherOf(gateways.ipv6)};
  const publisher = publishers.ipv4 ?? publishers.ipv6;
  const {ports, ephemeral} = await portsOn(request, interfaces, publishers);
  const endpoints = interfaces.map((planned, position): Endpoint => {
    const {network, name: interfaceName, mac, addresses} = planned;
    return {
      v: 1,
      container: record.id,
      name: request.name,
      endpoint: randomBytes(32).toString('hex'),
      interface: interfaceName,
      mac,
      addresses,
      names: namesOf(request, memberships[position]?.settings ?? {}),
      ports: network === publisher ? ports : [],
    };
  });
  const published = request.networks.flatMap(({id}) => readEndpoints(layout, id).flatMap((other) => other.ports));
  // A courtesy to clients that go on sending: no reason to fail.
  await forgetStaleConnections(kernel, ports, [...published, ...ports]).catch(() => undefined);
  lease(request, interfaces, endpoints);
  return describePlan(request, {interfaces, endpoints, ports, ephemeral, ipv6Machine, gateways});
}

/** Nothing is published on an interface that is on the machine's network by itself, as with Docker. */
function publisherOf(gateway: NetworkRecord | undefined): NetworkRecord | undefined {
  return gateway && isVlan(gateway) ? undefined : gateway;
}

function interfacePrefixOf(network: NetworkRecord): string {
  return isVlan(network) ? vlanOptionsOf(network).interfacePrefix : driverOptionsOf(network).interfacePrefix;
}

/** The link address that is asked for, or that only the parent can give. */
function macOn({network, settings}: Membership, parent: string): string | undefined {
  if (network.driver === 'ipvlan') {
    if (!settings.MacAddress) return '';
    throw new TscomposeError('invalid', 'ipvlan interfaces do not support custom mac address assignment');
  }
  if (settings.MacAddress) return normaliseMac(settings.MacAddress);
  return isVlan(network) && vlanOptionsOf(network).mode === 'passthru' ? parent : undefined;
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

async function addressesOn(request: PlanRequest, membership: Membership): Promise<readonly Address[]> {
  const {context, upkeep} = request;
  const {network, settings} = membership;
  for (;;) {
    const chosen = chooseAddresses(network, settings, readEndpoints(context.layout, network.id));
    if ('addresses' in chosen) return chosen.addresses;
    const {address, endpoint} = chosen.heldBy;
    if (await isHeld(context, network.id, endpoint)) {
      throw new TscomposeError(
        'conflict',
        `network "${network.name}": address ${address} is in use by container "${endpoint.name}"`,
      );
    }
    await upkeep.clear(network, endpoint);
  }
}

interface Gateways {
  readonly ipv4: NetworkRecord | undefined;
  readonly ipv6: NetworkRecord | undefined;
}

async function portsOn(
  request: PlanRequest,
  interfaces: readonly PlannedInterface[],
  gateways: Gateways,
): Promise<{readonly ports: readonly PublishedPort[]; readonly ephemeral: boolean}> {
  const {context, files, record, networks, upkeep} = request;
  const addressOn = (network: NetworkRecord | undefined, family: 4 | 6) =>
    interfaces
      .find((planned) => planned.network === network)
      ?.addresses.find((text) => parseAddress(text)?.family === family);
  const targets = {ipv4: addressOn(gateways.ipv4, 4), ipv6: addressOn(gateways.ipv6, 6)};
  // On internal networks alone nothing is published, as with Docker.
  if (targets.ipv4 === undefined && targets.ipv6 === undefined) return {ports: [], ephemeral: false};
  const exposed = record.hostConfig.PublishAllPorts ? Object.keys(record.config.ExposedPorts ?? {}) : [];
  const ownDefault = gateways.ipv4 ? driverOptionsOf(gateways.ipv4).hostAddress : undefined;
  const wanted = readBindings(record.hostConfig.PortBindings ?? {}, exposed, {
    address: ownDefault ?? context.publishAddress ?? 'all',
    ipv6: await hasIpv6(files),
  });
  if (wanted.length === 0) return {ports: [], ephemeral: false};
  const localRange = await files.readSetting('net/ipv4/ip_local_port_range');
  for (;;) {
    const others = networks.flatMap((network) =>
      readEndpoints(context.layout, network.id).map((endpoint) => ({network, endpoint})),
    );
    const chosen = await choosePublished({
      wanted,
      targets,
      others: others.map(({endpoint}) => endpoint),
      localRange,
    });
    if ('ports' in chosen) return {ports: chosen.ports, ephemeral: wanted.some(({range}) => range === undefined)};
    const {endpoint: holder, port} = chosen.heldBy;
    const holdersNetwork = others.find(({endpoint}) => endpoint === holder)?.network.id ?? '';
    if (await isHeld(context, holdersNetwork, holder)) throw portOfContainer(port, holder.name);
    for (const {network, endpoint} of others) {
      if (endpoint.container === holder.container) await upkeep.clear(network, endpoint);
    }
  }
}

function refuseSameNames(interfaces: readonly PlannedInterface[]): void {
  const twice = interfaces.find(({name}, index) => interfaces.some((other, at) => at < index && other.name === name));
  if (twice) throw new TscomposeError('invalid', `two interfaces of a container cannot both be named "${twice.name}"`);
}

/** What the name service answers for: as Docker, the container's name, aliases, short id and host name. */
function namesOf({record, name}: PlanRequest, {Aliases}: EndpointSettings): readonly string[] {
  const names = [name, ...(Aliases ?? []), record.id.slice(0, 12), record.config.Hostname ?? ''];
  return [...new Set(names.map((text) => text.toLowerCase()).filter((text) => /^\S+$/.test(text)))];
}

function resolverSettings({hostConfig}: ContainerRecord): ResolverSettings {
  return {
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
  };
}

interface Planned {
  readonly interfaces: readonly PlannedInterface[];
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  readonly ephemeral: boolean;
  readonly ipv6Machine: boolean;
  readonly gateways: Gateways;
}

async function describePlan(request: PlanRequest, planned: Planned): Promise<EndpointPlan> {
  const {context, files, record, memberships, warnings} = request;
  const {interfaces, endpoints, ports, ephemeral, ipv6Machine, gateways} = planned;
  const machine = parseResolvConf(await files.readResolvConf());
  const resolver = resolverSettings(record);
  const operations = attachOperations({
    layout: context.layout,
    containerId: record.id,
    interfaces,
    ports,
    // A container that has no way out asks nobody outside either.
    upstreams: gateways.ipv4 || gateways.ipv6 ? upstreamServers(machine, resolver) : [],
    ipv6Machine,
  });
  const gateway = gateways.ipv4 ?? gateways.ipv6;
  // A bridge has it; a parent's router is another machine.
  const machineAddress = gateway && !isVlan(gateway) ? poolsOf(gateway)[0]?.gateway : undefined;
  const plainIpv4 = interfaces.filter(({network}) => !network.ipv6);
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
    sysctls: ipv6Machine
      ? Object.fromEntries(plainIpv4.map(({name}) => [`net/ipv6/conf/${name}/disable_ipv6`, '1']))
      : {},
    warnings,
    ephemeral,
    explain: (error) => explainPublishError(error, ports),
  };
}
