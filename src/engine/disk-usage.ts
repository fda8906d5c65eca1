import type {DiskUsage} from '../api/types/system.ts';
import {mapLimited} from '../base/concurrency.ts';
import {TscomposeError} from '../base/errors.ts';
import type {Builds, Containers, Images, Volumes} from './engine.ts';
import {type ImageRecord, listImages} from './image/record.ts';
import type {Layout} from './layout.ts';
import type {Sizes} from './prune/sizes.ts';

export interface UsageContext {
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly containers: Pick<Containers, 'list'>;
  readonly images: Pick<Images, 'list'>;
  readonly volumes: Pick<Volumes, 'list'>;
  readonly builds: Pick<Builds, 'usage'>;
}

const kinds: readonly string[] = ['container', 'image', 'volume', 'build-cache'];
/** Trees measured at the same time: they wait for the disk. */
const measured = 4;

/** Throws `invalid` for a kind that does not exist. */
export async function measureUsage(context: UsageContext, types: readonly string[] = []): Promise<DiskUsage> {
  for (const type of types)
    if (!kinds.includes(type)) throw new TscomposeError('invalid', `unknown object type: ${type}`);
  const wanted = (kind: string) => types.length === 0 || types.includes(kind);
  return {
    LayersSize: wanted('image') ? await context.sizes.layers() : 0,
    Images: wanted('image') ? await imageUsage(context) : null,
    Containers: wanted('container') ? await containerUsage(context) : null,
    Volumes: wanted('volume') ? await volumeUsage(context) : null,
    BuildCache: wanted('build-cache') ? await context.builds.usage() : null,
  };
}

async function imageUsage({layout, images, sizes}: UsageContext): Promise<DiskUsage['Images']> {
  const records = await listImages(layout);
  const users = new Map<string, number>();
  for (const directory of records.flatMap(directoriesOf)) users.set(directory, (users.get(directory) ?? 0) + 1);
  return await mapLimited(await images.list(), measured, async (image) => ({
    ...image,
    SharedSize: sizeOf(
      records.find(({id}) => id === image.Id),
      (directory) => (users.get(directory) ?? 0) > 1,
    ),
    Containers: await sizes.imageUsers(image.Id),
  }));
}

/** An image may have a layer twice. */
function directoriesOf({layers}: ImageRecord): readonly string[] {
  return [...new Set(layers.map(({directory}) => directory))];
}

function sizeOf(image: ImageRecord | undefined, counts: (directory: string) => boolean = () => true): number {
  return (image?.layers ?? []).reduce((sum, {directory, bytes}) => sum + (counts(directory) ? bytes : 0), 0);
}

async function containerUsage({layout, containers, sizes}: UsageContext): Promise<DiskUsage['Containers']> {
  const records = await listImages(layout);
  return await mapLimited(await containers.list({all: true}), measured, async (container) => {
    const SizeRw = await sizes.container(container.Id);
    const image = records.find(({id}) => id === container.ImageID);
    return {...container, SizeRw, SizeRootFs: SizeRw + sizeOf(image)};
  });
}

async function volumeUsage({volumes, containers, sizes}: UsageContext): Promise<DiskUsage['Volumes']> {
  const mounts = (await containers.list({all: true})).map(({Mounts}) => new Set(Mounts.map(({Name}) => Name)));
  // Of those with options nobody knows what is theirs: Docker leaves them out.
  const plain = (await volumes.list()).filter(({Options}) => Options === null);
  return await mapLimited(plain, measured, async (volume) => ({
    ...volume,
    UsageData: {
      RefCount: mounts.filter((names) => names.has(volume.Name)).length,
      Size: await sizes.volume(volume.Name),
    },
  }));
}
