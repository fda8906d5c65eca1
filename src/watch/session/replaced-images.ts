import {hasKind} from '../../base/errors.ts';
import type {WatchEngine} from './engine.ts';

type Images = Pick<WatchEngine, 'getImage'>;

/** The ids that these names stand for now. */
export async function idsOf(engine: Images, names: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all([...names].map(async (name) => [name, await inspect(engine, name)] as const));
  return new Map(found.flatMap(([name, image]) => (image === undefined ? [] : [[name, image.Id]])));
}

/** Removes those whose name stands for another image by now, unless they have one more name or a container needs them. */
export async function removeReplaced(engine: Images, before: ReadonlyMap<string, string>): Promise<void> {
  const now = new Set((await idsOf(engine, before.keys())).values());
  for (const id of new Set(before.values())) {
    if (now.has(id)) continue;
    const image = await inspect(engine, id);
    if (image === undefined || (image.RepoTags ?? []).length > 0) continue;
    try {
      await engine.getImage(id).remove();
    } catch (error) {
      if (!hasKind(error, 'conflict', 'notFound')) throw error;
    }
  }
}

async function inspect(engine: Images, name: string) {
  try {
    return await engine.getImage(name).inspect();
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}
