import {hasKind} from '../../base/errors.ts';
import {rm} from '../at-once.ts';
import {writeRecord} from '../record-store.ts';
import {readInterrupted, unmarkBegun} from './begun.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {clearCgroupsOf} from './known-cgroups.ts';
import {membershipsLeft} from './lost-members.ts';
import type {FoundContainer} from './reference.ts';
import {lossOf, type MonitorState, readUnlessDamaged, unknownEnd} from './state.ts';

/**
 * Clears what a monitor left that was killed, and writes down how the run ended; answers that, or nothing where the
 * monitor had done so. The caller holds the operation lock and the monitor's: so there is none.
 */
export async function clearDead(context: ContainerContext, found: FoundContainer): Promise<MonitorState | undefined> {
  const paths = context.layout.container(found.id);
  const left =
    (await readUnlessDamaged(paths.state, () => unknownEnd(found.id, paths.state))) ??
    (await readInterrupted(context, found.id));
  if (left === undefined) return undefined;
  // Its cgroups first: nothing of the container may live when its end is written down.
  await clearCgroupsOf(context, found.record);
  const memberships = await membershipsLeft(context, found);
  await context.endpoints.release(found.record);
  for (const mount of found.record.mounts) if (mount.kind === 'volume') await context.volumes.settle(mount.name);
  const ended = left.status === 'exited' ? left : lossOf(left, context.now);
  if (!(await writeDown(paths.exit, ended))) return undefined;
  await unmarkBegun(context, found.id);
  await rm(paths.run, {recursive: true, force: true});
  if (ended === left) return undefined;
  await publishContainerEvent(context, found.record, found.name, 'die', {
    execDuration: String(secondsOf(ended)),
    exitCode: String(ended.exitCode),
  });
  for (const entry of memberships) await context.events.append(entry);
  return ended;
}

/** Whole seconds of the run, as a monitor tells them. */
function secondsOf({startedAt, finishedAt}: MonitorState): number {
  const passed = Math.floor((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  return Math.max(passed, 0);
}

/** On a full disk its state stays, and whoever looks next does all of this again; removing it is just what that disk needs. */
async function writeDown(path: string, ended: MonitorState): Promise<boolean> {
  try {
    await writeRecord(path, ended);
    return true;
  } catch (error) {
    if (!hasKind(error, 'exhausted')) throw error;
    return false;
  }
}
