import {createHash} from 'node:crypto';
import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {extract} from 'tar-stream';
import type {ImageProgress} from '../../../src/api/types/image.ts';
import type {JournalEntry} from '../../../src/engine/events.ts';
import {createHelper, type Helper} from '../../../src/engine/helper/coprocess.ts';
import type {ImageContext, ImageUser} from '../../../src/engine/image/context.ts';
import {createImages, type ImageStore} from '../../../src/engine/image/images.ts';
import {createLayout, type Layout} from '../../../src/engine/layout.ts';
import {ensureRoot} from '../../../src/engine/root.ts';
import {makeTar, type RawEntry} from '../../support/archive.ts';
import {bytesOf} from '../../support/read-tar.ts';

/** An image store over a root of its own. */
export interface ImageBed extends AsyncDisposable {
  readonly directory: string;
  readonly layout: Layout;
  readonly helper: Helper;
  readonly context: ImageContext;
  readonly store: ImageStore;
  readonly events: JournalEntry[];
  /** Containers by image. */
  readonly users: Map<string, ImageUser[]>;
  load(archive: Uint8Array | {readonly path: string}, signal?: AbortSignal): Promise<ImageProgress[]>;
  /** Names under layers/ and blobs, temporary ones too. */
  content(): {
    /** Also those whose directories were begun and never got further. */
    readonly layers: string[];
    readonly blobs: string[];
    readonly records: string[];
    readonly references: string[];
  };
}

/** `beside`: another process's view of the same store. */
export async function makeImageBed(beside?: ImageBed): Promise<ImageBed> {
  const directory = beside?.directory ?? mkdtempSync(join(tmpdir(), 'tscompose-images-'));
  const layout = createLayout({root: join(directory, 'root'), run: join(directory, 'run')});
  await ensureRoot(layout);
  const helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  const events: JournalEntry[] = [];
  const users = new Map<string, ImageUser[]>();
  const context: ImageContext = {
    layout,
    helper,
    events: {append: async (entry) => void events.push(entry)},
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    users: async (id) => users.get(id) ?? [],
    nodePath: process.execPath,
    architecture: 'x64',
    concurrency: 2,
  };
  const store = createImages(context);
  return {
    directory,
    layout,
    helper,
    context,
    store,
    events,
    users,
    load: (archive, signal) => collect(store.images.load('path' in archive ? archive : stream(archive), {signal})),
    content: () => ({
      layers: [...readdirSync(layout.images.layers), ...begunIn(layout.images.nurseries)].sort(),
      blobs: readdirSync(layout.images.blobs).sort(),
      records: readdirSync(layout.images.records).sort(),
      references: readdirSync(layout.images.references).sort(),
    }),
    async [Symbol.asyncDispose]() {
      await helper.close();
      if (!beside) rmSync(directory, {recursive: true, force: true});
    },
  };
}

function begunIn(nurseries: string): string[] {
  const places = existsSync(nurseries) ? readdirSync(nurseries).filter((name) => /^[0-9a-f]{8}$/.test(name)) : [];
  return places.flatMap((name) => readdirSync(join(nurseries, name)));
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** In pieces of an odd size. */
export async function* stream(bytes: Uint8Array, size = 70_001): AsyncIterable<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface MadeImage {
  readonly id: string;
  readonly configuration: Buffer;
  /** Lowest first. */
  readonly layers: readonly Buffer[];
  readonly diffIds: readonly string[];
}

export interface ImageDescription {
  readonly layers?: readonly (readonly RawEntry[])[];
  readonly config?: object;
  readonly platform?: {readonly architecture: string; readonly os?: string; readonly variant?: string};
  readonly created?: string;
  /** Members put over the configuration. */
  readonly extra?: object;
}

export function makeImage({
  layers = [],
  config = {Cmd: ['sh']},
  platform,
  created,
  extra,
}: ImageDescription = {}): MadeImage {
  const archives = layers.map(makeTar);
  const diffIds = archives.map(digestOf);
  const configuration = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: created ?? '2025-05-06T07:08:09.1Z',
      config,
      rootfs: {type: 'layers', diff_ids: diffIds},
      ...platform,
      ...extra,
    }),
  );
  return {id: digestOf(configuration), configuration, layers: archives, diffIds};
}

/** As `docker save` before version 25 wrote it. */
export function dockerArchive(
  images: readonly {readonly image: MadeImage; readonly tags: readonly string[] | null; readonly compress?: boolean}[],
): Buffer {
  const files = new Map<string, Uint8Array>();
  const manifest = images.map(({image, tags, compress}) => {
    const config = `${image.id.slice(7)}.json`;
    files.set(config, image.configuration);
    const layers = image.layers.map((layer) => {
      const name = `${digestOf(layer).slice(7)}/layer.tar`;
      files.set(name, compress ? gzipSync(layer) : layer);
      return name;
    });
    return {Config: config, RepoTags: tags, Layers: layers};
  });
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return archiveOf(files);
}

export function archiveOf(files: ReadonlyMap<string, Uint8Array>): Buffer {
  return makeTar([...files].map(([name, data]) => ({name, data})));
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Files of an OCI layout; blobs are added as their descriptors are made. */
export function makeLayout() {
  const files = new Map<string, Uint8Array>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const add = (bytes: Uint8Array, mediaType: string, extra: object = {}): Descriptor => {
    const digest = digestOf(bytes);
    files.set(`blobs/sha256/${digest.slice(7)}`, bytes);
    return {mediaType, digest, size: bytes.length, ...extra};
  };
  const json = (value: object, mediaType: string, extra: object = {}) =>
    add(Buffer.from(JSON.stringify(value)), mediaType, extra);
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const indexType = 'application/vnd.oci.image.index.v1+json';
  return {
    files,
    add,
    json,
    image({configuration, layers}: MadeImage, extra: object = {}, compress = true): Descriptor {
      return json(
        {
          schemaVersion: 2,
          mediaType: manifestType,
          config: add(configuration, 'application/vnd.oci.image.config.v1+json'),
          layers: layers.map((layer) =>
            add(compress ? gzipSync(layer) : layer, `application/vnd.oci.image.layer.v1.tar${compress ? '+gzip' : ''}`),
          ),
        },
        manifestType,
        extra,
      );
    },
    index: (manifests: readonly Descriptor[], extra: object = {}) =>
      json({schemaVersion: 2, mediaType: indexType, manifests}, indexType, extra),
    finish(manifests: readonly Descriptor[]): Map<string, Uint8Array> {
      files.set('index.json', Buffer.from(JSON.stringify({schemaVersion: 2, manifests})));
      return files;
    },
  };
}

export const named = (name: string) => ({annotations: {'io.containerd.image.name': name}});

/** The files of an archive, in its order; a directory has no content. */
export async function readArchive(source: AsyncIterable<Uint8Array>): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const tar = extract();
  tar.end(await bytesOf(source));
  for await (const entry of tar) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}
