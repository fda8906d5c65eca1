import type {ContainerContext, VolumeUse} from './context.ts';
import type {ContainerRecord} from './record.ts';

/** The volumes of a container, kept mounted until they are disposed of. */
export interface UsedVolumes extends AsyncDisposable {
  /** The directory of each, by its name. */
  readonly directories: ReadonlyMap<string, string>;
  /** Those that are mounted for as long as somebody uses them. */
  readonly mounted: readonly {readonly lock: string; readonly directory: string}[];
}

/** All or none: where one cannot be mounted, the others are given up. */
export async function useVolumes({volumes}: ContainerContext, {mounts}: ContainerRecord): Promise<UsedVolumes> {
  const names = new Set(mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.name] : [])));
  const uses = new Map<string, VolumeUse>();
  const giveUp = async () => {
    for (const use of uses.values()) await use[Symbol.asyncDispose]();
  };
  try {
    for (const name of names) uses.set(name, await volumes.use(name));
  } catch (error) {
    await giveUp();
    throw error;
  }
  return {
    directories: new Map([...uses].map(([name, {directory}]) => [name, directory])),
    mounted: [...uses.values()].flatMap(({lock, directory}) => (lock === undefined ? [] : [{lock, directory}])),
    [Symbol.asyncDispose]: giveUp,
  };
}
