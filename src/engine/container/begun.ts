import {rm} from '../at-once.ts';
import {formatNanoseconds, unixNanoseconds, zeroTime} from '../clock.ts';
import {writeRecord} from '../record-store.ts';
import type {ContainerContext} from './context.ts';
import {type MonitorState, readUnlessDamaged, unknownEnd} from './state.ts';

/**
 * On disk, that a run began, in which boot: what a monitor knows is in memory and gone when the machine goes down without
 * asking. The monitor takes it away at its end. Not synced: a start would wait for the disk, and what a power loss takes along
 * is at most the start of the last moments.
 */
export async function markBegun({layout, bootId, now}: ContainerContext, id: string): Promise<void> {
  const state: MonitorState = {
    ...{v: 1, id, status: 'running', boot: bootId, startedAt: formatNanoseconds(unixNanoseconds(now))},
    ...{finishedAt: zeroTime, exitCode: 0, oomKilled: false, error: '', restartCount: 0, stoppedByUser: false},
  };
  await writeRecord(layout.container(id).begun, state);
}

/** A start that failed, or whose end is written down. */
export async function unmarkBegun({layout}: Pick<ContainerContext, 'layout'>, id: string): Promise<void> {
  await rm(layout.container(id).begun, {force: true});
}

/** The run that was under way when the machine went down. */
export async function readInterrupted(
  {layout, bootId}: Pick<ContainerContext, 'layout' | 'bootId'>,
  id: string,
): Promise<MonitorState | undefined> {
  const path = layout.container(id).begun;
  const begun = await readUnlessDamaged(path, async () => ({...(await unknownEnd(id, path)), status: 'running'}));
  return begun === undefined || begun.boot === bootId ? undefined : begun;
}
