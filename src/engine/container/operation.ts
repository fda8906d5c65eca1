import {hasKind} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {nameOfId} from './names.ts';
import {readContainerRecord} from './record.ts';
import {type FoundContainer, findContainer, noSuchContainer} from './reference.ts';

/**
 * Runs one operation on a container alone among all processes: starting, stopping, renaming, removing. What is found is
 * read again once it is our turn. Throws `notFound` when the container was removed meanwhile.
 */
export async function withContainer<T>(
  context: ContainerContext,
  reference: string,
  operation: (found: FoundContainer) => Promise<T>,
  options: {readonly signal?: AbortSignal | undefined} = {},
): Promise<T> {
  const {id, record: expected} = await findContainer(context.layout, reference);
  let lock: AsyncDisposable;
  try {
    lock = await context.helper.lock(context.layout.container(id).operationLock, {
      ...(options.signal === undefined ? {} : {signal: options.signal}),
    });
  } catch (error) {
    // The directory is gone, and the lock file with it.
    if (hasKind(error, 'notFound')) throw noSuchContainer(reference);
    throw error;
  }
  await using held = lock;
  void held;
  const record = await readContainerRecord(context.layout, id);
  const name = record === undefined ? undefined : await nameOfId(context.layout, id, expected.name);
  if (record === undefined || name === undefined) throw noSuchContainer(reference);
  return await operation({id, name, record});
}
