import {chmod, lstat, mkdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {rm} from '../at-once.ts';
import {encodeOperations} from '../helper/operations.ts';
import {helperFailure} from '../helper/reply.ts';
import {removeAtEnd, removeEnded, removesItself} from './auto-remove.ts';
import {markBegun, unmarkBegun} from './begun.ts';
import {readDeviceNumbers} from './block-devices.ts';
import {clearDead} from './clear-dead.ts';
import type {ContainerContext} from './context.ts';
import {gatherDevices} from './devices/gather.ts';
import {beginStart, endStart} from './expected-clients.ts';
import {writeFailedStart} from './failed-start.ts';
import {writeIdentityFiles} from './hosts.ts';
import {clearCgroupsOf, noteCgroups} from './known-cgroups.ts';
import {type LaunchRequest, planLaunch} from './launch-plan.ts';
import {leaveTop} from './leave-top.ts';
import {planLinks} from './legacy-links.ts';
import {findLogReceiver} from './log-plan.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {withContainer} from './operation.ts';
import {checkPropagation} from './propagation.ts';
import type {ContainerRecord} from './record.ts';
import {type FoundContainer, noSuchContainer} from './reference.ts';
import {identityOf, planJoins} from './shared-namespaces.ts';
import {explainStart} from './start-failure.ts';
import {observe} from './state.ts';
import {takeApart} from './take-apart.ts';
import {useVolumes} from './use-volumes.ts';

/** Resolves when the container's process has been executed. Throws `notModified` when it runs already. */
export async function startContainer(context: ContainerContext, reference: string): Promise<void> {
  await withContainer(context, reference, async (found) => {
    if (await removeEnded(context, found)) throw noSuchContainer(reference);
    await startOrRemove(context, found);
  });
}

/** The caller holds the operation lock. A container that removes itself goes where it cannot be started, as in Docker. */
export async function startOrRemove(context: ContainerContext, found: FoundContainer): Promise<void> {
  try {
    await startFound(context, found);
  } catch (error) {
    if (removesItself(found) && (await observe(context, found.id)).kind !== 'live')
      await takeApart(context, found, true);
    throw error;
  }
  removeAtEnd(context, found);
}

/** A port that was free when it was chosen may be taken a moment later by anybody on the machine. */
const portAttempts = 5;

/** The caller holds the operation lock. */
export async function startFound(context: ContainerContext, found: FoundContainer): Promise<void> {
  await clearPrevious(context, found);
  let isMonitored = false;
  try {
    await launchFound(context, found, () => {
      isMonitored = true;
    });
  } catch (error) {
    if (!isMonitored) await writeFailedStart(context, found.id, error);
    throw error;
  } finally {
    await endStart(context, found.id);
  }
}

/** `onLaunch` is called when there is to be a monitor, which writes down how the start ends. */
async function launchFound(context: ContainerContext, found: FoundContainer, onLaunch: () => void): Promise<void> {
  const joins = await planJoins(context, found);
  await using volumes = await useVolumes(context, found.record);
  const [image, images, devices, disks, links] = await Promise.all([
    context.images.root(found.record.image),
    resolveImages(context, found.record),
    gatherDevices(found.record.hostConfig, context),
    readDeviceNumbers(found.record.hostConfig),
    planLinks(context, found.record, found.name),
    checkBinds(found.record),
  ]);
  for (let attempt = 1; ; attempt++) {
    const network = await context.endpoints.plan(found.record, found.name);
    const expectedClients = await beginStart(context, found.id);
    try {
      await markBegun(context, found.id);
      const parts = {image, volumes, images, network, devices, disks, joins, expectedClients, links};
      await launch(context, found, parts, onLaunch);
      return;
    } catch (error) {
      await undo(context, found.record);
      if (network.ephemeral && attempt < portAttempts && helperFailure(error)?.errno === 'EADDRINUSE') continue;
      throw await network.explain(explainStart(error));
    }
  }
}

async function launch(
  context: ContainerContext,
  found: FoundContainer,
  parts: Pick<
    LaunchRequest,
    'image' | 'volumes' | 'images' | 'network' | 'devices' | 'disks' | 'joins' | 'expectedClients' | 'links'
  >,
  onLaunch: () => void,
): Promise<void> {
  const {layout, cgroupParent, hostName, unrecorded} = context;
  const receiver = await findLogReceiver(found.record);
  const {record, paths: identity} = await identityOf(layout, found.record);
  await writeIdentityFiles(layout.container(found.id), record, parts);
  const machine = await context.machine();
  const plan = planLaunch({
    layout,
    machine,
    cgroupParent,
    record,
    identity,
    name: found.name,
    hostName,
    receiver,
    unrecorded,
    ...parts,
  });
  // Whoever removes the last container takes the cgroups above away; not while one is being started below them.
  await using cgroups = await context.helper.lock(layout.locks.cgroups, {mode: 'shared'});
  void cgroups;
  await noteCgroups(layout, machine);
  await leaveTop(machine);
  onLaunch();
  const shared = record.hostConfig.NetworkMode === 'host' ? context.outsideHelper : undefined;
  await (shared ?? context.helper).request({kind: 'launch', plan: encodeOperations(plan)});
}

/** Waits for a monitor that is about to end, and clears what an earlier run left. Throws `notModified` for a running container. */
async function clearPrevious(context: ContainerContext, found: FoundContainer): Promise<void> {
  const monitor = await takeMonitorLock(context, found.id);
  if (monitor.kind === 'live') {
    if (monitor.state.paused === true) {
      throw new TscomposeError('conflict', 'cannot start a paused container, try unpause instead');
    }
    throw new TscomposeError('notModified', `container ${found.name} is already running`);
  }
  await using lock = monitor.lock;
  void lock;
  await clearDead(context, found);
}

/** The layers of each image that is mounted in it, top first, by the image's id. */
export async function resolveImages(
  {images}: ContainerContext,
  record: ContainerRecord,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = record.mounts.flatMap((mount) => (mount.kind === 'image' ? [mount] : []));
  const layers = await Promise.all(
    found.map(async ({image, source}) => {
      const {lowers, operations} = await images.root({id: image});
      if (lowers.length > 0 && operations.length === 0) return [image, lowers] as const;
      throw new TscomposeError('unsupported', `image "${source}" cannot be mounted: it has no files of its own`);
    }),
  );
  return new Map(layers);
}

/**
 * Docker makes the missing source of a short bind a directory; a long one was there at creation. A directory in the place of
 * a socket would keep those out who serve it later.
 */
export async function checkBinds(record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.kind !== 'bind') continue;
    if ((await lstat(mount.source).catch(() => undefined)) === undefined) {
      if (mount.source.endsWith('.sock')) throw missingSource(mount.source, socketHint(mount.source));
      if (!mount.createSource) throw missingSource(mount.source);
      await makeSource(mount.source);
    }
    await checkPropagation(mount.source, mount.propagation);
  }
}

function missingSource(source: string, hint = 'create it, or correct the path'): TscomposeError {
  return new TscomposeError(
    'invalid',
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    {hint},
  );
}

function socketHint(source: string): string {
  return source.endsWith('/docker.sock')
    ? `serve this engine there: tscompose engine serve --host unix://${source}`
    : 'start what serves this socket first, or correct the path';
}

/** For the container's users to enter, whatever the umask here. */
async function makeSource(path: string): Promise<void> {
  const first = await mkdir(path, {recursive: true});
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}

/** A start that failed leaves nothing: the container is as it was. */
async function undo(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const paths = context.layout.container(record.id);
  // The monitor clears up after itself before it frees its lock.
  await using monitor = await context.helper.lock(paths.lock);
  void monitor;
  await unmarkBegun(context, record.id);
  await context.endpoints.release(record);
  await clearCgroupsOf(context, record);
  await rm(paths.run, {recursive: true, force: true});
}
