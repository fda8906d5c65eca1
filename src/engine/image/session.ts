import {onePiece} from '../../base/byte-streams.ts';
import {sha256Hex} from '../../base/canonical-json.ts';
import type {NewName} from './add.ts';
import {addImageRecord, addMadeManifest, addTarget, imageRecord} from './add.ts';
import {type BlobSource, madeBlob, storedBlob} from './blob-source.ts';
import {type BlobStore, createBlobStore, headLength, type StagedBlob} from './blobs.ts';
import {collectGarbage, exclusively} from './collect.ts';
import {parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {type Ingest, type IngestRequest, openIngest} from './ingest.ts';
import {createLayerStore, type LayerStore} from './layers.ts';
import {createLease, hasDeadLease, type Lease} from './lease.ts';
import {remakeArchive} from './made-layer.ts';
import {
  type ImageRecord,
  type LayerRecord,
  type PinRecord,
  type ReferenceRecord,
  readImage,
  readLayer,
  removePin,
  type TargetDescriptor,
  writePin,
} from './record.ts';

/** An image whose blobs and layers the session has. */
export interface NewImage {
  /** Digest of its configuration, which becomes its id. */
  readonly configuration: string;
  /** Digest of its manifest, where it has one. */
  readonly manifest?: string | undefined;
  /** Lowest first: their diff IDs have to be those of the configuration. */
  readonly layers: readonly LayerRecord[];
  readonly names: readonly NewName[];
}

/**
 * The way into the store. All that is looked for or added by one session stays until its end, whatever others remove; then
 * only what an image, a name or a pin needs. Any number of sessions work at once, in any number of processes.
 */
export interface ContentSession extends AsyncDisposable {
  readonly lease: Lease;
  readonly blobs: BlobStore;
  readonly layers: LayerStore;
  /** A blob of a known digest from elsewhere: resumable, brought by one process at a time. */
  ingest(request: IngestRequest): Promise<Ingest>;
  /** A blob whose digest is told by its content. */
  addBlob(content: AsyncIterable<Uint8Array> | Uint8Array): Promise<StagedBlob>;
  /** One that is there, or can be made of a layer's directory; undefined otherwise. */
  find(digest: string): Promise<BlobSource | undefined>;
  /** An image with all it has. */
  findImage(id: string): Promise<ImageRecord | undefined>;
  /** Throws `invalid` for a configuration that is damaged or does not fit the layers. */
  addImage(image: NewImage): Promise<ImageRecord>;
  /** The manifest that was made for an image here, which then stands for it, and for one of its names. */
  addManifest(image: string, name: {readonly reference: string; readonly target: TargetDescriptor}): Promise<void>;
  /** What a name without a target stands for in its registry: its image's manifest, which was pushed there. */
  addTarget(name: ReferenceRecord, target: TargetDescriptor): Promise<void>;
  /** Keeps content without an image, under a name; the next pin of this name replaces it. */
  pin(pin: Omit<PinRecord, 'v'>): Promise<void>;
  unpin(name: string): Promise<void>;
}

/** What killed processes left is cleared first. */
export async function openSession(context: ImageContext): Promise<ContentSession> {
  if (await hasDeadLease(context)) await collectGarbage(context);
  const {layout} = context;
  const blobs = createBlobStore(layout.images.blobs);
  const lease = await createLease(context);
  const layers = createLayerStore(context, lease);

  /** One that is there already and as it should be need not be written, nor synced. */
  const findKnown = async (content: Uint8Array): Promise<StagedBlob | undefined> => {
    const digest = `sha256:${sha256Hex(content)}`;
    const known = await lease.hold({blobs: [digest]}, () => blobs.read(digest).catch(() => undefined));
    return known === undefined
      ? undefined
      : {path: blobs.path(digest), digest, size: known.length, head: known.subarray(0, headLength)};
  };

  return {
    lease,
    blobs,
    layers,
    ingest: (request) => openIngest({...context, blobs, lease}, request),

    async addBlob(content) {
      const known = content instanceof Uint8Array ? await findKnown(content) : undefined;
      if (known !== undefined) return known;
      const staged = await blobs.stage(content instanceof Uint8Array ? onePiece(content) : content, lease);
      try {
        await blobs.sync(staged);
        await blobs.keep([staged], lease);
        return {...staged, path: blobs.path(staged.digest)};
      } catch (error) {
        await blobs.discard(staged);
        throw error;
      }
    },

    async find(digest) {
      const directory = digest.slice('sha256:'.length);
      return await lease.hold({blobs: [digest], layers: [directory]}, async () => {
        const blob = await blobs.describe(digest).catch(() => undefined);
        if (blob) return storedBlob(blob);
        const layer = await readLayer(layout, directory);
        if (layer?.made === undefined) return undefined;
        const path = layout.images.layer(directory);
        return madeBlob({digest, size: layer.made, read: (signal) => remakeArchive(context, path, {digest, signal})});
      });
    },

    async findImage(id) {
      const found = await readImage(layout, id);
      return found && (await lease.hold(contentOf(found), () => readImage(layout, id)));
    },

    async addImage({configuration, manifest, layers: records, names}) {
      const image = parseConfiguration(await blobs.read(configuration), `image ${configuration}`);
      const record = imageRecord({configuration, manifest, layers: records}, image);
      await layers.settle();
      await addImageRecord(context, record, names);
      return record;
    },

    addManifest: (image, name) => addMadeManifest(context, image, name),
    addTarget: (name, target) => addTarget(context, name, target),
    pin: (pin) => exclusively(context, () => writePin(layout, {v: 1, ...pin})),
    unpin: (name) => exclusively(context, () => removePin(layout, name)),
    async [Symbol.asyncDispose]() {
      try {
        // What was given up may be removed by now.
        if (!lease.isAbandoned) await layers.settle();
      } finally {
        await lease[Symbol.asyncDispose]();
      }
    },
  };
}

/** Everything an image has, to be held. */
export function contentOf({id, manifest, layers}: ImageRecord) {
  return {
    blobs: [id, ...(manifest === undefined ? [] : [manifest]), ...layers.map(({blob}) => blob)],
    layers: layers.map(({directory}) => directory),
  };
}
