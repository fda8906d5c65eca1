import {randomBytes} from 'node:crypto';
import {renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {NetworkCreateBody} from '../../api/types/network.ts';
import {TscomposeError} from '../../base/errors.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {bridgeName} from '../layout.ts';
import {makeDirectoryWhole, temporaryPrefix, writeRecord} from '../record-store.ts';
import {ensureBridge, readLink, removeBridge} from './bridge.ts';
import {readDriverOptions} from './driver-options.ts';
import type {Kernel} from './kernel.ts';
import {hasIpv6, type MachineFiles, occupiedByMachine} from './machine.ts';
import type {NetworkContext} from './network-context.ts';
import {isVlan, type NetworkRecord} from './network-record.ts';
import {ensureParent, planParent, removeParent} from './parent.ts';
import {choosePools, occupiedByNetworks} from './pools.ts';
import {isPredefined} from './predefined.ts';
import type {Upkeep} from './upkeep.ts';
import {isRouted, readVlanOptions, type VlanDriver} from './vlan-options.ts';
import type {Warning} from './warning.ts';

/** Refuses what cannot be, before anything is locked or read. */
export function checkCreateBody(body: NetworkCreateBody): void {
  const name = body.Name.trim();
  if (name === '') throw new TscomposeError('invalid', 'a network needs a name');
  if (isPredefined(name)) {
    throw new TscomposeError(
      'forbidden',
      `cannot create network "${name}": operation is not permitted on predefined ${name} network`,
    );
  }
  const driver = body.Driver || 'bridge';
  if (driver === 'host' || driver === 'null') {
    throw new TscomposeError(
      'forbidden',
      `cannot create network "${name}": only one instance of "${driver}" network is allowed`,
    );
  }
  if (!isKnownDriver(driver)) {
    throw new TscomposeError(
      'unsupported',
      `cannot create network "${name}": network driver "${driver}" is not supported, "bridge", "macvlan" and "ipvlan" are`,
    );
  }
  const ipam = body.IPAM?.Driver || 'default';
  if (ipam !== 'default') {
    throw new TscomposeError(
      'unsupported',
      `cannot create network "${name}": address driver "${ipam}" is not supported, "default" is`,
    );
  }
  const [option] = Object.keys(body.IPAM?.Options ?? {});
  if (option !== undefined) {
    throw new TscomposeError(
      'unsupported',
      `cannot create network "${name}": address driver option "${option}" is not supported`,
    );
  }
  if (body.EnableIPv4 === false && body.EnableIPv6 !== true) {
    throw new TscomposeError('invalid', `cannot create network "${name}": IPv4 or IPv6 must be enabled`);
  }
  if (driver === 'bridge') checkBridgeOptions(body);
  else readVlanOptions(driver, body.Options ?? {});
}

function checkBridgeOptions({Internal, Options = {}}: NetworkCreateBody): void {
  const isolated = ['ipv4', 'ipv6'].some(
    (family) => Options?.[`com.docker.network.bridge.gateway_mode_${family}`] === 'isolated',
  );
  if (isolated && !Internal) {
    throw new TscomposeError('invalid', "gateway mode 'isolated' can only be used for an internal network");
  }
  readDriverOptions(Options ?? {});
}

function isKnownDriver(driver: string): driver is NetworkRecord['driver'] {
  return driver === 'bridge' || driver === 'macvlan' || driver === 'ipvlan';
}

interface CreateRequest {
  readonly context: NetworkContext;
  readonly kernel: Kernel;
  readonly files: MachineFiles;
  readonly upkeep: Upkeep;
  readonly networks: readonly NetworkRecord[];
  readonly body: NetworkCreateBody;
}

/**
 * The record first, then what follows it on the machine; a failure takes both back. The networks' lock is held. Throws
 * `conflict` when the name is taken, and what `choosePools` throws.
 */
export async function createNetwork(
  request: CreateRequest,
): Promise<{readonly record: NetworkRecord; readonly warnings: readonly Warning[]}> {
  const {context, kernel, files, upkeep, networks} = request;
  const {layout} = context;
  const record = await planRecord(request);
  await makeDirectoryWhole(layout.networks, record.id, (directory) =>
    writeRecord(join(directory, 'config.json'), record),
  );
  try {
    if (isVlan(record)) await ensureParent(kernel, layout, record);
    else await ensureBridge(kernel, layout, record, await hasIpv6(files));
    const warnings = await upkeep.ensure([...networks, record]);
    const more = record.internal ? [] : ((await context.warn?.(record.name)) ?? []);
    return {record, warnings: [...warnings, ...more]};
  } catch (error) {
    // Without its record a network does not exist: what cannot be taken from the machine now is swept later.
    await removeBase({kernel, layout, record, remaining: networks}).catch(() => undefined);
    await upkeep.ensure(networks).catch(() => undefined);
    await removeRecord(context, record);
    throw error;
  }
}

async function planRecord({context, kernel, files, networks, body}: CreateRequest): Promise<NetworkRecord> {
  const {layout, now} = context;
  const name = body.Name.trim();
  if (networks.some((network) => network.name === name)) {
    throw new TscomposeError('conflict', `network with name ${name} already exists`);
  }
  const ipv4 = body.EnableIPv4 ?? true;
  const ipv6 = body.EnableIPv6 ?? false;
  if (ipv6 && !(await hasIpv6(files))) {
    throw new TscomposeError('unsupported', `cannot create network "${name}": IPv6 is switched off on this machine`, {
      hint: 'create the network without IPv6 (enable_ipv6: false)',
    });
  }
  const id = randomBytes(32).toString('hex');
  const base = await planBase({context, kernel, networks, body}, id);
  const machine = await occupiedByMachine(kernel, files, new Set(networks.map(({bridge}) => bridge)));
  const pools = choosePools({
    network: name,
    ipv4,
    ipv6,
    given: body.IPAM?.Config ?? [],
    occupied: occupiedByNetworks(networks),
    // On a parent the subnet is that of the machine's own route, as a rule.
    occupiedByRoutes: machine,
    rootHash: layout.rootHash,
    driver: base.driver,
    gateways: base.driver === 'bridge' || needsGateway(base.driver, body),
  });
  return {
    v: 1,
    id,
    name,
    created: formatNanoseconds(unixNanoseconds(now)),
    ...base,
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ipv4,
    ipv6,
    pools,
    options: body.Options ?? {},
    labels: body.Labels ?? {},
  };
}

type Base = Pick<NetworkRecord, 'driver' | 'bridge' | 'parent'>;

/** What the network stands on: a bridge of its own, or an interface that is there. */
async function planBase(
  {context: {layout}, kernel, networks, body}: Pick<CreateRequest, 'context' | 'kernel' | 'networks' | 'body'>,
  id: string,
): Promise<Base> {
  const name = body.Name.trim();
  const options = body.Options ?? {};
  const driver = body.Driver || 'bridge';
  if (driver === 'macvlan' || driver === 'ipvlan') {
    const parent = await planParent({kernel, layout, networks, name, id, driver, options});
    return {driver, bridge: '', parent};
  }
  const {bridgeName: asked} = readDriverOptions(options);
  if (asked !== undefined) await refuseTakenBridge(kernel, networks, name, asked);
  return {driver: 'bridge', bridge: asked ?? bridgeName(layout, id)};
}

/** As Docker: no address is kept for a router where packets go to none. */
function needsGateway(driver: VlanDriver, {Internal, Options}: NetworkCreateBody): boolean {
  return !Internal && !isRouted(readVlanOptions(driver, Options ?? {}));
}

async function refuseTakenBridge(
  kernel: Kernel,
  networks: readonly NetworkRecord[],
  name: string,
  bridge: string,
): Promise<void> {
  const other = networks.find((network) => network.bridge === bridge);
  if (!other && (await readLink(kernel, bridge)) === undefined) return;
  const by = other ? `network "${other.name}" has it` : 'the machine has an interface of this name';
  throw new TscomposeError('conflict', `cannot create network "${name}": bridge name "${bridge}" is taken: ${by}`);
}

async function removeBase(request: {
  readonly kernel: Kernel;
  readonly layout: NetworkContext['layout'];
  readonly record: NetworkRecord;
  readonly remaining: readonly NetworkRecord[];
}): Promise<void> {
  const {kernel, layout, record, remaining} = request;
  if (isVlan(record)) await removeParent(kernel, layout, record, remaining);
  else await removeBridge(kernel, layout, record);
}

/** Takes a network away from the machine, then its record: killed in between, it is removed again. The lock is held. */
export async function removeNetworkParts(request: {
  readonly context: NetworkContext;
  readonly kernel: Kernel;
  readonly upkeep: Upkeep;
  readonly record: NetworkRecord;
  readonly remaining: readonly NetworkRecord[];
}): Promise<void> {
  const {context, kernel, upkeep, record, remaining} = request;
  // The kernel frees what the firewall's transaction took away while it takes the bridge apart.
  await upkeep.ensure(remaining);
  await removeBase({kernel, layout: context.layout, record, remaining});
  removeRecord(context, record);
}

/** At once: a handful of small files, each of which would be a round of the event loop or several. */
function removeRecord({layout}: NetworkContext, record: NetworkRecord): void {
  const paths = layout.network(record.id);
  rmSync(paths.run, {recursive: true, force: true});
  const aside = join(layout.networks, `${temporaryPrefix}${record.id}`);
  renameSync(paths.directory, aside);
  rmSync(aside, {recursive: true, force: true});
}
