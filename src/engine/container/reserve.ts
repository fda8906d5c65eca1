import {TscomposeError} from '../../base/errors.ts';
import {lstat} from '../at-once.ts';
import type {ContainerContext} from './context.ts';
import {randomName} from './name.ts';
import {reserveName} from './names.ts';
import {notice} from './notice.ts';
import {readContainerRecord} from './record.ts';
import {removeUnfinished} from './remove.ts';

interface Own {
  readonly id: string;
  /** The container's. */
  readonly directory: string;
}

/**
 * Reserves a name; one that is held by what a killed process left is taken over, and a container that was being renamed to it
 * has it already. Throws `conflict`.
 */
export async function reserveFor(context: ContainerContext, name: string, own: Own): Promise<void> {
  for (;;) {
    const holder = await reserveName(context.layout, name, own);
    if (holder === undefined || holder === own.id) return;
    const exists = (await lstat(context.layout.container(holder).directory).catch(() => undefined)) !== undefined;
    if (!exists && (await removeUnfinished(context, holder, name))) continue;
    // Where it is damaged, that is what has to be told.
    const record = await readContainerRecord(context.layout, holder);
    if (record !== undefined && (await notice(context, {id: holder, name, record})) === undefined) continue;
    throw new TscomposeError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }
}

/** Reserves a name that nobody has. */
export async function reserveRandom(context: ContainerContext, own: Own): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const name = randomName(attempt);
    if ((await reserveName(context.layout, name, own)) === undefined) return name;
  }
}
