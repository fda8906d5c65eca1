import {TscomposeError} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import {notRunning} from './attach.ts';
import type {ContainerContext} from './context.ts';
import {endKilledCommit} from './killed-commit.ts';
import {withContainer} from './operation.ts';
import {isPaused, observe} from './state.ts';
import {thaw} from './thaw.ts';

/**
 * Freezes all processes of a container: its monitor does, goes on when its client dies, and thaws them again where some
 * cannot be frozen. Throws `conflict` when the container does not run or is paused already, `timeout`, `unsupported`.
 */
export async function pauseContainer(context: ContainerContext, reference: string): Promise<void> {
  await withContainer(context, reference, async (found) => {
    const observation = await observe(context, found.id);
    if (observation.kind !== 'live') throw notRunning(found);
    const goesOn = await endKilledCommit(context, found.id);
    if (isPaused(observation) && !goesOn)
      throw new TscomposeError('conflict', `Container ${found.id} is already paused`);
    if (observation.state.status === 'restarting') {
      throw new TscomposeError('conflict', `Container ${found.id} is restarting, wait until the container is running`);
    }
    if (observation.state.paused === undefined) throw tooOld(found.id);
    await callMonitor(context.layout.container(found.id).control, {kind: 'pause'}).catch((error: unknown) => {
      throw isMonitorGone(error) ? notRunning(found) : error;
    });
  });
}

/** Throws `conflict` when it is not paused. */
export async function unpauseContainer(context: ContainerContext, reference: string): Promise<void> {
  await withContainer(context, reference, async ({id}) => {
    // Its state says so once everything is frozen; a killed client may have left it on the way there.
    const woken = (await observe(context, id)).kind === 'live' && (await thaw(context, id));
    if (!woken) throw new TscomposeError('conflict', `Container ${id} is not paused`);
  });
}

function tooOld(id: string): TscomposeError {
  return new TscomposeError('unsupported', `container ${id} was started by a version that cannot pause`, {
    hint: 'restart it',
  });
}
