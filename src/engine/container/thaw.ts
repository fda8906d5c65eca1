import {hasKind} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import type {ContainerContext} from './context.ts';

/** False where it was not paused, or is gone. */
export async function thaw(context: ContainerContext, id: string): Promise<boolean> {
  try {
    await callMonitor(context.layout.container(id).control, {kind: 'unpause'});
    return true;
  } catch (error) {
    if (isMonitorGone(error) || hasKind(error, 'conflict')) return false;
    throw error;
  }
}
