import {rm, writeFile} from 'node:fs/promises';
import {hasKind} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {commitMark} from './killed-commit.ts';
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
  await writeFile(committing, commitMark);
  // Somebody else may have paused it meanwhile: then nothing is to say that it was this one.
  if (!(await pauseOrLeave(context, id, committing))) return await work();
  try {
    return await work();
  } finally {
    await thaw(context, id);
    await rm(committing, {force: true});
  }
}

/** False: it was paused, or is gone; the mark is taken away then, once, since the file may be another commit's right after. */
async function pauseOrLeave(context: ContainerContext, id: string, committing: string): Promise<boolean> {
  try {
    await pauseContainer(context, id);
    return true;
  } catch (error) {
    const isOthers = hasKind(error, 'conflict');
    // What failed may be what came after the pause.
    if (!isOthers) await thaw(context, id);
    await rm(committing, {force: true});
    if (isOthers) return false;
    throw error;
  }
}
