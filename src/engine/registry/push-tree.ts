import {type Descriptor, readSmallManifest} from '../image/descriptors.ts';
import type {ContentSession} from '../image/session.ts';
import {type Manifest, parseManifest} from './manifest.ts';

/** Everything that belongs to a manifest. */
export interface PushTree {
  readonly root: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;
  /** Manifests below it, each after those that it names. */
  readonly children: readonly Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>[];
  /** Each once. */
  readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[];
}

/** Undefined where something of it is not in the store. */
export async function readPushTree(session: ContentSession, digest: string): Promise<PushTree | undefined> {
  const children = new Map<string, Manifest>();
  const blobs = new Map<string, Descriptor>();
  const read = async (wanted: string): Promise<Manifest | undefined> => {
    const bytes = (await session.find(wanted)) && (await readSmallManifest(session.blobs, wanted));
    return bytes && parseManifest(Buffer.from(bytes), '', `manifest ${wanted}`);
  };
  const collect = async ({content}: Manifest): Promise<boolean> => {
    if (content.kind === 'image') {
      for (const blob of [content.config, ...content.layers]) {
        if ((await session.find(blob.digest)) === undefined) return false;
        blobs.set(blob.digest, blob);
      }
      return true;
    }
    for (const {digest: below} of content.manifests) {
      if (children.has(below)) continue;
      const child = await read(below);
      if (child === undefined || !(await collect(child))) return false;
      children.set(below, child);
    }
    return true;
  };
  const root = await read(digest);
  if (root === undefined || !(await collect(root))) return undefined;
  return {root, children: [...children.values()], blobs: [...blobs.values()]};
}
