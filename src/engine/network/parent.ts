import {TscomposeError} from '../../base/errors.ts';
import {dummyName, interfaceAlias, type Layout} from '../layout.ts';
import {readLink, removeLink} from './bridge.ts';
import {type Kernel, kernelErrno} from './kernel.ts';
import {type Link, setLink} from './netlink/link.ts';
import {createDummy, createVlan, impossibleLink, type LinkKind} from './netlink/sub-link.ts';
import {isVlan, type NetworkRecord, type RecordedParent, type VlanNetwork} from './network-record.ts';
import {parseVlanName, readVlanOptions, type VlanDriver, vlanOptionsOf} from './vlan-options.ts';

interface ParentRequest {
  readonly kernel: Kernel;
  readonly layout: Layout;
  readonly networks: readonly NetworkRecord[];
  /** Of the new network. */
  readonly name: string;
  readonly id: string;
  readonly driver: VlanDriver;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * The parent interface that a new network is to have. Throws, before anything is made, `unsupported` where the kernel has
 * no such interfaces, `invalid` in Docker's words for a parent that cannot be, `conflict` where another network has it.
 */
export async function planParent(request: ParentRequest): Promise<RecordedParent> {
  const {kernel, layout, name, id, driver, options} = request;
  await needKind(kernel, name, driver);
  const {parent, mode, mtu} = readVlanOptions(driver, options);
  if (parent === undefined) {
    await needKind(kernel, name, 'dummy', 'name an interface of the machine with the option "parent"');
    return {name: dummyName(layout, id), made: 'dummy'};
  }
  refuseShared(request, parent, mode);
  const known = request.networks.find((network) => network.parent?.name === parent)?.parent;
  if (known?.made !== undefined) return known;
  const existing = await readLink(kernel, parent);
  if (existing) {
    refuseMtu(mtu, existing);
    return {name: parent};
  }
  const {lower} = parseVlanName(parent);
  const below = await readLink(kernel, lower);
  if (!below) throw new TscomposeError('invalid', `-o parent interface was not found on the host: ${lower}`);
  refuseMtu(mtu, below);
  await needKind(kernel, name, 'vlan');
  return {name: parent, made: 'vlan'};
}

const configurations: Readonly<Record<LinkKind, string>> = {
  macvlan: 'CONFIG_MACVLAN',
  ipvlan: 'CONFIG_IPVLAN',
  vlan: 'CONFIG_VLAN_8021Q',
  dummy: 'CONFIG_DUMMY',
};

async function needKind(kernel: Kernel, network: string, kind: LinkKind, instead?: string): Promise<void> {
  try {
    await kernel.route([impossibleLink(kind)], `look for ${kind} interfaces`);
  } catch (error) {
    const errno = kernelErrno(error);
    if (errno === 'EPERM' || errno === undefined) throw error;
    if (errno !== 'EOPNOTSUPP') return;
    const needs = `it needs a kernel with ${configurations[kind]}`;
    throw new TscomposeError(
      'unsupported',
      `cannot create network "${network}": this kernel has no ${kind} interfaces`,
      {hint: instead === undefined ? needs : `${needs}; or ${instead}`, cause: error},
    );
  }
}

/** In Docker's words. An ipvlan parent has one mode for all, and a passed-through one a single interface. */
function refuseShared({networks, driver}: ParentRequest, parent: string, mode: string): void {
  for (const network of networks) {
    if (!isVlan(network) || network.driver !== driver || network.parent.name !== parent) continue;
    if (driver === 'ipvlan') {
      throw new TscomposeError(
        'conflict',
        `network di-${network.id.slice(0, 12)} is already using parent interface ${parent}`,
      );
    }
    if (mode === 'passthru') {
      throw new TscomposeError(
        'conflict',
        `cannot use mode passthru, macvlan network ${network.id} is already using parent interface ${parent}`,
      );
    }
    if (vlanOptionsOf(network).mode === 'passthru') {
      throw new TscomposeError(
        'conflict',
        `macvlan network ${network.id} is already using parent interface ${parent} in mode passthru`,
      );
    }
  }
}

function refuseMtu(mtu: number | undefined, {name, mtu: most}: Link): void {
  if (mtu === undefined || mtu <= most) return;
  throw new TscomposeError(
    'invalid',
    `network option "com.docker.network.driver.mtu": ${mtu} is more than the ${most} of interface "${name}"`,
  );
}

/**
 * The parent of a network, made where it is missing and ours to make. Throws `notFound` where the machine's own is gone.
 */
export async function ensureParent(kernel: Kernel, layout: Layout, record: VlanNetwork): Promise<Link> {
  const {name, made} = record.parent;
  const existing = await readLink(kernel, name);
  if (existing?.up || (existing && made === undefined)) return existing;
  if (!existing && made === undefined) {
    throw new TscomposeError('notFound', `network "${record.name}": its parent interface "${name}" does not exist`);
  }
  const step = `make interface ${name}`;
  const {mtu} = vlanOptionsOf(record);
  if (!existing) {
    const message = made === 'dummy' ? createDummy({name}) : await vlanMessage(kernel, record, name);
    // An alias before anything else: what a killed process leaves is known to be ours.
    await kernel.route([message, setLink({name}, {alias: interfaceAlias(layout, record.id)})], step);
  }
  await kernel.route([setLink({name}, {...(made === 'dummy' && mtu !== undefined ? {mtu} : {}), up: true})], step);
  const link = await readLink(kernel, name);
  if (!link) throw new TscomposeError('internal', `${step}: it is gone again`);
  return link;
}

async function vlanMessage(kernel: Kernel, record: NetworkRecord, name: string) {
  const {lower, id} = parseVlanName(name);
  const below = await readLink(kernel, lower);
  if (!below) {
    throw new TscomposeError('notFound', `network "${record.name}": its parent interface "${lower}" does not exist`);
  }
  return createVlan({name, link: below.index, id});
}

/** What was made for the network goes, unless another one has it too. */
export async function removeParent(
  kernel: Kernel,
  layout: Layout,
  record: VlanNetwork,
  remaining: readonly NetworkRecord[],
): Promise<void> {
  const {name, made} = record.parent;
  if (made === undefined || remaining.some(({parent}) => parent?.name === name)) return;
  const link = await readLink(kernel, name);
  if (link?.alias.startsWith(interfaceAlias(layout, ''))) await removeLink(kernel, name);
}
