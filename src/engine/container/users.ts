import {mapLimited} from '../../base/concurrency.ts';
import type {ContainerContext} from './context.ts';
import {type ContainerRecord, readContainerIds, readContainerRecord} from './record.ts';
import {observe} from './state.ts';

/** A container that uses an image or a volume. */
export interface User {
  readonly id: string;
  readonly running: boolean;
}

type Looking = Pick<ContainerContext, 'layout' | 'bootId'>;

export function imageUsers(context: Looking, imageId: string): Promise<readonly User[]> {
  return findUsers(context, (record) => imagesOf(record).includes(imageId));
}

export function volumeUsers(context: Looking, name: string): Promise<readonly User[]> {
  return findUsers(context, ({mounts}) => mounts.some((mount) => mount.kind === 'volume' && mount.name === name));
}

/** Ids of the images whose layers it needs: its own, and those that are mounted in it. */
export function imagesOf({image, mounts}: Pick<ContainerRecord, 'image' | 'mounts'>): readonly string[] {
  return [image.id, ...mounts.flatMap((mount) => (mount.kind === 'image' ? [mount.image] : []))];
}

/** Whoever asks in order to remove something holds the exclusive side of the lock `imageUse` or `volumeUse`. */
async function findUsers(context: Looking, uses: (record: ContainerRecord) => boolean): Promise<readonly User[]> {
  const ids = await readContainerIds(context.layout);
  const found = await mapLimited(ids, 32, async (id): Promise<User | undefined> => {
    const record = await readContainerRecord(context.layout, id);
    if (record === undefined || !uses(record)) return undefined;
    return {id, running: (await observe(context, id)).kind === 'live'};
  });
  return found.filter((user) => user !== undefined);
}
