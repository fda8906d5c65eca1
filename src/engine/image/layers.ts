import {randomUUID} from 'node:crypto';
import {chmod, mkdir, rename} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {createLimiter} from '../../base/concurrency.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {temporaryPrefix} from '../record-store.ts';
import type {StagedBlob} from './blobs.ts';
import {sniffCompression} from './compression.ts';
import type {ImageContext} from './context.ts';
import type {ImageRecord, LayerRecord} from './record.ts';
import {contentDigest, unpackArchive} from './unpack-process.ts';

/** A layer that is to be in the store. */
export interface WantedLayer {
  /** Undefined for an import: then it is what the archive's content hashes to. */
  readonly diffId: string | undefined;
  readonly blob: StagedBlob;
  /** Where the blob is now. */
  readonly archive: string;
}

export interface LayerOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (layer: StagedBlob, state: 'start' | 'end') => void;
}

/** A layer in a directory with a temporary name. */
interface Unpacked {
  readonly temporary: string;
  readonly diffId: string;
  readonly bytes: number;
  readonly implied: number;
}

/** Layers of one load: unpacked once each, several at a time. To be used under the lock of images. */
export interface LayerStore {
  /** The records of an image's layers, lowest first, all in place afterwards. */
  provide(layers: readonly WantedLayer[], options: LayerOptions): Promise<readonly LayerRecord[]>;
}

export function createLayerStore(context: ImageContext, images: readonly ImageRecord[]): LayerStore {
  const known = new Map(images.flatMap(({layers}) => layers.map((layer) => [layer.directory, layer] as const)));
  const limit = createLimiter(context.concurrency);

  /**
   * A layer does not depend on those below it, so all are unpacked at once. Some archives leave out directories, or link
   * to files of lower layers: these are unpacked a second time, with the layers below at hand, into a directory that
   * belongs to this very stack.
   */
  return {
    async provide(layers, options) {
      const pending = layers.map((layer, index) => attempt(layer, index === 0, options));
      // All are awaited, also when one failed: none may go on unpacking after the others were cleared away.
      const settled = await Promise.allSettled(pending);
      const failed = settled.find((result) => result.status === 'rejected');
      if (failed) {
        await Promise.all(settled.map((result) => (result.status === 'fulfilled' ? discard(result.value) : undefined)));
        throw failed.reason;
      }
      const done: LayerRecord[] = [];
      for (const [index, layer] of layers.entries()) {
        const result = await pending[index];
        done.push(await settle(layer, result, done, options));
      }
      return done;
    },
  };

  async function attempt(
    layer: WantedLayer,
    isLowest: boolean,
    options: LayerOptions,
  ): Promise<Unpacked | LayerRecord | undefined> {
    const present = layer.diffId === undefined ? undefined : known.get(layer.diffId.slice('sha256:'.length));
    if (present && (isLowest || !present.implied)) return await limit(() => adopt(layer, present));
    return await limit(async () => {
      try {
        const unpacked = await unpack(layer, [], options);
        if (isLowest || unpacked.implied === 0) return unpacked;
        await discard(unpacked);
      } catch (error) {
        if (isLowest || !hasKind(error, 'unsupported')) throw error;
      }
      return undefined;
    });
  }

  /** The same content may come in another compression: the image keeps its own blob, once that was checked. */
  async function adopt({diffId, blob, archive}: WantedLayer, present: LayerRecord): Promise<LayerRecord> {
    if (blob.digest === present.blob) return present;
    try {
      checkContent(diffId, await contentDigest(archive, sniffCompression(blob.head)));
    } catch (error) {
      throw describe(error, present.diffId);
    }
    return {...present, blob: blob.digest};
  }

  async function settle(
    layer: WantedLayer,
    result: Unpacked | LayerRecord | undefined,
    below: readonly LayerRecord[],
    options: LayerOptions,
  ): Promise<LayerRecord> {
    if (result !== undefined) return 'temporary' in result ? await place(layer, result, '') : result;
    const lowers = below.map(({directory}) => directory).reverse();
    const suffix = `-${sha256Hex(lowers.join('\n')).slice(0, 10)}`;
    const present = known.get(`${(layer.diffId ?? '').slice('sha256:'.length)}${suffix}`);
    if (present) return await adopt(layer, present);
    const paths = lowers.map((directory) => join(context.layout.images.layers, directory));
    return await place(layer, await unpack(layer, paths, options), suffix);
  }

  async function unpack(
    {diffId, blob, archive}: WantedLayer,
    lowers: readonly string[],
    {signal, onProgress}: LayerOptions,
  ): Promise<Unpacked> {
    const compression = sniffCompression(blob.head);
    // Without compression the blob is the content: no need to unpack what is known to be wrong.
    if (compression === 'none') checkContent(diffId, blob.digest);
    const temporary = `${temporaryPrefix}${randomUUID()}`;
    const destination = join(context.layout.images.layers, temporary);
    onProgress(blob, 'start');
    await mkdir(destination, {mode: 0o700});
    // The root of an image that is mounted in a container, for its users to enter; nobody else gets this far.
    await chmod(destination, 0o755);
    try {
      const result = await unpackArchive(context.helper, {archive, compression, destination, lowers}, signal);
      const found = result.diffId ?? blob.digest;
      checkContent(diffId, found);
      onProgress(blob, 'end');
      return {temporary, diffId: found, bytes: result.bytes, implied: result.implied};
    } catch (error) {
      await remove(temporary);
      throw describe(error, diffId ?? blob.digest);
    }
  }

  async function place(
    layer: WantedLayer,
    {temporary, diffId, bytes, implied}: Unpacked,
    suffix: string,
  ): Promise<LayerRecord> {
    const directory = `${diffId.slice('sha256:'.length)}${suffix}`;
    const present = known.get(directory);
    if (present) {
      // The same layer twice in one image.
      await remove(temporary);
      return {...present, blob: layer.blob.digest};
    }
    await rename(join(context.layout.images.layers, temporary), join(context.layout.images.layers, directory));
    const record = {
      diffId,
      directory,
      blob: layer.blob.digest,
      bytes,
      ...(implied > 0 && suffix === '' ? {implied} : {}),
    };
    known.set(directory, record);
    return record;
  }

  async function discard(result: Unpacked | LayerRecord | undefined): Promise<void> {
    if (result && 'temporary' in result) await remove(result.temporary);
  }

  async function remove(directory: string): Promise<void> {
    await context.helper.request({kind: 'removeTree', root: context.layout.images.layers, path: directory});
  }
}

function checkContent(expected: string | undefined, found: string): void {
  if (expected === undefined || expected === found) return;
  throw new TscomposeError('invalid', `its content is ${found}`);
}

function describe(error: unknown, layer: string): unknown {
  if (!(error instanceof TscomposeError)) return error;
  return new TscomposeError(error.kind, `layer ${layer} is broken: ${error.message}`, {cause: error, hint: error.hint});
}
