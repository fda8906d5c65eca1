import {knownFilters} from '../../api/filters.ts';
import type {ImageDeleteItem} from '../../api/types/image.ts';
import type {ContainersPruned, ImagesPruned, NetworksPruned, VolumesPruned} from '../../api/types/prune.ts';
import type {Filters} from '../../api/types/system.ts';
import {hasKind} from '../../base/errors.ts';
import {type Now, parseNanoseconds} from '../clock.ts';
import type {Containers, Images, Networks, Volumes} from '../engine.ts';
import type {Events, JournalEntry} from '../events.ts';
import {readPruneFilter, switchOf} from './prune-filter.ts';
import type {Sizes} from './sizes.ts';

export interface PruneContext {
  readonly now: Now;
  readonly events: Pick<Events, 'append'>;
  readonly sizes: Sizes;
}

/**
 * Each looks first and then removes one by one by the same ways as anybody: what came into use meanwhile is refused there,
 * under the locks that also keep creations away, and is left as it is.
 */
export async function pruneContainers(
  {now, events, sizes}: PruneContext,
  containers: Pick<Containers, 'list' | 'remove'>,
  filters: Filters = {},
): Promise<ContainersPruned> {
  const filter = readPruneFilter(filters, knownFilters.containersPrune, now);
  const stopped = (await containers.list({all: true})).filter(
    ({State, Labels, Created}) =>
      ['created', 'exited', 'dead'].includes(State) && filter.matches(Labels, Created * 1000),
  );
  const removed: string[] = [];
  let bytes = 0;
  for (const {Id} of stopped) {
    const size = await sizes.container(Id);
    if (!(await isRemoved(containers.remove(Id)))) continue;
    removed.push(Id);
    bytes += size;
  }
  await tell(events, 'container', bytes);
  return {ContainersDeleted: orNull(removed), SpaceReclaimed: bytes};
}

export async function pruneVolumes(
  {now, events, sizes}: PruneContext,
  volumes: Pick<Volumes, 'list' | 'remove'>,
  filters: Filters = {},
): Promise<VolumesPruned> {
  const filter = readPruneFilter(filters, knownFilters.volumesPrune, now);
  const all = switchOf(filters, 'all', false);
  const unused = (await volumes.list({dangling: ['true']})).filter(
    ({Labels}) => (all || Object.hasOwn(Labels ?? {}, 'com.docker.volume.anonymous')) && filter.matches(Labels, 0),
  );
  const removed: string[] = [];
  let bytes = 0;
  for (const volume of unused) {
    const size = await sizes.volume(volume.Name);
    if (!(await isRemoved(volumes.remove(volume.Name)))) continue;
    removed.push(volume.Name);
    bytes += size;
  }
  await tell(events, 'volume', bytes);
  return {VolumesDeleted: removed, SpaceReclaimed: bytes};
}

export async function pruneNetworks(
  {now, events}: PruneContext,
  networks: Pick<Networks, 'list' | 'remove'>,
  filters: Filters = {},
): Promise<NetworksPruned> {
  const filter = readPruneFilter(filters, knownFilters.networksPrune, now);
  const unused = (await networks.list({dangling: ['true']})).filter(({Labels, Created}) =>
    filter.matches(Labels, milliseconds(Created)),
  );
  const removed: string[] = [];
  for (const {Id, Name} of unused) if (await isRemoved(networks.remove(Id))) removed.push(Name);
  await tell(events, 'network', 0);
  return {NetworksDeleted: orNull(removed)};
}

export async function pruneImages(
  {now, events, sizes}: PruneContext,
  images: Pick<Images, 'list' | 'remove'> & {tidy(): Promise<void>},
  filters: Filters = {},
): Promise<ImagesPruned> {
  const filter = readPruneFilter(filters, knownFilters.imagesPrune, now);
  const onlyDangling = switchOf(filters, 'dangling', true);
  const before = await sizes.layers();
  const removed: ImageDeleteItem[] = [];
  for (const {Id, RepoTags, RepoDigests, Labels, Created} of await images.list()) {
    const names = [...RepoTags, ...RepoDigests];
    if ((onlyDangling && names.length > 0) || !filter.matches(Labels, Created * 1000)) continue;
    if ((await sizes.imageUsers(Id)) > 0) continue;
    // By name: the last one is only taken away while no container uses it.
    for (const name of names.length > 0 ? names : [Id]) {
      await images.remove(name).then((items) => void removed.push(...items), tolerate);
    }
  }
  // A removal that was killed leaves what belongs to no image any more.
  await images.tidy();
  const bytes = Math.max(before - (await sizes.layers()), 0);
  await tell(events, 'image', bytes);
  return {ImagesDeleted: orNull(removed), SpaceReclaimed: bytes};
}

function isRemoved(removal: Promise<unknown>): Promise<boolean> {
  return removal.then(
    () => true,
    (error: unknown) => {
      tolerate(error);
      return false;
    },
  );
}

/** Somebody uses it by now, or was faster. */
function tolerate(error: unknown): void {
  if (!hasKind(error, 'conflict', 'notFound', 'forbidden')) throw error;
}

async function tell(events: PruneContext['events'], type: JournalEntry['type'], bytes: number): Promise<void> {
  await events.append({type, action: 'prune', id: '', attributes: {reclaimed: String(bytes)}});
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

function milliseconds(time: string): number {
  return Number((parseNanoseconds(time) ?? 0n) / 1_000_000n);
}
