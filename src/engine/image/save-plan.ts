import {TscomposeError} from '../../base/errors.ts';
import {type BlobSource, headOf} from './blob-source.ts';
import {sniffCompression} from './compression.ts';
import {parseJson} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {
  type Descriptor,
  isImageDescriptor,
  isManifestType,
  manifestTypes,
  namedBy,
  reachableFrom,
  readSmallManifest,
} from './descriptors.ts';
import {findImage} from './find.ts';
import {layerTypeOf, makeManifest} from './made-manifest.ts';
import {parsePlatform} from './platform.ts';
import {findPlatform} from './platforms.ts';
import {type ImageRecord, listReferences, type ReferenceRecord, type TargetDescriptor} from './record.ts';
import {familiarReference, parseReference} from './reference.ts';
import type {ContentSession} from './session.ts';

export interface SavedLayer {
  readonly diffId: string;
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
}

/** What an archive holds. */
export interface Saved {
  readonly blobs: ReadonlyMap<string, {readonly size: number; readonly content: Uint8Array | BlobSource}>;
  /** Descriptors of `index.json`. */
  readonly index: readonly object[];
  readonly images: readonly {
    readonly id: string;
    readonly tags: readonly string[];
    readonly layers: readonly SavedLayer[];
  }[];
}

interface Wanted {
  readonly names: readonly string[];
  readonly platform?: string | undefined;
}

/** One image under one name, or without any. */
interface Selected {
  readonly image: ImageRecord;
  readonly reference?: ReferenceRecord;
}

/** What stands behind the names, all of it held by the session. */
export async function findSaved(context: ImageContext, session: ContentSession, wanted: Wanted): Promise<Saved> {
  const selected = (await Promise.all(wanted.names.map((name) => select(context, name, wanted.platform)))).flat();
  const blobs = new Map<string, {readonly size: number; readonly content: Uint8Array | BlobSource}>();
  const index: object[] = [];
  const images = new Map<string, {readonly tags: string[]; readonly layers: readonly SavedLayer[]}>();
  for (const {image, reference} of selected) {
    const {target, layers, made} = await describe(session, image, {reference, platform: wanted.platform});
    if (made) blobs.set(target.digest, {size: made.length, content: made});
    const needed = [image.id, ...layers.map(({digest}) => digest)];
    const known = made ? [] : await reachableFrom(session.blobs, target);
    for (const digest of new Set([...needed, ...known])) {
      const blob = blobs.has(digest) ? undefined : await session.find(digest);
      if (blob?.size !== undefined) blobs.set(digest, {size: blob.size, content: blob});
      // Platforms that never came are left out, as they are here.
      else if (needed.includes(digest) && !blobs.has(digest)) throw missing(image, digest);
    }
    index.push({...target, ...(reference && {annotations: annotationsOf(reference)})});
    const tag =
      reference && parseReference(reference.reference).tag !== undefined
        ? [familiarReference(reference.reference)]
        : [];
    const before = images.get(image.id);
    if (before) before.tags.push(...tag.filter((name) => !before.tags.includes(name)));
    else images.set(image.id, {tags: tag, layers});
  }
  return {blobs, index: unique(index), images: [...images].map(([id, rest]) => ({id, ...rest}))};
}

function unique(index: readonly object[]): readonly object[] {
  return [...new Map(index.map((descriptor) => [JSON.stringify(descriptor), descriptor])).values()];
}

/** As Docker reads them: a name without a tag stands for every tag of it. */
async function select(context: ImageContext, name: string, platform: string | undefined): Promise<readonly Selected[]> {
  const references = await listReferences(context.layout);
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  const imageOf = async (text: string) => (await findPlatform(context, text, wanted)).image;
  if (isBare(name)) {
    const {registry, repository} = parseReference(name);
    const tags = references.filter(({reference}) => reference.startsWith(`${registry}/${repository}:`));
    const found = await Promise.all(
      tags.map(async (reference) => ({reference, image: await imageOf(reference.reference)})),
    );
    if (found.length > 0) return found;
  }
  const {reference} = await findImage(context, name);
  const record = references.find((candidate) => candidate.reference === reference);
  return [{image: await imageOf(name), ...(record && {reference: record})}];
}

function isBare(name: string): boolean {
  try {
    parseReference(name);
  } catch {
    return false;
  }
  return !name.includes('@') && !name.slice(name.lastIndexOf('/') + 1).includes(':');
}

interface Described {
  readonly target: TargetDescriptor;
  readonly layers: readonly SavedLayer[];
  /** The manifest, where the image came without one. */
  readonly made?: Uint8Array;
}

async function describe(
  session: ContentSession,
  image: ImageRecord,
  {reference, platform}: {readonly reference: ReferenceRecord | undefined; readonly platform: string | undefined},
): Promise<Described> {
  const named = reference?.target ?? (await ownManifest(session, image));
  const found = named && (await findManifest(session, named, image));
  if (!named || !found) {
    const layers = await describeLayers(session, image);
    const {mediaType, digest, bytes} = await makeManifest(session.blobs, image.id, layers);
    return {target: {mediaType, digest, size: bytes.length}, layers, made: bytes};
  }
  return {target: platform === undefined ? named : found.target, layers: found.layers};
}

async function ownManifest({blobs}: ContentSession, {manifest}: ImageRecord): Promise<TargetDescriptor | undefined> {
  if (manifest === undefined) return undefined;
  const bytes = await blobs.read(manifest);
  const {mediaType} = parseJson(bytes, `manifest ${manifest}`);
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : (manifestTypes[0] ?? ''),
    digest: manifest,
    size: bytes.length,
  };
}

/** The manifest of this very image, in an index or alone. */
async function findManifest(
  session: ContentSession,
  target: TargetDescriptor,
  image: ImageRecord,
): Promise<{readonly target: TargetDescriptor; readonly layers: readonly SavedLayer[]} | undefined> {
  const seen = new Set<string>();
  for (let level: readonly TargetDescriptor[] = [target]; level.length > 0; ) {
    const below: Descriptor[] = [];
    for (const {mediaType, digest, size} of level) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      const what = `manifest ${digest}`;
      const bytes = (await session.find(digest)) && (await readSmallManifest(session.blobs, digest));
      if (bytes === undefined) continue;
      const named = namedBy(parseJson(bytes, what), what);
      const [configuration, ...layers] = named;
      if (configuration?.digest === image.id && layers.length === image.layers.length) {
        return {
          target: {mediaType, digest, size},
          layers: layers.map((layer, at) => ({
            diffId: image.layers[at]?.diffId ?? '',
            mediaType: layer.mediaType,
            size: layer.size,
            digest: layer.digest,
          })),
        };
      }
      below.push(...named.filter((child) => isManifestType(child.mediaType) && isImageDescriptor(child)));
    }
    level = below;
  }
  return undefined;
}

function describeLayers(session: ContentSession, image: ImageRecord): Promise<readonly SavedLayer[]> {
  return Promise.all(
    image.layers.map(async ({diffId, blob}) => {
      const source = await session.find(blob);
      if (source?.size === undefined) throw missing(image, blob);
      const mediaType = layerTypeOf(sniffCompression(await headOf(source)));
      return {diffId, mediaType, size: source.size, digest: blob};
    }),
  );
}

function annotationsOf({reference}: ReferenceRecord): Readonly<Record<string, string>> {
  const {tag} = parseReference(reference);
  return {
    'io.containerd.image.name': reference,
    ...(tag === undefined ? {} : {'org.opencontainers.image.ref.name': tag}),
  };
}

function missing({id}: ImageRecord, digest: string): TscomposeError {
  return new TscomposeError('notFound', `image ${id}: its blob ${digest} is gone`, {
    hint: 'load or pull the image again',
  });
}
