import {existsSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import type {ContainerContext} from './context.ts';
import {thaw} from './thaw.ts';

/**
 * In the lock file of a commit from before it pauses. A file without it was made just now, by asking for the lock: the commit
 * that was seen has ended meanwhile, and a container that is paused is so by somebody else.
 */
export const commitMark = 'pauses';

/** Lets a container go on whose commit was killed while it kept it paused. False: whoever paused it has to say so. */
export async function endKilledCommit(context: ContainerContext, id: string): Promise<boolean> {
  const {committing} = context.layout.container(id);
  if (!existsSync(committing)) return false;
  const lock = await context.helper.tryLock(committing);
  if (lock === undefined) return false;
  await using held = lock;
  void held;
  const isMarked = (await readFile(committing, 'utf8')) === commitMark;
  const goesOn = isMarked && (await thaw(context, id));
  await rm(committing, {force: true});
  return goesOn;
}
