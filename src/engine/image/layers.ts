import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {createLimiter} from '../../base/concurrency.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {chmod, lstat, rename, rm} from '../at-once.ts';
import {readBootId} from '../clock.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import {type BlobSource, headOf} from './blob-source.ts';
import {sniffCompression} from './compression.ts';
import type {ImageContext} from './context.ts';
import type {Lease} from './lease.ts';
import {measureArchive} from './made-layer.ts';
import {createNursery} from './nurseries.ts';
import {type LayerRecord, listImages, readLayer, writeLayer} from './record.ts';
import {stackLayers} from './stack.ts';
import {contentDigest, unpackArchive} from './unpack-process.ts';

/** A layer that is to be in the store. */
export interface WantedLayer {
  /** Undefined for an import: then it is what the archive's content hashes to. */
  readonly diffId: string | undefined;
  /** It may still be coming: then it is unpacked as it comes. */
  readonly blob: BlobSource;
}

export interface LayerOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (blob: string, state: 'start' | 'end') => void;
}

/** A layer in a directory with a temporary name. */
interface Unpacked {
  readonly temporary: string;
  readonly diffId: string;
  readonly bytes: number;
  readonly implied: number;
}

/** Layers of one change: unpacked once each by whichever process is first, several at a time. */
export interface LayerStore {
  /**
   * The records of an image's layers, lowest first, all in place afterwards and held by the lease. A power loss may still take
   * them away.
   */
  provide(layers: readonly WantedLayer[], options: LayerOptions): Promise<readonly LayerRecord[]>;
  /** A new directory among the layers, for somebody to fill. It goes with the lease unless it is kept. */
  begin(): Promise<NewLayer>;
  /** Whether there is one in this directory, which the lease then holds. */
  has(directory: string): Promise<boolean>;
  /**
   * All layers that were answered so far survive a power loss afterwards, with all else that was written before: once for many,
   * since the disk has to write everything for one. Answers false where there was nothing to wait for.
   */
  settle(): Promise<boolean>;
}

/** A layer that is made of files, without an archive: it gets one whenever somebody wants it. */
export interface NewLayer extends AsyncDisposable {
  /** Absolute, 0755. What is in it has overlayfs's marks: it may have been an upper directory. */
  readonly path: string;
  /** It is whole: from now on nothing in it may change. Answers an earlier one with the same content where there is one. */
  keep(signal: AbortSignal): Promise<LayerRecord>;
}

/** Where a layer is to be: alone, or upon the directories of those below, top first. */
interface Place {
  readonly suffix: string;
  readonly lowers: readonly string[];
  readonly isLowest: boolean;
}

export function createLayerStore(context: ImageContext, lease: Lease): LayerStore {
  const {layout, helper} = context;
  const limit = createLimiter(context.concurrency);
  const boot = readBootId();
  const nursery = createNursery(context);
  const unsettled = new Map<string, LayerRecord>();

  /**
   * A layer does not depend on those below it, so all are unpacked at once. Some archives leave out directories, or link
   * to files of lower layers: these are unpacked a second time, with the layers below at hand, into a directory that
   * belongs to this very stack.
   */
  return {
    async provide(layers, options) {
      const stop = new AbortController();
      const working = {...options, signal: AbortSignal.any([options.signal, stop.signal])};
      let failure: {readonly error: unknown} | undefined;
      const pending = layers.map((layer, index) =>
        limit(() => provideAlone(layer, {suffix: '', lowers: [], isLowest: index === 0}, working)).catch((error) => {
          failure ??= {error};
          stop.abort();
          throw error;
        }),
      );
      // All are awaited, also when one failed: none may go on unpacking after the change has ended.
      await Promise.allSettled(pending);
      if (failure) throw failure.error;
      const done: LayerRecord[] = [];
      for (const [index, layer] of layers.entries())
        done.push((await pending[index]) ?? (await stack(layer, done, options)));
      return done;
    },

    async begin() {
      const temporary = lease.temporaryName();
      const path = await makeDirectory(temporary);
      return {
        path,
        keep: (signal) => keepMade(temporary, signal),
        [Symbol.asyncDispose]: () => remove(temporary),
      };
    },

    has: async (directory) => (await lease.hold({layers: [directory]}, () => find(directory))) !== undefined,

    async settle() {
      const settled = [...unsettled];
      if (settled.length === 0) return false;
      const {output} = await startFilesProcess(helper, {kind: 'fileSync', directory: layout.images.layers});
      for await (const _ of output);
      for (const [directory, record] of settled) {
        await writeLayer(layout, record);
        unsettled.delete(directory);
      }
      return true;
    },
  };

  async function keepMade(temporary: string, signal: AbortSignal): Promise<LayerRecord> {
    const path = join(layout.images.layers, temporary);
    const [{digest, size}, {bytes}] = await Promise.all([
      measureArchive(context, path, signal),
      helper.request({kind: 'measureTree', root: path}),
    ]);
    const directory = digest.slice('sha256:'.length);
    return await withLayer(directory, {signal}, async (present) => {
      if (present) return present;
      const record = {diffId: digest, directory, blob: digest, bytes, made: size};
      await place(record, temporary);
      return record;
    });
  }

  async function makeDirectory(name: string): Promise<string> {
    const path = await nursery.begin(name);
    // The root of an image that is mounted in a container, for its users to enter; nobody else gets this far.
    await chmod(path, 0o755);
    return path;
  }

  /** Undefined where it needs those below. */
  async function provideAlone(
    layer: WantedLayer,
    place: Place,
    options: LayerOptions,
  ): Promise<LayerRecord | undefined> {
    try {
      return await provideOne(layer, place, options);
    } catch (error) {
      if (place.isLowest || !hasKind(error, 'unsupported')) throw error;
      return undefined;
    }
  }

  async function stack(layer: WantedLayer, below: readonly LayerRecord[], options: LayerOptions): Promise<LayerRecord> {
    const lowers = below.map(({directory}) => directory).reverse();
    const suffix = `-${sha256Hex(lowers.join('\n')).slice(0, 10)}`;
    const paths = stackLayers(layout, below);
    await layer.blob.whole;
    const record = await provideOne(layer, {suffix, lowers: paths, isLowest: false}, options);
    if (record) return record;
    throw new TscomposeError('internal', `layer ${layer.diffId} does not fit into its stack`);
  }

  async function provideOne(layer: WantedLayer, place: Place, options: LayerOptions): Promise<LayerRecord | undefined> {
    const {diffId} = layer;
    if (diffId === undefined) {
      const unpacked = await unpack(layer, place, options);
      return await withLayer(directoryOf(unpacked.diffId, place), options, async (present) => {
        if (present === undefined) return await settle(layer, unpacked, place);
        await remove(unpacked.temporary);
        return {...present, blob: layer.blob.digest};
      });
    }
    return await withLayer(directoryOf(diffId, place), options, async (present) => {
      if (present) return needsStack(present, place) ? undefined : await adopt(layer, present, options);
      const unpacked = await unpack(layer, place, options);
      if (!needsStack(unpacked, place)) return await settle(layer, unpacked, place);
      await remove(unpacked.temporary);
      return undefined;
    });
  }

  /** Alone among all processes with what is to be this directory. */
  async function withLayer<T>(
    directory: string,
    {signal}: Pick<LayerOptions, 'signal'>,
    work: (present: LayerRecord | undefined) => Promise<T>,
  ): Promise<T> {
    const path = layout.locks.layer(directory);
    const lock = await helper.lock(path, {signal});
    try {
      return await work(await lease.hold({layers: [directory]}, () => find(directory)));
    } finally {
      // Whoever waits for it sees that the file is gone, and makes a new one.
      await rm(path, {force: true});
      await lock[Symbol.asyncDispose]();
    }
  }

  /**
   * The record is written before the directory gets its name: without it the directory is of an earlier version, or nobody's.
   * One of an earlier boot may be all that a power loss has left; but an image is recorded only once its layers are settled.
   */
  async function find(directory: string): Promise<LayerRecord | undefined> {
    const isThere = await lstat(layout.images.layer(directory)).then(
      () => true,
      () => false,
    );
    if (!isThere) return undefined;
    const known = await readLayer(layout, directory);
    if (known !== undefined) {
      const {boot: made, ...record} = known;
      if (made === boot) unsettled.set(directory, record);
      if (made === undefined || made === boot) return record;
    }
    const images = await listImages(layout);
    return images.flatMap(({layers}) => layers).find((layer) => layer.directory === directory);
  }

  /** The same content may come in another compression: the image keeps its own blob, once that was checked. */
  async function adopt(
    {diffId, blob}: WantedLayer,
    present: LayerRecord,
    {signal}: LayerOptions,
  ): Promise<LayerRecord> {
    const {made: _made, v: _version, ...record} = present as LayerRecord & {readonly v?: 1};
    try {
      if (blob.digest !== present.blob || present.made !== undefined)
        checkContent(diffId, await contentDigest(blob, sniffCompression(await headOf(blob, signal)), signal));
      await blob.whole;
    } catch (error) {
      throw describe(error, present.diffId);
    }
    return {...record, blob: blob.digest};
  }

  async function unpack({diffId, blob}: WantedLayer, {lowers}: Place, options: LayerOptions): Promise<Unpacked> {
    const {signal, onProgress} = options;
    onProgress(blob.digest, 'start');
    const temporary = lease.temporaryName();
    try {
      const compression = sniffCompression(await headOf(blob, signal));
      // Without compression the blob is the content: no need to unpack what is known to be wrong.
      if (compression === 'none') checkContent(diffId, blob.digest);
      const destination = await makeDirectory(temporary);
      const result = await unpackArchive(helper, {archive: blob, compression, destination, lowers}, signal);
      const found = result.diffId ?? blob.digest;
      checkContent(diffId, found);
      await blob.whole;
      onProgress(blob.digest, 'end');
      return {temporary, diffId: found, bytes: result.bytes, implied: result.implied};
    } catch (error) {
      await remove(temporary);
      throw describe(error, diffId ?? blob.digest);
    }
  }

  async function settle({blob}: WantedLayer, unpacked: Unpacked, stacked: Place): Promise<LayerRecord> {
    const {temporary, diffId, bytes, implied} = unpacked;
    const directory = directoryOf(diffId, stacked);
    const isStacked = stacked.suffix !== '';
    const record = {diffId, directory, blob: blob.digest, bytes, ...(implied > 0 && !isStacked ? {implied} : {})};
    await place(record, temporary);
    return record;
  }

  async function place(record: LayerRecord, temporary: string): Promise<void> {
    const {directory} = record;
    await lease.hold({layers: [directory]}, () => writeLayer(layout, {...record, boot}));
    unsettled.set(directory, record);
    await placeDirectory(join(layout.images.layers, temporary), layout.images.layer(directory));
  }

  /** One that nobody knows is in the way of a whole one. */
  async function placeDirectory(from: string, to: string): Promise<void> {
    await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      const stray = lease.temporaryName();
      await rename(to, join(layout.images.layers, stray));
      await rename(from, to);
      await remove(stray);
    });
  }

  async function remove(directory: string): Promise<void> {
    await nursery.remove(directory);
  }
}

function directoryOf(diffId: string, {suffix}: Place): string {
  return `${diffId.slice('sha256:'.length)}${suffix}`;
}

/** Things in it that only those below could have told. */
function needsStack({implied = 0}: {readonly implied?: number}, {isLowest, suffix}: Place): boolean {
  return implied > 0 && !isLowest && suffix === '';
}

function checkContent(expected: string | undefined, found: string): void {
  if (expected === undefined || expected === found) return;
  throw new TscomposeError('invalid', `its content is ${found}`);
}

function describe(error: unknown, layer: string): unknown {
  if (!(error instanceof TscomposeError)) return error;
  return new TscomposeError(error.kind, `layer ${layer} is broken: ${error.message}`, {cause: error, hint: error.hint});
}
