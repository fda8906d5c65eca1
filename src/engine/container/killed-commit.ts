import {existsSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import type {ContainerContext} from './context.ts';
import {thaw} from './thaw.ts';

/** Lets a container go on whose commit was killed while it kept it paused. False: whoever paused it has to say so. */
export async function endKilledCommit(context: ContainerContext, id: string): Promise<boolean> {
  const {committing} = context.layout.container(id);
  if (!existsSync(committing)) return false;
  const lock = await context.helper.tryLock(committing);
  if (lock === undefined) return false;
  await using held = lock;
  void held;
  const goesOn = await thaw(context, id);
  await rm(committing, {force: true});
  return goesOn;
}
