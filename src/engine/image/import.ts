import type {ImageProgress} from '../../api/types/image.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {createStaging} from './archive.ts';
import {createBlobStore} from './blobs.ts';
import {applyChanges} from './changes.ts';
import {runWithProgress} from './channel.ts';
import {parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {refuseHostReference} from './host-image.ts';
import {createLayerStore} from './layers.ts';
import {lockImages, storeImage} from './load.ts';
import {normaliseArchitecture} from './platform.ts';
import {writeReference} from './record.ts';
import {familiarReference, normaliseReference} from './reference.ts';
import {tidy} from './tidy.ts';

export interface ImportOptions {
  readonly repository?: string;
  readonly tag?: string;
  readonly message?: string;
  /** Dockerfile lines: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
}

/** Makes an image of one layer from the tar of a root file system, compressed or not. */
export function importImage(
  context: ImageContext,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  signal?: AbortSignal,
): AsyncGenerator<ImageProgress> {
  return runWithProgress<ImageProgress>(async (channel, stopped) => {
    const {repository, tag, changes = [], message} = options;
    const reference = repository ? normaliseReference(tag ? `${repository}:${tag}` : repository) : undefined;
    if (reference !== undefined) refuseHostReference(reference);
    const config = applyChanges({}, changes);
    const blobs = createBlobStore(context.layout.images.blobs);
    await using lock = await lockImages(context, channel, stopped);
    void lock;
    const images = await tidy(context);
    await using staging = createStaging(blobs);
    const layer = await staging.add(source);
    stopped.throwIfAborted();
    const layers = createLayerStore(context, images);
    const onProgress = () => undefined;
    const [record] = await layers.provide([{diffId: undefined, blob: layer, archive: layer.path}], {
      signal: stopped,
      onProgress,
    });
    const created = formatNanoseconds(unixNanoseconds(context.now));
    const body = Buffer.from(
      JSON.stringify({
        architecture: normaliseArchitecture(context.architecture),
        os: 'linux',
        created,
        config,
        rootfs: {type: 'layers', diff_ids: [record?.diffId]},
        history: [{created, comment: message || 'imported'}],
      }),
    );
    const configuration = await staging.add(once(body));
    const work = {context, blobs, staging, layers, channel, signal: stopped};
    const candidate = {references: [], configuration, layers: [layer]};
    const id = await storeImage(work, candidate, parseConfiguration(body, 'the imported image'));
    if (reference !== undefined) await writeReference(context.layout, reference, id);
    const name = reference === undefined ? id : familiarReference(reference);
    await context.events.append({type: 'image', action: 'import', id, attributes: {name}});
    channel.push({status: id});
  }, signal);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
