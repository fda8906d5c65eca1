import type {SyncedFiles, SyncResult} from '../../api/types/sync.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {findContainer} from './reference.ts';

export interface SyncTarget {
  readonly path: string;
  readonly owner?: string;
}

/** Changes files of a container by an archive, all of it or nothing. */
export async function syncContainer(
  context: ContainerContext,
  reference: string,
  _target: SyncTarget,
  _archive: AsyncIterable<Uint8Array>,
  _signal?: AbortSignal,
): Promise<SyncResult> {
  const {name} = await findContainer(context.layout, reference);
  throw new TscomposeError('unsupported', `cannot sync files into container "${name}": it is not supported`);
}

export async function syncedFiles(context: ContainerContext, reference: string): Promise<SyncedFiles> {
  await findContainer(context.layout, reference);
  return {v: 1, files: {}};
}
