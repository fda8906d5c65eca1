import {randomUUID} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {mkdir, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import type {BuildCacheTarget} from '../../../api/types/build-cache.ts';
import {blobPath, readIndex, tagAnnotation, tagOf} from './from-directory.ts';
import {ociIndexType} from './manifest.ts';
import type {CacheWriter} from './targets.ts';

type Target = Extract<BuildCacheTarget, {readonly kind: 'local'}>;

/** An OCI layout (image-layout.md): others in it stay, the one of the same tag is replaced. Whoever reads it meanwhile sees the old one or the new one. */
export async function openDirectoryTarget({path, tag = 'latest', reset = false}: Target): Promise<CacheWriter> {
  const blobs = join(path, 'blobs', 'sha256');
  await mkdir(blobs, {recursive: true});
  const written = new Set<string>();
  return {
    async put({digest, size}, read) {
      const place = blobPath(path, digest);
      written.add(digest);
      const there = await stat(place).catch(() => undefined);
      if (there?.isFile() && there.size === size) return;
      await replace(place, (temporary) => pipeline(read(0), createWriteStream(temporary)));
    },
    async finish({bytes, mediaType, digest}) {
      written.add(digest);
      await replace(blobPath(path, digest), (temporary) => writeFile(temporary, bytes));
      const kept = reset ? [] : readIndex(path).filter((descriptor) => tagOf(descriptor) !== tag);
      const own = {mediaType, digest, size: bytes.length, annotations: {[tagAnnotation]: tag}};
      const index = {schemaVersion: 2, mediaType: ociIndexType, manifests: [...kept, own]};
      await replace(join(path, 'oci-layout'), (file) => writeFile(file, JSON.stringify({imageLayoutVersion: '1.0.0'})));
      await replace(join(path, 'index.json'), (file) => writeFile(file, JSON.stringify(index)));
      if (reset) await removeOthers(blobs, written);
    },
  };
}

async function replace(place: string, write: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = join(dirname(place), `.${randomUUID()}`);
  try {
    await write(temporary);
    await rename(temporary, place);
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
}

async function removeOthers(blobs: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(blobs))
    if (/^[0-9a-f]{64}$/.test(name) && !kept.has(`sha256:${name}`)) await rm(join(blobs, name), {force: true});
}
