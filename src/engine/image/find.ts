import {TscomposeError} from '../../base/errors.ts';
import {createBlobStore} from './blobs.ts';
import {type ImageConfiguration, parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {
  type ImageRecord,
  listImages,
  listReferences,
  type ReferenceRecord,
  readImage,
  readReference,
} from './record.ts';
import {formatReference, isDigest, parseReference} from './reference.ts';

/** How an image was found: by a name, which can be taken from it, or by its id. */
export interface FoundImage {
  readonly image: ImageRecord;
  /** Normalised. */
  readonly reference?: string;
  /** The name, or another one that stands for the digest that it was found by. */
  readonly record?: ReferenceRecord;
}

/** An image by name, id (with or without `sha256:`) or the start of one. Throws `notFound`, `conflict` for an ambiguous start. */
export async function findImage(context: Pick<ImageContext, 'layout'>, text: string): Promise<FoundImage> {
  const found = await findWholeImage(context, text);
  return found ?? {image: await findByPrefix(context, text)};
}

/** The same by a name or a whole id alone: `a` is no image whose id begins like that. Undefined: none has such a name. */
export async function findWholeImage(
  {layout}: Pick<ImageContext, 'layout'>,
  text: string,
): Promise<FoundImage | undefined> {
  if (isDigest(text) || /^[0-9a-f]{64}$/.test(text)) {
    const image = await readImage(layout, text);
    if (image) return {image};
    return await findByManifest({layout}, text.startsWith('sha256:') ? text : `sha256:${text}`, text);
  }
  const reference = readable(text);
  if (reference?.digest !== undefined) {
    return await findByDigest({layout}, reference, text);
  }
  const record = reference && (await readReference(layout, formatReference(reference)));
  const image = record && (await readImage(layout, record.image));
  return record && image && {image, reference: record.reference, record};
}

/** A digest is that of what a name stands for, or of a manifest; a few clients use the image's id. */
async function findByDigest(
  {layout}: Pick<ImageContext, 'layout'>,
  reference: ReturnType<typeof parseReference>,
  text: string,
): Promise<FoundImage> {
  const {digest} = reference;
  const named = await readReference(layout, formatReference(reference));
  const pulled = named && (await readImage(layout, named.image));
  if (named && pulled) return {image: pulled, reference: named.reference, record: named};
  return await findByManifest({layout}, digest ?? '', text);
}

async function findByManifest(
  {layout}: Pick<ImageContext, 'layout'>,
  digest: string,
  text: string,
): Promise<FoundImage> {
  const targets = (await listReferences(layout)).filter(({target}) => target?.digest === digest);
  const ids = new Set(targets.map(({image}) => image));
  const image = (await listImages(layout)).find(
    ({manifest, id}) => manifest === digest || id === digest || ids.has(id),
  );
  const record = targets.find((target) => target.image === image?.id);
  if (image) return {image, ...(record && {record})};
  throw noSuchImage(text);
}

function readable(text: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (/^(?:sha256:)?[0-9a-f]+$/.test(text)) return undefined;
    throw error;
  }
}

async function findByPrefix({layout}: Pick<ImageContext, 'layout'>, text: string): Promise<ImageRecord> {
  const prefix = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  if (!/^[0-9a-f]{1,63}$/.test(prefix)) throw noSuchImage(text);
  const [first, second] = (await listImages(layout)).filter(({id}) => id.startsWith(`sha256:${prefix}`));
  if (first === undefined) throw noSuchImage(text);
  if (second !== undefined) throw new TscomposeError('conflict', `image id prefix "${text}" is ambiguous`);
  return first;
}

/** As Docker words it: with the tag that was looked for. */
export function noSuchImage(text: string): TscomposeError {
  const bare = !/[:@]/.test(text.slice(text.lastIndexOf('/') + 1)) && !/^[0-9a-f]{12,64}$/.test(text);
  return new TscomposeError('notFound', `No such image: ${bare ? `${text}:latest` : text}`);
}

export async function readConfiguration({layout}: ImageContext, {id}: ImageRecord): Promise<ImageConfiguration> {
  return parseConfiguration(await createBlobStore(layout.images.blobs).read(id), `image ${id}`);
}
