import {rm} from 'node:fs/promises';
import {hasKind} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {pauseContainer} from './pause.ts';
import {isPaused, observe} from './state.ts';
import {thaw} from './thaw.ts';

/** One that does not run, or is paused already, is left as it is. */
export async function whilePaused<T>(context: ContainerContext, id: string, work: () => Promise<T>): Promise<T> {
  const observation = await observe(context, id);
  if (observation.kind !== 'live' || isPaused(observation)) return await work();
  const {committing} = context.layout.container(id);
  // Before it is paused: from then on whoever finds it so knows by whom, and whether that process lives.
  await using lock = await context.helper.lock(committing);
  void lock;
  let paused = false;
  try {
    paused = await pauseContainer(context, id).then(
      () => true,
      (error: unknown) => {
        if (hasKind(error, 'conflict')) return false;
        throw error;
      },
    );
    // Somebody else has paused it meanwhile.
    if (!paused) await rm(committing, {force: true});
    return await work();
  } finally {
    if (paused) await thaw(context, id);
    await rm(committing, {force: true});
  }
}
