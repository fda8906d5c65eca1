import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {hasKind} from '../../base/errors.ts';
import {imageUsers} from '../container/users.ts';
import type {Helper} from '../helper/coprocess.ts';
import {buildPin, listImages, listPins} from '../image/record.ts';
import type {Layout} from '../layout.ts';

/** Bytes of what is kept, as `du --apparent-size` counts files: one with several names once. */
export interface Sizes {
  /** What a container has written. */
  container(id: string): Promise<number>;
  volume(name: string): Promise<number>;
  /** Of all images together: each layer once, and the archives, configurations and manifests that they came in; not what builds keep. */
  layers(): Promise<number>;
  /** Containers made from an image. */
  imageUsers(id: string): Promise<number>;
}

/** Trees are measured by the helper, which follows no link and leaves no tree; a layer's size is known since it was unpacked. */
export function createSizes({
  layout,
  bootId,
  helper,
}: {
  readonly layout: Layout;
  readonly bootId: string;
  readonly helper: Pick<Helper, 'request'>;
}): Sizes {
  const measure = async (root: string): Promise<number> => {
    try {
      return (await helper.request({kind: 'measureTree', root})).bytes;
    } catch (error) {
      // Removed meanwhile.
      if (hasKind(error, 'notFound')) return 0;
      throw error;
    }
  };
  return {
    container: (id) => measure(layout.container(id).upper),
    volume: (name) => measure(layout.volume(name).data),
    layers: async () => {
      const images = await listImages(layout);
      const unpacked = images.flatMap(({layers}) => layers);
      const directories = new Map(unpacked.map(({directory, bytes}) => [directory, bytes]));
      const ofImages = new Set(unpacked.map(({blob}) => blob));
      const pins = (await listPins(layout)).filter(({name}) => name.startsWith(buildPin));
      const kept = new Set(pins.flatMap(({blobs}) => blobs).filter((digest) => !ofImages.has(digest)));
      const blobs = filesIn(layout.images.blobs, (name) => !kept.has(`sha256:${name}`));
      const files = [blobs, filesIn(layout.images.ingests)];
      return [...directories.values(), ...files.flat()].reduce((sum, bytes) => sum + bytes, 0);
    },
    imageUsers: async (id) => (await imageUsers({layout, bootId}, id)).length,
  };
}

/** Bytes of each file. */
function filesIn(directory: string, counts: (name: string) => boolean = () => true): readonly number[] {
  const names = readdirSync(directory).filter(counts);
  // It may go meanwhile.
  return names.map((name) => statSync(join(directory, name), {throwIfNoEntry: false})?.size ?? 0);
}
