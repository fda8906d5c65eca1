import type {HostConfig} from '../../api/types/container.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import type {ContainerPaths, Layout} from '../layout.ts';
import type {ContainerContext} from './context.ts';
import {containerOfMode, modeOfContainer} from './namespace-modes.ts';
import type {ContainerRecord} from './record.ts';
import {type FoundContainer, findContainer} from './reference.ts';
import {observe} from './state.ts';

/**
 * The modes with ids in place of names, so that they mean the same container for ever. As in Docker the container of a
 * network mode need not be there yet. Throws `invalid` where another one is not.
 */
export async function resolveModes(layout: Layout, host: HostConfig): Promise<HostConfig> {
  const resolve = async (mode: string | undefined) => {
    const reference = containerOfMode(mode);
    return reference === undefined ? undefined : modeOfContainer((await findContainer(layout, reference)).id);
  };
  const network = await resolve(host.NetworkMode).catch(() => host.NetworkMode);
  try {
    const [pid, ipc] = await Promise.all([resolve(host.PidMode), resolve(host.IpcMode)]);
    return {
      ...host,
      ...(network === undefined ? {} : {NetworkMode: network}),
      ...(pid === undefined ? {} : {PidMode: pid}),
      ...(ipc === undefined ? {} : {IpcMode: ipc}),
    };
  } catch (error) {
    if (error instanceof TscomposeError && hasKind(error, 'notFound'))
      throw new TscomposeError('invalid', error.message, {cause: error});
    throw error;
  }
}

/**
 * What a monitor has to know to join other containers. It asks their monitors itself, at each run anew; here is only said,
 * in Docker's words, what it would find. Throws `conflict` for a container that does not run or is not there any more.
 */
export async function planJoins(
  context: ContainerContext,
  {id, record}: FoundContainer,
): Promise<readonly MonitorOperation[]> {
  const {NetworkMode, PidMode, IpcMode} = record.hostConfig;
  const joined = [
    {list: 'network', other: containerOfMode(NetworkMode), check: checkNetwork},
    {list: 'pid', other: containerOfMode(PidMode), check: checkProcesses},
    {list: 'ipc', other: containerOfMode(IpcMode), check: checkMemory},
  ] as const;
  const operations: MonitorOperation[] = [];
  for (const {list, other, check} of joined) {
    if (other === undefined) continue;
    const target = await check(context, {other, own: id});
    operations.push({kind: 'join', list, control: context.layout.container(target.id).control});
  }
  return operations;
}

interface Joining {
  readonly other: string;
  readonly own: string;
}

async function checkNetwork(context: ContainerContext, {other, own}: Joining): Promise<FoundContainer> {
  const target = await findContainer(context.layout, other).catch((error: Error) => {
    throw new TscomposeError('conflict', `joining network namespace of container: ${error.message}`, {cause: error});
  });
  if (target.id === own) throw new TscomposeError('conflict', 'cannot join own network namespace');
  const status = await statusOf(context, target.id);
  if (status === 'restarting') throw isRestarting(other);
  if (status !== 'running')
    throw new TscomposeError(
      'conflict',
      `cannot join network namespace of a non running container: container ${target.name} is ${status}`,
      {hint: 'start it first'},
    );
  return target;
}

function checkProcesses(context: ContainerContext, {other}: Joining): Promise<FoundContainer> {
  return checkRunning(context, other, 'failed to join PID namespace');
}

async function checkMemory(context: ContainerContext, {other}: Joining): Promise<FoundContainer> {
  const failed = 'failed to join IPC namespace';
  const target = await checkRunning(context, other, failed);
  const {IpcMode = ''} = target.record.hostConfig;
  if (IpcMode === '' || IpcMode === 'private' || IpcMode === 'none')
    throw new TscomposeError(
      'invalid',
      `${failed}: container ${target.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      {hint: `make the container "${target.name}" with "ipc: shareable"`},
    );
  return target;
}

async function checkRunning(context: ContainerContext, other: string, failed: string): Promise<FoundContainer> {
  const target = await findContainer(context.layout, other).catch((error: Error) => {
    throw new TscomposeError('conflict', `${failed}: ${error.message}`, {cause: error});
  });
  const status = await statusOf(context, target.id);
  if (status === 'restarting') throw isRestarting(other, `${failed}: `);
  if (status !== 'running')
    throw new TscomposeError('conflict', `${failed}: container ${target.id} is not running`, {hint: 'start it first'});
  return target;
}

function isRestarting(other: string, failed = ''): TscomposeError {
  return new TscomposeError(
    'conflict',
    `${failed}Container ${other} is restarting, wait until the container is running`,
  );
}

async function statusOf(context: ContainerContext, id: string): Promise<string> {
  const {kind, state} = await observe(context, id);
  if (kind === 'live') return state.status;
  return kind === 'created' ? 'created' : 'exited';
}

/** A container in the network of another one has that one's names too: its hosts, hostname and resolv.conf are the same files. */
export interface Identity {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
}

/** The record with the names it goes by, and where its files are. Of a container that is gone its own. */
export async function identityOf(layout: Layout, record: ContainerRecord): Promise<Identity> {
  const owner = await networkOwner(layout, record);
  const {Hostname, Domainname} = owner.config;
  const config = owner === record ? record.config : {...record.config, Hostname, Domainname: Domainname ?? ''};
  return {record: {...record, config} as ContainerRecord, paths: layout.container(owner.id)};
}

/** Whose network it is in: the end of the line, where one joined another. */
async function networkOwner(layout: Layout, record: ContainerRecord): Promise<ContainerRecord> {
  let owner = record;
  const seen = new Set([record.id]);
  for (;;) {
    const other = containerOfMode(owner.hostConfig.NetworkMode);
    if (other === undefined) return owner;
    const next = await findContainer(layout, other).catch(() => undefined);
    if (next === undefined || seen.has(next.id)) return owner === record ? record : owner;
    seen.add(next.id);
    owner = next.record;
  }
}
