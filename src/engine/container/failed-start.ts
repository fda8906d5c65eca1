import {zeroTime} from '../clock.ts';
import {writeRecord} from '../record-store.ts';
import type {ContainerContext} from './context.ts';
import {type MonitorState, readUnlessDamaged, unknownEnd} from './state.ts';

/** Of a start that no program ended, as Docker has it. */
const notStartedCode = 128;

/**
 * Writes down why a start failed that came to no monitor: from then on monitors do. The last run stays what it was, but for
 * an exit code that would say that all went well. The caller holds the operation lock.
 */
export async function writeFailedStart(
  {layout}: Pick<ContainerContext, 'layout'>,
  id: string,
  reason: unknown,
): Promise<void> {
  const {exit: path} = layout.container(id);
  const last = (await readUnlessDamaged(path, () => unknownEnd(id, path))) ?? neverRan(id);
  const error = reason instanceof Error ? reason.message : String(reason);
  const failed: MonitorState = {...last, exitCode: last.exitCode || notStartedCode, error};
  // On a full disk it is only told to who asked for the start.
  await writeRecord(path, failed).catch(() => undefined);
}

function neverRan(id: string): MonitorState {
  return {
    ...{v: 1, id, status: 'exited', startedAt: zeroTime, finishedAt: zeroTime, exitCode: 0},
    ...{oomKilled: false, error: '', restartCount: 0, stoppedByUser: false},
  };
}
