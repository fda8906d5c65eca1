import {TscomposeError} from '../../base/errors.ts';
import type {BlobStore} from '../image/blobs.ts';
import {exclusively} from '../image/collect.ts';
import {parseConfiguration, parseJson} from '../image/configuration.ts';
import type {ImageContext} from '../image/context.ts';
import {
  type Descriptor,
  depthMax,
  indexTypes,
  isImageDescriptor,
  manifestMax,
  manifestTypes,
  parseDescriptor,
} from '../image/descriptors.ts';
import {bestPlatform, machinePlatform, type Platform} from '../image/platform.ts';
import {removeReference} from '../image/record.ts';
import {familiarReference} from '../image/reference.ts';
import type {ContentSession} from '../image/session.ts';
import type {HostedManifest, RepositoryRecords} from './records.ts';

/** Something that was tagged in a repository, and is to be runnable by this name. */
export interface Publication {
  readonly records: RepositoryRecords;
  readonly manifest: HostedManifest;
  /** Normalised. */
  readonly reference: string;
  readonly signal: AbortSignal;
}

const configurationTypes = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/**
 * Makes an image of this machine of what was pushed: layers unpacked, its name given. Undefined where it is done, else why it
 * cannot be run here; then the name is nobody's, since it does not stand for what it stood for before.
 */
export async function publish(
  context: ImageContext,
  session: ContentSession,
  publication: Publication,
): Promise<string | undefined> {
  const {manifest, reference, signal} = publication;
  try {
    const image = await chooseImage(session.blobs, publication, machinePlatform(context.architecture));
    const {configuration, layers} = await readImage(session.blobs, image);
    const {diffIds} = configuration;
    if (diffIds.length !== layers.length) {
      throw invalid(`its configuration names ${diffIds.length} layers, its manifest ${layers.length}`);
    }
    const blobs = await Promise.all(layers.map(({digest}) => session.find(digest)));
    const wanted = blobs.map((blob, index) => {
      if (blob === undefined) throw invalid(`its layer ${layers[index]?.digest} is not there`);
      return {diffId: diffIds[index], blob};
    });
    const records = await session.layers.provide(wanted, {signal, onProgress: () => undefined});
    const target = {mediaType: manifest.mediaType, digest: manifest.stored, size: manifest.size};
    const {id} = await session.addImage({
      configuration: configuration.digest,
      manifest: image.stored,
      layers: records,
      names: [{reference, target}],
    });
    await context.events.append({type: 'image', action: 'pull', id, attributes: {name: familiarReference(reference)}});
    return undefined;
  } catch (error) {
    if (!(error instanceof TscomposeError) || error.kind === 'canceled' || error.kind === 'exhausted') throw error;
    await exclusively(context, () => removeReference(context.layout, reference));
    return error.message;
  }
}

/** The manifest itself, or what an index has for this machine. */
async function chooseImage(
  blobs: BlobStore,
  {records, manifest}: Publication,
  wanted: Platform,
): Promise<HostedManifest> {
  let chosen = manifest;
  for (let depth = 0; indexTypes.includes(chosen.mediaType); depth++) {
    if (depth === depthMax) throw invalid('its indexes are nested too deeply');
    const descriptor = pick(await readIndex(blobs, chosen), wanted);
    const child = descriptor && (await records.readManifest(descriptor.digest));
    if (!child) throw new TscomposeError('notFound', 'it has no image for this machine');
    chosen = child;
  }
  return chosen;
}

async function readIndex(blobs: BlobStore, {stored, digest}: HostedManifest): Promise<readonly Descriptor[]> {
  const {manifests} = parseJson(await readSmall(blobs, stored), `manifest ${digest}`);
  const list = Array.isArray(manifests) ? manifests : [];
  return list.map((item: unknown) => parseDescriptor(item, `manifest ${digest}`)).filter(isImageDescriptor);
}

function pick(images: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const best = bestPlatform(images, wanted);
  return best ?? (images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined);
}

async function readImage(blobs: BlobStore, {mediaType, stored, digest}: HostedManifest) {
  if (!manifestTypes.includes(mediaType)) throw invalid(`it is ${mediaType}, not an image`);
  const what = `manifest ${digest}`;
  const value = parseJson(await readSmall(blobs, stored), what);
  const config = parseDescriptor(value['config'], what);
  if (!configurationTypes.has(config.mediaType)) throw invalid(`it is ${config.mediaType}, not an image`);
  const list = Array.isArray(value['layers']) ? value['layers'] : [];
  const bytes = await readSmall(blobs, config.digest);
  return {
    configuration: {digest: config.digest, ...parseConfiguration(bytes, 'the image')},
    layers: list.map((layer: unknown) => parseDescriptor(layer, what)),
  };
}

async function readSmall(blobs: BlobStore, digest: string): Promise<Uint8Array> {
  const {size} = await blobs.describe(digest);
  if (size > manifestMax) throw invalid(`blob ${digest} is larger than ${manifestMax} bytes`);
  return await blobs.read(digest);
}

function invalid(message: string): TscomposeError {
  return new TscomposeError('invalid', message);
}
