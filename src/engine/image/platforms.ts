import {type BlobStore, createBlobStore} from './blobs.ts';
import {parseConfiguration, parseJson} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {
  attestedManifest,
  type Descriptor,
  depthMax,
  indexTypes,
  isImageDescriptor,
  isManifestType,
  namedBy,
  readSmallManifest,
} from './descriptors.ts';
import {findImage} from './find.ts';
import {bestPlatform, checkPlatform, type Platform} from './platform.ts';
import {type ImageRecord, type ReferenceRecord, readImage, readLayer} from './record.ts';

/** One entry of an index: an image, or what is said about one. */
export interface IndexEntry {
  readonly descriptor: Descriptor;
  readonly kind: 'image' | 'attestation' | 'unknown';
  /** Of an attestation: the digest of the manifest that it is about. */
  readonly about?: string;
  /** Configuration first, then layers; undefined where its manifest never came. */
  readonly blobs: readonly Descriptor[] | undefined;
  /** Whether all of it is in the store. */
  readonly isHere: boolean;
  readonly platform: Platform | undefined;
}

/** A platform of a name. One that is not unpacked has no record on disk: its layers have no directory. */
export interface FoundPlatform {
  readonly image: ImageRecord;
  readonly isUnpacked: boolean;
  /** The name that it was found by, or that stands for its index. */
  readonly record?: ReferenceRecord;
}

type StoreContext = Pick<ImageContext, 'layout'>;

/** What an index leads to, in its order; of a name that stands for a single manifest, that one. Empty for one that is lost. */
export async function readIndexEntries(
  context: StoreContext,
  target: Pick<Descriptor, 'digest' | 'mediaType'> & {readonly size: number},
): Promise<readonly IndexEntry[]> {
  const store = createBlobStore(context.layout.images.blobs);
  const found: IndexEntry[] = [];
  const seen = new Set<string>();
  let level: readonly Descriptor[] = [{annotations: {}, ...target}];
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    const below: Descriptor[] = [];
    for (const descriptor of level) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      if (indexTypes.includes(descriptor.mediaType)) below.push(...((await readNamed(store, descriptor)) ?? []));
      else found.push(await describeEntry(context, store, descriptor));
    }
    level = below;
  }
  return found;
}

/** Undefined where the manifest is not there, or cannot be read. */
async function readNamed(store: BlobStore, {digest}: Descriptor): Promise<readonly Descriptor[] | undefined> {
  try {
    const bytes = await readSmallManifest(store, digest);
    return bytes && namedBy(parseJson(bytes, digest), digest);
  } catch {
    return undefined;
  }
}

async function describeEntry(context: StoreContext, store: BlobStore, descriptor: Descriptor): Promise<IndexEntry> {
  const about = attestedManifest(descriptor);
  const isImage = isManifestType(descriptor.mediaType) && isImageDescriptor(descriptor);
  const kind = about !== undefined ? 'attestation' : isImage ? 'image' : 'unknown';
  const blobs = isManifestType(descriptor.mediaType) ? await readNamed(store, descriptor) : undefined;
  const has = async (digest: string) =>
    (await store.describe(digest).catch(() => undefined)) !== undefined ||
    (await readLayer(context.layout, digest.slice('sha256:'.length)))?.made !== undefined;
  const isHere = blobs !== undefined && (await Promise.all(blobs.map(({digest}) => has(digest)))).every(Boolean);
  const platform = descriptor.platform ?? (isHere && isImage ? await platformOf(store, blobs[0]) : undefined);
  return {descriptor, kind, ...(about === undefined ? {} : {about}), blobs, isHere, platform};
}

/** Undefined where its configuration is none: that of one image must not keep the others from being listed. */
async function platformOf(store: BlobStore, configuration: Descriptor | undefined): Promise<Platform | undefined> {
  if (configuration === undefined) return undefined;
  try {
    const bytes = await readSmallManifest(store, configuration.digest);
    const {os, architecture, variant} = parseConfiguration(bytes ?? new Uint8Array(), configuration.digest);
    return {os, architecture, ...(variant === undefined ? {} : {variant})};
  } catch {
    return undefined;
  }
}

/**
 * The image that a name stands for, for a platform: of an index also one that is here beside the one it was pulled for.
 * Throws `notFound`, in Docker's words, where it is not here for that platform.
 */
export async function findPlatform(
  context: StoreContext,
  text: string,
  wanted: Platform | undefined,
): Promise<FoundPlatform> {
  const found = await findImage(context, text);
  const {image, record} = found;
  const main: FoundPlatform = {image, isUnpacked: true, ...(record && {record})};
  if (wanted === undefined || record === undefined || fits(image, wanted)) {
    checkPlatform(text, image, wanted);
    return main;
  }
  const other = (await findOther(context, record, wanted)) ?? (await findPacked(context, record, wanted));
  if (other !== undefined) return {...other, record};
  checkPlatform(text, image, wanted);
  return main;
}

function fits({os, architecture, variant}: ImageRecord, wanted: Platform): boolean {
  return bestPlatform([{platform: {os, architecture, ...(variant && {variant})}}], wanted) !== undefined;
}

/** Images of the name's other platforms that were unpacked. */
async function findOther(
  {layout}: StoreContext,
  {others = []}: ReferenceRecord,
  wanted: Platform,
): Promise<FoundPlatform | undefined> {
  const images = (await Promise.all(others.map((id) => readImage(layout, id)))).filter((image) => image !== undefined);
  const best = bestPlatform(
    images.map((image) => ({platform: image, image})),
    wanted,
  );
  return best && {image: best.image, isUnpacked: true};
}

/** One that came with its index and was not unpacked. */
async function findPacked(
  context: StoreContext,
  {target}: ReferenceRecord,
  wanted: Platform,
): Promise<FoundPlatform | undefined> {
  if (target === undefined) return undefined;
  const entries = (await readIndexEntries(context, target)).filter(({kind, isHere}) => kind === 'image' && isHere);
  const best = bestPlatform(entries, wanted);
  const [configuration, ...layers] = best?.blobs ?? [];
  if (best === undefined || configuration === undefined) return undefined;
  const body = await createBlobStore(context.layout.images.blobs).read(configuration.digest);
  const {os, architecture, variant, created, diffIds} = parseConfiguration(body, `image ${configuration.digest}`);
  const image: ImageRecord = {
    ...{v: 1, id: configuration.digest, manifest: best.descriptor.digest, os, architecture, created},
    ...(variant === undefined ? {} : {variant}),
    layers: layers.map(({digest, size}, at) => ({diffId: diffIds[at] ?? '', directory: '', blob: digest, bytes: size})),
  };
  return {image, isUnpacked: false};
}
