import type {BuildBody, BuildEvent} from '../../../api/types/build.ts';
import type {BuildOutput, ImageForm} from '../../../api/types/build-output.ts';
import {canonicalJson} from '../../../base/canonical-json.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {formatPlatform, machinePlatform, type Platform} from '../../image/platform.ts';
import {familiarReference, normaliseReference, parseReference} from '../../image/reference.ts';
import {authFor} from '../auth-for.ts';
import type {BuildCache} from '../cache.ts';
import {inlineCache, noImageForCache, wantsInline} from '../caches/inline.ts';
import type {BuildWork} from '../context.ts';
import {epochTime} from '../epoch.ts';
import type {LocalBuild} from '../main-context.ts';
import type {StageDraft} from '../plan/draft.ts';
import type {Snapshot} from '../snapshot.ts';
import type {MadeStep} from '../solve.ts';
import {clampTimes} from './clamped.ts';
import {exportFiles} from './files.ts';
import {imageText} from './image-text.ts';
import {type ComposedImage, type ImageTree, makeTree} from './image-tree.ts';
import {writeLayout} from './layout.ts';
import {type BuildFacts, metadataProvenance} from './provenance.ts';
import {storePlain, storeTree} from './store.ts';

/** What a build came to for one platform. */
export interface PlatformResult {
  readonly platform: Platform;
  readonly target: StageDraft;
  readonly snapshot: Snapshot;
  /** When each step's layer was made. */
  readonly created: ReadonlyMap<number, string>;
  readonly facts: BuildFacts;
  /** Of the image's own layers, lowest first. */
  readonly steps: readonly MadeStep[];
}

export interface OutputOptions {
  readonly request: LocalBuild;
  readonly epoch: number | undefined;
  readonly cache: BuildCache;
  /** A directory for what is written on the way. */
  readonly scratch: string;
  /** For what has no time of its own. */
  readonly now: string;
  readonly signal: AbortSignal;
  readonly emit: (event: BuildEvent) => void;
}

type Metadata = Readonly<Record<string, unknown>>;
type ImageOutput = Exclude<BuildOutput, {readonly kind: 'tar' | 'local'}>;

/** Throws `invalid`, `unsupported` for what cannot be made, before anything is built. */
export function checkOutputs({outputs = [], tags, platforms = [], provenance}: BuildBody): void {
  const refuse = (message: string, hint: string) => {
    throw new TscomposeError('invalid', message, {hint});
  };
  for (const output of outputs) {
    if (output.kind === 'docker' && platforms.length > 1)
      refuse('an archive of type=docker has an image for one platform', 'write type=oci, or build for one platform');
    if (output.kind === 'docker' && provenance !== undefined)
      refuse('an archive of type=docker has no attestations', 'write type=oci, or --provenance=false');
    if (output.kind === 'image' && output.push && (output.names ?? tags).length === 0)
      refuse('an image without a name cannot be pushed', 'name it with -t, or name=NAME');
  }
  if (provenance === undefined || outputs.length === 0 || outputs.some(isImage)) return;
  refuse('files alone have no attestations', 'write type=oci or type=image, or --provenance=false');
}

function isImage(output: BuildOutput): output is ImageOutput {
  return output.kind !== 'tar' && output.kind !== 'local';
}

/** Makes of what was built what is asked for, one after the other. */
export async function makeOutputs(
  context: BuildWork,
  results: readonly PlatformResult[],
  options: OutputOptions,
): Promise<void> {
  const asked = options.request.outputs ?? [];
  const outputs: readonly BuildOutput[] = asked.length > 0 ? asked : [{kind: 'image', push: false}];
  if (wantsInline(options.request) && !outputs.some(isImage)) options.emit(noImageForCache);
  let metadata: Metadata = {};
  for (const output of outputs) {
    if (isImage(output)) metadata = {...metadata, ...(await makeImage(context, results, {...options, output}))};
    else await makeFiles(context, results, {...options, output});
  }
  options.emit({kind: 'metadata', metadata: {...provenances(results), ...metadata}});
}

function isIndexed({arguments: given}: LocalBuild): boolean {
  return /^(?:1|t|true|y|yes|on)$/i.test(given['BUILDKIT_MULTI_PLATFORM'] ?? '');
}

async function makeFiles(
  context: BuildWork,
  results: readonly PlatformResult[],
  {output, ...options}: OutputOptions & {readonly output: Extract<BuildOutput, {readonly kind: 'tar' | 'local'}>},
): Promise<void> {
  const split = output.split ?? (results.length > 1 || isIndexed(options.request));
  const files = results.map(({platform, snapshot}) => ({
    snapshot,
    directory: split ? formatPlatform(platform).replaceAll('/', '_') : undefined,
  }));
  await exportFiles(context, files, {...options, output});
  options.emit({kind: 'exported', path: output.path});
}

interface ImageOptions extends OutputOptions {
  readonly output: ImageOutput;
}

/** Answers what metadata tells of it. */
async function makeImage(
  context: BuildWork,
  results: readonly PlatformResult[],
  options: ImageOptions,
): Promise<Metadata> {
  const {output, request, emit, signal} = options;
  const references = (output.names ?? request.tags).map((name) => normaliseReference(name));
  const names = references.map(familiarReference);
  const images = await Promise.all(results.map((result) => compose(context, result, options)));
  const [only] = images;
  const imageNames = references.length > 0 ? {'image.name': references.join(',')} : {};
  if (output.kind === 'image' && only !== undefined && isPlain(options, images)) {
    const id = await storePlain(context, {...only, references});
    emit({kind: 'built', image: id, names});
    return {'containerimage.config.digest': id, 'containerimage.digest': id, ...imageNames};
  }
  const tree = await makeTree(context.session, images, {
    ...{form: formOf(output), provenance: request.provenance, indexed: isIndexed(request), references, signal},
  });
  if (output.kind === 'image') {
    await storeTree(context, tree, {references, machine: machinePlatform(context.images.architecture)});
    if (output.push) for (const reference of references) await push(context, reference, options);
    emit({kind: 'built', image: idOf(tree), names});
  } else {
    const {kind, path, directory = false} = output;
    const created = createdOf(only, options);
    await writeLayout(context.session, tree, {kind, path, directory, references, created, signal});
    emit({kind: 'exported', path});
  }
  const {platform: _, ...descriptor} = tree.root;
  return {
    ...(tree.images.length === 1 ? {'containerimage.config.digest': tree.images[0]?.id} : {}),
    'containerimage.descriptor': descriptor,
    'containerimage.digest': descriptor.digest,
    ...imageNames,
  };
}

function idOf({images, root}: ImageTree): string {
  const [only, ...more] = images;
  return only === undefined || more.length > 0 ? root.digest : only.id;
}

/** An image that nothing is asked of but to be here: its manifest is made when somebody wants it. */
function isPlain({output, request}: ImageOptions, images: readonly ComposedImage[]): boolean {
  const {kind: _kind, names: _names, rewriteTimestamp: _rewritten, ...form} = output;
  const isBare = canonicalJson(form) === canonicalJson({push: false});
  return isBare && images.length === 1 && request.provenance === undefined && !isIndexed(request);
}

/** Archives and what is sent are compressed; what stays here is not, since its layers are there as directories. */
function formOf(output: ImageOutput) {
  const isHere = output.kind === 'image' && !output.push;
  const {
    compression = isHere ? 'uncompressed' : 'gzip',
    ociMediaTypes = output.kind !== 'docker',
    ...form
  } = output as ImageForm;
  return {...form, compression, ociMediaTypes};
}

async function compose(
  context: BuildWork,
  {platform, target, created, facts, steps, ...result}: PlatformResult,
  {output, request, epoch, cache, now, signal}: ImageOptions,
): Promise<ComposedImage> {
  const below = target.base.source?.layers ?? 0;
  const isRewritten = output.rewriteTimestamp === true && epoch !== undefined;
  const snapshot = isRewritten
    ? await clampTimes(context, result.snapshot, {below, latest: epoch, cache, signal})
    : result.snapshot;
  const diffIds = snapshot.map(({diffId}) => diffId);
  const more = wantsInline(request) ? inlineCache(steps, snapshot.length) : {};
  const text = imageText(target, {diffIds, created, labels: request.labels, now, epoch, more});
  return {platform, snapshot, text, facts};
}

function createdOf(image: ComposedImage | undefined, {epoch, now}: OutputOptions): string {
  if (epoch !== undefined) return epochTime(epoch);
  const {created} = JSON.parse(image?.text ?? '{}') as {readonly created?: string};
  return created ?? now;
}

async function push(context: BuildWork, reference: string, {request, signal, emit}: ImageOptions): Promise<void> {
  const {registry, repository, tag} = parseReference(reference);
  const auth = await authFor(reference, request);
  for await (const {status, id} of context.push({repository: `${registry}/${repository}`, tag, auth}, signal))
    if (status !== undefined && id === undefined) emit({kind: 'pushing', status});
}

function provenances(results: readonly PlatformResult[]): Metadata {
  const [only, ...more] = results;
  const ref = only === undefined ? {} : {'buildx.build.ref': `tscompose/tscompose/${only.facts.build}`};
  if (only !== undefined && more.length === 0)
    return {'buildx.build.provenance': metadataProvenance(only.facts), ...ref};
  const each = results.map(({platform, facts}) => [
    `buildx.build.provenance/${formatPlatform(platform)}`,
    metadataProvenance(facts),
  ]);
  return {...Object.fromEntries(each), ...ref};
}
