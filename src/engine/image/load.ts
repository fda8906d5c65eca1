import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import type {ImageProgress} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import {addImageRecord, checkLayerCount, imageRecord} from './add.ts';
import {type ArchiveFiles, readArchive, readDirectory, type Staging} from './archive.ts';
import {storedBlob} from './blob-source.ts';
import type {StagedBlob} from './blobs.ts';
import {changeStore, type StoreChange} from './change.ts';
import {runWithProgress} from './channel.ts';
import {type ImageConfiguration, parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {type Candidate, readDockerArchive, readStaged} from './docker-archive.ts';
import {refuseHostReference} from './host-image.ts';
import {readOciLayout} from './oci-layout.ts';
import {machinePlatform, type Platform, parsePlatform} from './platform.ts';
import type {ImageRecord} from './record.ts';
import {familiarReference} from './reference.ts';
import {unite} from './union.ts';

export interface LoadOptions {
  /** `linux/arm64`: of images with several platforms that one alone is read; without it all, and the machine's is unpacked. */
  readonly platform?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type LoadSource = AsyncIterable<Uint8Array> | {readonly path: string};

/**
 * Reads the images of an archive or layout into the store. An image is there whole or not at all: its record comes last.
 * Throws `invalid` for a damaged archive, `unsupported`, `notFound` for a missing path or platform, `exhausted`.
 */
export function loadImages(
  context: ImageContext,
  source: LoadSource,
  {platform, signal}: LoadOptions = {},
): AsyncGenerator<ImageProgress> {
  const wanted = platform ? parsePlatform(platform) : machinePlatform(context.architecture);
  return runWithProgress<ImageProgress>(
    (channel, stopped) =>
      changeStore(context, channel, stopped, async (change) => {
        const files = await readSource(source, change.staging, stopped);
        const candidates = await readCandidates(files, wanted, platform !== undefined && platform !== '');
        for (const {references} of candidates) references.forEach(refuseHostReference);
        for (const candidate of candidates) {
          stopped.throwIfAborted();
          await addImage(change, candidate);
        }
      }),
    signal,
  );
}

async function readSource(source: LoadSource, staging: Staging, signal: AbortSignal): Promise<ArchiveFiles> {
  if (!('path' in source)) return await readArchive(source, staging, signal);
  const {path} = source;
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const kind = cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? 'notFound' : 'forbidden';
    throw new TscomposeError(
      kind,
      `cannot read ${path}: ${kind === 'notFound' ? 'no such file or directory' : cause.message}`,
      {cause},
    );
  });
  if (found.isDirectory()) return readDirectory(path, staging);
  return await readArchive(createReadStream(path, {highWaterMark: 1024 * 1024, signal}), staging, signal);
}

async function readCandidates(files: ArchiveFiles, platform: Platform, isOnly: boolean): Promise<readonly Candidate[]> {
  const [list, layout] = [await readDockerArchive(files), await readOciLayout(files, platform, isOnly)];
  const candidates = list && layout ? unite(layout, list) : (layout ?? list);
  if (candidates === undefined) {
    throw new TscomposeError('invalid', 'the archive holds no image: it has neither manifest.json nor an OCI layout', {
      hint: 'a root file system is read with "import"',
    });
  }
  if (candidates.length === 0) throw new TscomposeError('invalid', 'the archive holds no image: its list is empty');
  return candidates;
}

/** Answers its id. */
export async function addImage(work: StoreChange, candidate: Candidate): Promise<string> {
  const {channel, context} = work;
  const [first] = candidate.references;
  const what = `image ${first === undefined ? candidate.configuration.digest : `"${familiarReference(first)}"`}`;
  const body = await readStaged(placed(work, candidate.configuration), 'configuration');
  const configuration = parseConfiguration(body, what);
  const record = await storeContent(work, candidate, configuration).catch((error) =>
    Promise.reject(nameImage(error, what)),
  );
  const {id} = record;
  const before = await addImageRecord(
    context,
    record,
    candidate.references.map((reference) => ({reference, target: candidate.target})),
  );
  for (const reference of candidate.references) {
    const name = familiarReference(reference);
    const earlier = before.find((other) => other.reference === reference);
    if (earlier) {
      channel.push({
        stream: `The image ${name} already exists, renaming the old one with ID ${earlier.image} to empty string\n`,
      });
    }
    channel.push({stream: `Loaded image: ${name}\n`});
    await context.events.append({type: 'image', action: 'load', id, attributes: {name}});
  }
  if (candidate.references.length === 0) {
    channel.push({stream: `Loaded image ID: ${id}\n`});
    await context.events.append({type: 'image', action: 'load', id, attributes: {name: id}});
  }
  return id;
}

/** Puts blobs and layers in place. Answers the record of the image, which is not written yet. */
export async function storeContent(
  work: StoreChange,
  candidate: Candidate,
  configuration: ImageConfiguration,
): Promise<ImageRecord> {
  const {staging, channel, signal} = work;
  const {blobs, layers} = work.session;
  const {diffIds} = configuration;
  checkLayerCount(diffIds, candidate.layers);
  const {configuration: body, manifest, others = []} = candidate;
  const kept = [body, ...(manifest ? [manifest] : []), ...candidate.layers, ...others];
  const wanted = candidate.layers.map((blob, index) => ({
    diffId: diffIds[index],
    blob: storedBlob(placed(work, blob)),
  }));
  const sizes = new Map(candidate.layers.map(({digest, size}) => [digest, size]));
  const onProgress = (digest: string, state: 'start' | 'end') =>
    channel.push(layerProgress({digest, size: sizes.get(digest) ?? 0}, state));
  const records = await layers.provide(wanted, {signal, onProgress});
  // With the layers, everything else has reached the disk.
  if (!(await layers.settle())) await Promise.all(kept.filter(staging.isOpen).map(blobs.sync));
  await staging.keep(kept);
  const {digest} = candidate.configuration;
  return imageRecord({configuration: digest, manifest: candidate.manifest?.digest, layers: records}, configuration);
}

/** One that an image before had too has its last name by now. */
function placed({staging, session}: StoreChange, blob: StagedBlob): StagedBlob {
  return staging.isOpen(blob) ? blob : {...blob, path: session.blobs.path(blob.digest)};
}

function layerProgress({digest, size}: Pick<StagedBlob, 'digest' | 'size'>, state: 'start' | 'end'): ImageProgress {
  const progressDetail = {current: state === 'start' ? 0 : size, total: size};
  return {status: 'Loading layer', id: digest.slice('sha256:'.length, 'sha256:'.length + 12), progressDetail};
}

function nameImage(error: unknown, what: string): unknown {
  if (!(error instanceof TscomposeError) || error.kind === 'canceled') return error;
  return new TscomposeError(error.kind, `${what}: ${error.message}`, {cause: error, hint: error.hint});
}
