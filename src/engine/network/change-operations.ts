import {randomInt} from 'node:crypto';
import {TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation, NetworkOperation} from '../helper/operations.ts';
import {vethName} from '../layout.ts';
import {
  type AttachRequest,
  insideMessages,
  interfaceMessages,
  networkOperations,
  type PlannedInterface,
  renewedNameServiceRules,
  sysctlOperations,
} from './attach.ts';
import type {Gateways} from './decide-endpoints.ts';
import {tableOf} from './firewall.ts';
import {bytesOf} from './ip.ts';
import {netlinkFamilies} from './kernel.ts';
import {leaseFiles, type PreparedFile} from './leases.ts';
import {addDefaultRoute} from './netlink/address.ts';
import {deleteLink} from './netlink/link.ts';
import {encodeMessages, type NetlinkMessage} from './netlink/message.ts';
import {addElements, deleteElements, transaction} from './netlink/nftables.ts';
import {isVlan, type NetworkRecord, poolsOf} from './network-record.ts';
import {type PublishedPort, portElement} from './port-elements.ts';
import {isRouted, vlanOptionsOf} from './vlan-options.ts';

/** How a running container's place in its networks changes. */
export interface NetworkChangeRequest {
  /** As it is to be. */
  readonly after: AttachRequest;
  readonly added: readonly PlannedInterface[];
  readonly removed: readonly {readonly network: NetworkRecord; readonly interfaceName: string}[];
  readonly portsBefore: readonly PublishedPort[];
  readonly gateways: {readonly before: Gateways; readonly after: Gateways};
  /** Leases that are to be put in place. */
  readonly files: readonly PreparedFile[];
  /** It has no name service yet. */
  readonly isFirst: boolean;
}

/** Steps of the monitor, and what it knows from then on; docs/native.md, `update`. */
export function changeOperations(request: NetworkChangeRequest): readonly (MonitorOperation | NetworkOperation)[] {
  const {after, added, removed, files, isFirst} = request;
  const {layout, containerId} = after;
  return [
    ...added.flatMap((planned) => addedOperations(after, planned, request.gateways.before)),
    ...routeOperations(request),
    ...(isFirst ? [change('inside', 'netfilter', transaction(renewedNameServiceRules(containerId)))] : []),
    ...elementOperations(request),
    ...files.map((file): NetworkOperation => ({kind: 'replaceFile', ...file})),
    ...removed.flatMap(({network, interfaceName}): readonly NetworkOperation[] => [
      isVlan(network)
        ? change('afterInside', 'route', [deleteLink(interfaceName)])
        : change('after', 'route', [deleteLink(vethName(layout, network.id, containerId))]),
      ...leaseFiles(layout, network.id, containerId).map((path) => ({kind: 'discardFile', path}) as const),
    ]),
    ...networkOperations(after),
  ];
}

function addedOperations(
  after: AttachRequest,
  planned: PlannedInterface,
  before: Gateways,
): readonly (MonitorOperation | NetworkOperation)[] {
  const {layout, containerId} = after;
  // Far above those that a start gives, as the kernel counts up from the highest one.
  const inside = 0x10000 + randomInt(0x10000000);
  const moved = [
    ...(planned.routes.ipv4 ? gatewaysOf(before.ipv4, 4) : []),
    ...(planned.routes.ipv6 ? gatewaysOf(before.ipv6, 6) : []),
  ];
  return [
    change(
      'machine',
      'route',
      interfaceMessages(after, planned, inside),
      isVlan(planned.network) ? [] : [deleteLink(vethName(layout, planned.network.id, containerId))],
    ),
    change('inside', 'route', insideMessages(after, planned, inside), [
      ...moved.map((gateway) => addDefaultRoute({gateway})),
      deleteLink(planned.name),
    ]),
    ...sysctlOperations(planned),
  ];
}

/** Default routes that go over to a network which stays; a new one brings its own. */
function routeOperations({gateways, added}: NetworkChangeRequest): readonly NetworkOperation[] {
  return ([4, 6] as const).flatMap((family) => {
    const [before, after] = [gateways.before, gateways.after].map(({ipv4, ipv6}) => (family === 4 ? ipv4 : ipv6));
    if (!after || before?.id === after.id || added.some(({network}) => network.id === after.id)) return [];
    const route = (network: NetworkRecord | undefined) =>
      gatewaysOf(network, family).map((gateway) => addDefaultRoute({gateway}));
    return [change('inside', 'route', route(after), route(before))];
  });
}

function gatewaysOf(network: NetworkRecord | undefined, family: 4 | 6): readonly Uint8Array[] {
  if (!network) return [];
  if (isVlan(network) && isRouted(vlanOptionsOf(network)))
    throw new TscomposeError(
      'unsupported',
      `the default route through network "${network.name}" cannot change while the container runs: it names no router`,
      {hint: 'stop the container first, and start it afterwards'},
    );
  return poolsOf(network).flatMap(({gateway}) => (gateway?.family === family ? [bytesOf(gateway)] : []));
}

/** Published ports that lead elsewhere, come or go: in one transaction, so that none is missing for a moment. */
function elementOperations({after, portsBefore}: NetworkChangeRequest): readonly NetworkOperation[] {
  const {layout, containerId, ports} = after;
  const [before, wanted] = [portsBefore, ports].map((list) =>
    list.flatMap((port) => portElement(port, containerId) ?? []),
  );
  if (!before || !wanted || JSON.stringify(before) === JSON.stringify(wanted)) return [];
  const table = tableOf(layout);
  const removals = (list: typeof before) => list.map(({set, element}) => deleteElements(table, set, [element.key]));
  const additions = (list: typeof before) => list.map(({set, element}) => addElements(table, set, [element]));
  return [
    change(
      'machine',
      'netfilter',
      transaction([...removals(before), ...additions(wanted)]),
      transaction([...removals(wanted), ...additions(before)]),
    ),
  ];
}

function change(
  when: 'machine' | 'inside' | 'after' | 'afterInside',
  family: 'route' | 'netfilter',
  messages: readonly NetlinkMessage[],
  inverse: readonly NetlinkMessage[] = [],
): NetworkOperation {
  return {
    kind: 'netlinkChange',
    when,
    family: netlinkFamilies[family],
    batch: encodeMessages(messages),
    inverse: inverse.length === 0 ? '' : encodeMessages(inverse),
  };
}
