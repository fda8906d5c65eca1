import type {ContainerConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {lstat} from '../at-once.ts';
import type {CommitRequest} from '../container/context.ts';
import type {Images} from '../engine.ts';
import type {SetupOperation} from '../helper/operations.ts';
import {collectGarbage, exclusively} from './collect.ts';
import {commitImage, prepareCommit} from './commit.ts';
import type {ImageContext} from './context.ts';
import {findImage, noSuchImage, readConfiguration} from './find.ts';
import {imageHistory} from './history.ts';
import {hostHistory, hostImage, hostReference, hostRoot, refuseHostReference} from './host-image.ts';
import {importImage} from './import.ts';
import {describeImage, listSummaries} from './list.ts';
import {loadImages} from './load.ts';
import {checkPlatform, parsePlatform} from './platform.ts';
import {findPlatform} from './platforms.ts';
import {providePlatform} from './provide-platform.ts';
import {type ImageRecord, listReferences, readImage, writeReference} from './record.ts';
import {familiarReference, isDigest, normaliseReference, parseReference} from './reference.ts';
import {removeImage} from './remove.ts';
import {removePlatforms} from './remove-platforms.ts';
import {type ContentSession, openSession} from './session.ts';
import {stackLayers} from './stack.ts';

/** An image as a container takes it. */
export interface ResolvedImage {
  /** `sha256:…` */
  readonly id: string;
  /** As given. */
  readonly reference: string;
  readonly os: string;
  readonly architecture: string;
  /** Diff IDs, lowest first. */
  readonly layers: readonly string[];
  readonly config: ContainerConfig;
}

export interface StackedImage {
  /** Unpacked layers, absolute, top first. */
  readonly lowers: readonly string[];
  /** Steps after the overlay: the built-in image binds the machine's directories. */
  readonly operations: readonly SetupOperation[];
}

export interface ImageStore {
  /** The way to add images that others bring: pulls, builds. */
  session(): Promise<ContentSession>;
  /** What the Engine API offers. */
  readonly images: Omit<Images, 'prune' | 'importFrom'>;
  /** Throws `notFound` ("No such image: …"), also where the image is for another platform than asked for. */
  resolve(reference: string, platform?: string): Promise<ResolvedImage>;
  /** Where the image's layers are. Throws `notFound` when the image or a layer is gone. */
  root(image: {readonly id: string}): Promise<StackedImage>;
  /** Clears away what no image needs: what was killed left, and blobs that came in part. */
  tidy(): Promise<void>;
  /** Throws for a commit that cannot be made, whatever the container holds. */
  checkCommit(request: CommitRequest): void;
  /** Puts a layer upon an image. Answers the new image's id. */
  commit(request: CommitRequest, layer: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string>;
}

export function createImages(context: ImageContext): ImageStore {
  const host = hostImage(context.architecture);
  const find = async (reference: string, platform?: string) =>
    (await findPlatform(context, reference, platform ? parsePlatform(platform) : undefined)).image;
  const inspect = async (reference: string, platform?: string) => {
    if (isHost(reference, host.Id)) return host;
    const image = await find(reference, platform);
    return await describeImage(context, image, await listReferences(context.layout));
  };
  return {
    session: () => openSession(context),
    tidy: async () => void (await collectGarbage(context, {ingests: true})),
    images: {
      list: (filters, options) => listSummaries(context, filters, options),
      inspect,
      history: async (reference, platform) =>
        isHost(reference, host.Id) ? hostHistory(host) : await imageHistory(context, await find(reference, platform)),
      async save(references, options) {
        if (references.some((reference) => isHost(reference, host.Id))) throw notSaved();
        return await (await import('./save.ts')).saveImages(context, references, options);
      },
      check: async (options) => (await import('./fsck-repair.ts')).checkStore(context, options),
      load: (source, options) => loadImages(context, source, options),
      import: (source, options, signal) => importImage(context, source, options, signal),
      tag: (reference, target) => tagImage(context, reference, target),
      async remove(reference, {force = false, platforms = []} = {}) {
        if (isHost(reference, host.Id))
          throw new TscomposeError('conflict', 'the built-in image "tscompose/host" cannot be removed');
        return platforms.length === 0
          ? await removeImage(context, reference, force)
          : await removePlatforms(context, reference, {platforms: platforms.map(parsePlatform), force});
      },
    },

    async resolve(reference, platform) {
      if (isHost(reference, host.Id)) {
        checkPlatform(
          reference,
          {os: host.Os, architecture: host.Architecture},
          platform ? parsePlatform(platform) : undefined,
        );
        return {id: host.Id, reference, os: host.Os, architecture: host.Architecture, layers: [], config: host.Config};
      }
      const wanted = platform ? parsePlatform(platform) : undefined;
      const image = await providePlatform(context, reference, wanted);
      const {config} = await readConfiguration(context, image);
      const {id, os, architecture} = image;
      return {id, reference, os, architecture, layers: image.layers.map(({diffId}) => diffId), config};
    },

    checkCommit: (request) => void prepareCommit(context, request),
    commit: (request, layer, signal) => commitImage(context, request, layer, signal),

    async root({id}) {
      if (id === host.Id) return await hostRoot(context);
      const image = await readImage(context.layout, id);
      if (!image) throw noSuchImage(id);
      return {lowers: await layerPaths(context, image), operations: []};
    },
  };
}

function notSaved(): TscomposeError {
  return new TscomposeError('unsupported', 'the built-in image "tscompose/host" cannot be saved', {
    hint: 'its programs are those of this machine',
  });
}

/** Its name, its id, or 12 digits and more of it. */
function isHost(text: string, id: string): boolean {
  const hex = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  if (/^[0-9a-f]{12,64}$/.test(hex)) return id.startsWith(`sha256:${hex}`);
  try {
    return normaliseReference(text) === hostReference;
  } catch {
    return false;
  }
}

async function layerPaths({layout}: ImageContext, image: ImageRecord): Promise<readonly string[]> {
  const paths = stackLayers(layout, image.layers);
  await Promise.all(
    paths.map((path) =>
      lstat(path).catch((cause) => {
        throw new TscomposeError('notFound', `image ${image.id}: its layer ${path} is gone`, {
          cause,
          hint: 'load the image again',
        });
      }),
    ),
  );
  return paths;
}

async function tagImage(
  context: ImageContext,
  reference: string,
  {repository, tag}: {readonly repository: string; readonly tag: string},
): Promise<void> {
  const text = tag === '' ? repository : `${repository}:${tag}`;
  const target = normaliseReference(text);
  if (parseReference(text).digest !== undefined || isDigest(repository)) {
    throw new TscomposeError('invalid', 'cannot create a tag with a digest reference');
  }
  refuseHostReference(target);
  const image = await exclusively(context, async () => {
    const found = await findImage(context, reference);
    const known = (await listReferences(context.layout)).filter(({image: id}) => id === found.image.id);
    const source =
      known.find((record) => record.reference === found.reference) ?? known.find((record) => record.target);
    await writeReference(context.layout, {...source, reference: target, image: found.image.id});
    return found.image;
  });
  await context.events.append({
    type: 'image',
    action: 'tag',
    id: image.id,
    attributes: {name: familiarReference(target)},
  });
}
