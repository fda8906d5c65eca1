import type {BuildProvenance, ImageForm} from '../../../api/types/build-output.ts';
import {mapLimited} from '../../../base/concurrency.ts';
import type {Platform} from '../../image/platform.ts';
import type {LayerRecord} from '../../image/record.ts';
import type {ContentSession} from '../../image/session.ts';
import type {Snapshot} from '../snapshot.ts';
import {annotationsOf, checkAnnotations} from './annotations.ts';
import {attestationOf} from './attestation.ts';
import {type LayerForm, layerBlob} from './compressed.ts';
import {mediaTypesOf, type Named, type Written, withAnnotations, written} from './descriptor.ts';
import {type BuildFacts, packageUrl, predicateTypes, provenanceOf} from './provenance.ts';

/** An image for one platform, ready to be written. */
export interface ComposedImage {
  readonly platform: Platform;
  readonly snapshot: Snapshot;
  /** The configuration. */
  readonly text: string;
  readonly facts: BuildFacts;
}

export interface TreeRequest {
  readonly form: ImageForm & LayerForm & Required<Pick<ImageForm, 'ociMediaTypes'>>;
  readonly provenance: BuildProvenance | undefined;
  /** An index also of a single image. */
  readonly indexed: boolean;
  /** Normalised. */
  readonly references: readonly string[];
  readonly signal: AbortSignal;
}

export interface TreeImage {
  readonly platform: Platform;
  readonly id: string;
  readonly manifest: string;
  readonly layers: readonly (LayerRecord & {readonly archive: Named})[];
}

/** Everything that an image is written of, all of it in the store for as long as the session lasts. */
export interface ImageTree {
  readonly root: Named;
  readonly images: readonly TreeImage[];
  /** Digests. */
  readonly blobs: ReadonlySet<string>;
}

/** Layers that are compressed at the same time. */
const compressionsMax = 2;

/** Makes manifests, attestations and, where there are several of these, an index. */
export async function makeTree(
  session: ContentSession,
  images: readonly ComposedImage[],
  request: TreeRequest,
): Promise<ImageTree> {
  const {form, provenance, indexed} = request;
  const hasIndex = indexed || images.length > 1 || provenance !== undefined;
  checkAnnotations(form.annotations, {platforms: images.map(({platform}) => platform), hasIndex});
  const blobs = new Set<string>();
  const keep = async ({bytes, named}: Written): Promise<Named> => {
    await session.addBlob(bytes);
    blobs.add(named.digest);
    return named;
  };
  const made: TreeImage[] = [];
  const entries: Named[] = [];
  const attestations: Named[] = [];
  for (const image of images) {
    const {named, ...rest} = await makeImage(session, image, {...request, keep});
    for (const {archive} of rest.layers) blobs.add(archive.digest);
    made.push({...rest, manifest: named.digest});
    entries.push(named);
    if (provenance !== undefined) attestations.push(await attest(image, named, {...request, provenance, keep}));
  }
  const [single] = entries;
  const descriptor = withAnnotations(annotationsOf(form.annotations, 'index-descriptor'));
  if (!hasIndex && single !== undefined) {
    const {platform: _, ...root} = single;
    const annotations = {...root.annotations, ...descriptor.annotations};
    return {root: {...root, ...withAnnotations(annotations)}, images: made, blobs};
  }
  const types = mediaTypesOf(isOci(request));
  const index = written(types.index, {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [...entries, ...attestations],
    ...withAnnotations(annotationsOf(form.annotations, 'index')),
  });
  return {root: {...(await keep(index)), ...descriptor}, images: made, blobs};
}

type Keep = (document: Written) => Promise<Named>;

/** Docker's own types know neither annotations nor attestations (as BuildKit has it). */
function isOci({form, provenance}: Pick<TreeRequest, 'form' | 'provenance'>): boolean {
  return form.ociMediaTypes || (form.annotations ?? []).length > 0 || provenance !== undefined;
}

async function makeImage(
  session: ContentSession,
  {platform, snapshot, text}: ComposedImage,
  {keep, ...request}: TreeRequest & {readonly keep: Keep},
): Promise<Omit<TreeImage, 'manifest'> & {readonly named: Named}> {
  const {form, signal} = request;
  const types = mediaTypesOf(isOci(request));
  const layers = await mapLimited(snapshot, compressionsMax, async (layer) => {
    const {digest, size, compression} = await layerBlob(session, layer, {form, signal});
    return {...layer, archive: {mediaType: types.layer(compression), digest, size}};
  });
  const bytes = Buffer.from(text);
  const {digest: id, size} = await session.addBlob(bytes);
  await keep({bytes, named: {mediaType: types.config, digest: id, size}});
  const named = await keep(
    written(types.manifest, {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: {mediaType: types.config, digest: id, size},
      layers: layers.map(({archive}) => archive),
      ...withAnnotations(annotationsOf(form.annotations, 'manifest', platform)),
    }),
  );
  const annotations = withAnnotations(annotationsOf(form.annotations, 'manifest-descriptor', platform));
  return {platform, id, layers, named: {...named, ...annotations, platform}};
}

async function attest(
  {facts, platform}: ComposedImage,
  manifest: Named,
  {references, provenance, keep}: TreeRequest & {readonly provenance: BuildProvenance; readonly keep: Keep},
): Promise<Named> {
  const {documents, entry} = attestationOf({
    manifest,
    names: references.map((reference) => packageUrl(reference, platform)),
    predicateType: predicateTypes[provenance.version],
    predicate: provenanceOf(facts, provenance),
  });
  for (const document of documents) await keep(document);
  return entry;
}
