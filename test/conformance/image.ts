import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {Readable} from 'node:stream';
import {extract, pack} from 'tar-stream';
import {imageArchive} from '../support/test-images.ts';

/** The archive of the busybox image under another name, so that no image of the engine's own is replaced. */
export function taggedArchive(reference: string): AsyncIterable<Uint8Array> {
  return rewrite((name, content) => {
    if (name !== 'manifest.json') return content;
    const [image] = JSON.parse(content.toString()) as [Record<string, unknown>];
    return Buffer.from(JSON.stringify([{...image, RepoTags: [reference]}]));
  });
}

/** The archive of an image whose layers (lowest first) are what the tars say. */
export async function* layeredArchive(reference: string, layers: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const digest = (layer: Uint8Array) => createHash('sha256').update(layer).digest('hex');
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {Cmd: ['true']},
    rootfs: {type: 'layers', diff_ids: layers.map((layer) => `sha256:${digest(layer)}`)},
  };
  const Layers = layers.map((layer) => `${digest(layer)}/layer.tar`);
  const archive = pack();
  archive.entry({name: 'config.json'}, JSON.stringify(config));
  for (const [index, layer] of layers.entries()) archive.entry({name: Layers[index] ?? ''}, Buffer.from(layer));
  archive.entry({name: 'manifest.json'}, JSON.stringify([{Config: 'config.json', RepoTags: [reference], Layers}]));
  archive.finalize();
  yield* Readable.from(archive);
}

/** The tar of the busybox image's only layer. */
export async function rootFileSystem(): Promise<Uint8Array> {
  const files = await readArchive();
  const manifest = files.get('manifest.json')?.toString() ?? '[]';
  const [image] = JSON.parse(manifest) as [{readonly Layers: readonly [string]}];
  const layer = files.get(image.Layers[0]);
  if (layer === undefined) throw new Error(`the busybox archive has no ${image.Layers[0]}`);
  return layer;
}

async function* rewrite(change: (name: string, content: Buffer) => Buffer): AsyncGenerator<Uint8Array> {
  const archive = pack();
  for (const [name, content] of await readArchive()) archive.entry({name}, change(name, content));
  archive.finalize();
  yield* Readable.from(archive);
}

async function readArchive(): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = createReadStream(imageArchive('busybox')).pipe(extract());
  for await (const entry of entries) {
    const pieces: Buffer[] = [];
    for await (const piece of entry as AsyncIterable<Buffer>) pieces.push(piece);
    files.set(entry.header.name, Buffer.concat(pieces));
  }
  return files;
}
