import {constants} from 'node:fs';
import {open} from 'node:fs/promises';
import {join} from 'node:path';
import {hasKind, TscomposeError} from '../../../base/errors.ts';
import {readRegularFile} from '../../../base/regular-file.ts';
import {parseJson} from '../../image/configuration.ts';
import {type Descriptor, manifestMax, parseDescriptor} from '../../image/descriptors.ts';
import {digestOf, parseManifest} from '../../registry/manifest.ts';
import {smallBlobMax} from '../../registry/small-blob.ts';
import type {BuildWork} from '../context.ts';
import {offeredBy} from './from-registry.ts';
import {readCacheManifest} from './manifest.ts';
import {type OfferedSteps, type OpenedCache, openOffered} from './opened.ts';

export interface DirectoryCache {
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** A cache in an OCI layout. Undefined: there is none. Throws `invalid` for one that is damaged. */
export async function openDirectoryCache(
  context: BuildWork,
  {path, tag = 'latest', digest}: DirectoryCache,
  signal: AbortSignal,
): Promise<OpenedCache | undefined> {
  const wanted = digest ?? readIndex(path).find((descriptor) => tagOf(descriptor) === tag)?.digest;
  if (wanted === undefined) return undefined;
  const what = `manifest ${wanted} in ${path}`;
  const cache = readCacheManifest(parseManifest(readBlob(path, wanted, manifestMax), '', what));
  if (cache === undefined) return undefined;
  const offered = offeredBy(readBlob(path, cache.config.digest, smallBlobMax), cache.layers, `cache ${path}`);
  return openOffered(context, {...offered, fetch: fetchFrom(path)}, signal);
}

/** What a layout lists; nothing where there is no layout. */
export function readIndex(path: string): readonly Descriptor[] {
  const file = join(path, 'index.json');
  let bytes: Buffer;
  try {
    bytes = readRegularFile(file, {most: manifestMax});
  } catch (error) {
    if (hasKind(error, 'notFound')) return [];
    throw error;
  }
  const {manifests} = parseJson(bytes, file);
  if (!Array.isArray(manifests)) throw new TscomposeError('invalid', `${file} lists no manifests`);
  return manifests.map((item: unknown) => parseDescriptor(item, file));
}

export const tagAnnotation = 'org.opencontainers.image.ref.name';

export function tagOf({annotations}: Descriptor): unknown {
  return annotations[tagAnnotation];
}

export function blobPath(path: string, digest: string): string {
  return join(path, 'blobs', digest.replace(':', '/'));
}

function readBlob(path: string, digest: string, most: number): Buffer {
  const bytes = readRegularFile(blobPath(path, digest), {most});
  if (digestOf(bytes) === digest) return bytes;
  throw new TscomposeError('invalid', `blob ${digest} in ${path} is damaged: its content is ${digestOf(bytes)}`);
}

/** A pipe among the blobs is not waited for. */
function fetchFrom(path: string): OfferedSteps['fetch'] {
  return async ({digest, size}, sink, signal) => {
    const name = blobPath(path, digest);
    const file = await open(name, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: NodeJS.ErrnoException) => {
      const kind = cause.code === 'ENOENT' ? 'notFound' : 'unavailable';
      throw new TscomposeError(kind, `cannot read ${name}: ${cause.message}`, {cause});
    });
    try {
      const status = await file.stat();
      if (!status.isFile() || status.size !== size)
        throw new TscomposeError('invalid', `blob ${digest} in ${path} is no file of ${size} bytes`);
      const content = file.createReadStream({autoClose: false, start: sink.offset, signal});
      for await (const chunk of content) await sink.write(chunk as Uint8Array);
    } finally {
      await file.close();
    }
  };
}
