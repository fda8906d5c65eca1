import type {Ipam, NetworkInspect} from '../../api/types/network.ts';
import type {CliContext} from '../context.ts';
import {inspectEach, keyValues, labelText, listOf, withEachName} from '../engine-resources.ts';
import {readFilters} from '../image-name.ts';
import type {ResourceInput} from '../resource-flags.ts';
import {withEngine} from '../session.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

/** Prints its id, as Docker does. */
export function runNetworkCreate(
  context: CliContext,
  {args, flags}: ResourceInput<'engine network create'>,
): Promise<number> {
  const [Name = ''] = checkCount(args, {least: 1, usage: 'engine network create [OPTIONS] NETWORK'});
  const ipam = addressesOf(flags);
  return withEngine(context, async (docker) => {
    const network = await docker.createNetwork({
      Name,
      Driver: flags.driver ?? 'bridge',
      Internal: flags.internal,
      Attachable: flags.attachable,
      EnableIPv6: flags.ipv6,
      ...(ipam !== undefined && {IPAM: ipam}),
      Options: keyValues(flags.opt),
      Labels: keyValues(flags.label),
    });
    if (network.warning !== '') context.stderr.write(`warning: ${network.warning}\n`);
    context.stdout.write(`${network.id}\n`);
    return 0;
  });
}

const isV6 = (address: string): boolean => address.includes(':');

/** Ranges and gateways belong to the subnet of their family. */
function addressesOf(flags: ResourceInput<'engine network create'>['flags']): Ipam | undefined {
  const {subnet: subnets, gateway: gateways, 'ip-range': ranges} = flags;
  for (const [flag, values] of Object.entries({subnet: subnets, gateway: gateways, 'ip-range': ranges})) {
    for (const six of [false, true]) {
      const family = values.filter((value) => isV6(value) === six);
      if (family.length > 1)
        throw wrongUse(`--${flag} ${family.join(', ')}: a network has one of IPv4 and one of IPv6`, 'leave one out');
      if (family.length === 1 && !subnets.some((subnet) => isV6(subnet) === six))
        throw wrongUse(`--${flag} ${family[0]} has no --subnet that it belongs to`, 'write its --subnet, too');
    }
  }
  if (subnets.length === 0) return undefined;
  const Config = subnets.map((Subnet) => {
    const own = (values: readonly string[]) => values.find((value) => isV6(value) === isV6(Subnet));
    const [Gateway, IPRange] = [own(gateways), own(ranges)];
    return {Subnet, ...(Gateway !== undefined && {Gateway}), ...(IPRange !== undefined && {IPRange})};
  });
  return {Config};
}

const titles = {
  ...{CreatedAt: 'CREATED AT', Driver: 'DRIVER', ID: 'NETWORK ID', IPv4: 'IPV4', IPv6: 'IPV6', Internal: 'INTERNAL'},
  ...{Labels: 'LABELS', Name: 'NAME', Scope: 'SCOPE', Subnets: 'SUBNETS'},
} as const;

export function runNetworkList(
  context: CliContext,
  {args, flags}: ResourceInput<'engine network ls'>,
): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine network ls [OPTIONS]'});
  const list = {flags, titles, columns: ['ID', 'Name', 'Driver', 'Subnets'], quiet: 'ID'} as const;
  const rowOf = (network: NetworkInspect) => networkRow(network, flags['no-trunc']);
  return listOf(context, list, async (docker) => {
    const networks = await docker.listNetworks({filters: readFilters(flags.filter)});
    return networks.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)).map(rowOf);
  });
}

/** What Docker tells of a network, and its subnets. */
function networkRow(network: NetworkInspect, whole: boolean): Readonly<Record<keyof typeof titles, string>> {
  const {Created, Driver, Id, EnableIPv4, EnableIPv6, Internal, IPAM, Labels, Name, Scope} = network;
  return {
    ...{CreatedAt: Created.replace('T', ' ').replace('Z', ' +0000 UTC'), Driver, ID: whole ? Id : Id.slice(0, 12)},
    ...{IPv4: String(EnableIPv4), IPv6: String(EnableIPv6), Internal: String(Internal), Labels: labelText(Labels)},
    ...{Name, Scope, Subnets: (IPAM.Config ?? []).map(({Subnet = ''}) => Subnet).join(', ')},
  };
}

export function runNetworkInspect(
  context: CliContext,
  {args, flags: {format}}: ResourceInput<'engine network inspect'>,
): Promise<number> {
  return inspectEach(context, {names: args, usage: 'engine network inspect NETWORK...', format}, (docker, name) =>
    docker.getNetwork(name).inspect(),
  );
}

export function runNetworkRemove(context: CliContext, {args}: ResourceInput<'engine network rm'>): Promise<number> {
  return withEngine(context, (docker) =>
    withEachName(context, {names: args, usage: 'engine network rm NETWORK...'}, async (name) => {
      await docker.getNetwork(name).remove();
      context.stdout.write(`${name}\n`);
    }),
  );
}
