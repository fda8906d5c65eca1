import {randomBytes} from 'node:crypto';
import {TscomposeError} from '../../base/errors.ts';
import type {ContainerRecord} from '../container/record.ts';
import {chooseAddresses} from './addresses.ts';
import type {PlannedInterface} from './attach.ts';
import {ensureBridge} from './bridge.ts';
import {driverOptionsOf} from './driver-options.ts';
import {namesOn} from './endpoint-names.ts';
import {readEndpointOptions} from './endpoint-options.ts';
import {gatewayNetwork, type Membership} from './gateway.ts';
import {type Address, formatAddress, parseAddress} from './ip.ts';
import type {Kernel} from './kernel.ts';
import {type Endpoint, readEndpoints} from './leases.ts';
import {parseLink} from './links.ts';
import {isHeld} from './liveness.ts';
import {macFor, normaliseMac} from './mac.ts';
import {hasIpv6, type MachineFiles} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {isVlan, type NetworkRecord} from './network-record.ts';
import {ensureParent} from './parent.ts';
import {readBindings} from './port-bindings.ts';
import type {PublishedPort} from './port-elements.ts';
import {portOfContainer} from './port-in-use.ts';
import {choosePublished} from './publish.ts';
import type {Upkeep} from './upkeep.ts';
import {vlanOptionsOf} from './vlan-options.ts';

export interface DecideRequest {
  readonly context: NetworkContext;
  readonly kernel: Kernel;
  readonly files: MachineFiles;
  readonly upkeep: Upkeep;
  readonly networks: readonly NetworkRecord[];
  readonly record: ContainerRecord;
  readonly name: string;
  readonly memberships: readonly Membership[];
  /** Where it is already, by network id: that stays as it is, but for published ports. */
  readonly kept: ReadonlyMap<string, Endpoint>;
}

/** A container's place in its networks; the lists go by its memberships. */
export interface DecidedEndpoints {
  readonly interfaces: readonly PlannedInterface[];
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** Some published port was chosen, not asked for. */
  readonly ephemeral: boolean;
  readonly ipv6Machine: boolean;
  readonly gateways: Gateways;
}

export interface Gateways {
  readonly ipv4: NetworkRecord | undefined;
  readonly ipv6: NetworkRecord | undefined;
}

/** The networks' lock is held; nothing is leased yet. Throws `conflict` for an address or port that another container has. */
export async function decideEndpoints(request: DecideRequest): Promise<DecidedEndpoints> {
  const {files, record, memberships, kept} = request;
  const ipv6Machine = await hasIpv6(files);
  const gateways = {ipv4: gatewayNetwork(memberships, 4), ipv6: gatewayNetwork(memberships, 6)};
  const names = interfaceNames(memberships, kept);
  const interfaces: PlannedInterface[] = [];
  for (const [position, membership] of memberships.entries()) {
    interfaces.push(await interfaceOn(request, membership, {name: names[position] ?? '', gateways, ipv6Machine}));
  }
  const publishers = {ipv4: publisherOf(gateways.ipv4), ipv6: publisherOf(gateways.ipv6)};
  const publisher = publishers.ipv4 ?? publishers.ipv6;
  const {ports, ephemeral} = await portsOn(request, interfaces, publishers);
  const endpoints = interfaces.map(({network, name, mac, addresses}, position): Endpoint => {
    const published = network === publisher ? ports : [];
    const existing = kept.get(network.id);
    if (existing) return {...existing, ports: published};
    return {
      v: 1,
      container: record.id,
      name: request.name,
      endpoint: randomBytes(32).toString('hex'),
      interface: name,
      mac,
      addresses,
      names: namesOn(network, request, memberships[position]?.settings ?? {}),
      ports: published,
    };
  });
  return {interfaces, endpoints, ports, ephemeral, ipv6Machine, gateways};
}

async function interfaceOn(
  request: DecideRequest,
  membership: Membership,
  {name, gateways, ipv6Machine}: Pick<DecidedEndpoints, 'gateways' | 'ipv6Machine'> & {readonly name: string},
): Promise<PlannedInterface> {
  const {context, kernel, record, kept} = request;
  const {network, settings} = membership;
  const existing = kept.get(network.id);
  const addresses = existing?.addresses ?? (await addressesOn(request, membership)).map(formatAddress);
  const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
  const base = isVlan(network)
    ? await ensureParent(kernel, context.layout, network)
    : {index: await ensureBridge(kernel, context.layout, network, ipv6Machine)};
  return {
    network,
    baseIndex: base.index,
    name,
    mac: existing?.mac ?? macOn(membership, 'address' in base ? base.address : '') ?? macFor(parsed, record.id),
    addresses,
    routes: {ipv4: network === gateways.ipv4, ipv6: network === gateways.ipv6},
    links: (settings.Links ?? []).map(parseLink),
    sysctls: {
      ...(ipv6Machine && !network.ipv6 ? {[`net/ipv6/conf/${name}/disable_ipv6`]: '1'} : {}),
      ...readEndpointOptions(network.driver, settings).sysctls(name),
    },
  };
}

/** Nothing is published on an interface that is on the machine's network by itself, as with Docker. */
function publisherOf(gateway: NetworkRecord | undefined): NetworkRecord | undefined {
  return gateway && isVlan(gateway) ? undefined : gateway;
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

/** The name that was asked for, or the first free one of the network's prefix, as Docker counts. Throws `invalid`. */
function interfaceNames(memberships: readonly Membership[], kept: ReadonlyMap<string, Endpoint>): readonly string[] {
  const fixed = memberships.map(
    ({network, settings}) =>
      kept.get(network.id)?.interface ?? readEndpointOptions(network.driver, settings).interfaceName,
  );
  const twice = fixed.find((name, index) => name !== undefined && fixed.indexOf(name) < index);
  if (twice) throw new TscomposeError('invalid', `two interfaces of a container cannot both be named "${twice}"`);
  const taken = new Set(fixed);
  return memberships.map(({network}, position) => {
    const given = fixed[position];
    if (given !== undefined) return given;
    const {interfacePrefix} = isVlan(network) ? vlanOptionsOf(network) : driverOptionsOf(network);
    let number = 0;
    while (taken.has(`${interfacePrefix}${number}`)) number += 1;
    const name = `${interfacePrefix}${number}`;
    taken.add(name);
    return name;
  });
}

async function addressesOn(request: DecideRequest, membership: Membership): Promise<readonly Address[]> {
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

async function portsOn(
  request: DecideRequest,
  interfaces: readonly PlannedInterface[],
  gateways: Gateways,
): Promise<{readonly ports: readonly PublishedPort[]; readonly ephemeral: boolean}> {
  const {context, files, record, networks, upkeep, kept} = request;
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
      readEndpoints(context.layout, network.id)
        .filter(({container}) => container !== record.id)
        .map((endpoint) => ({network, endpoint})),
    );
    const chosen = await choosePublished({
      wanted,
      targets,
      others: others.map(({endpoint}) => endpoint),
      held: [...kept.values()].flatMap((endpoint) => endpoint.ports),
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
