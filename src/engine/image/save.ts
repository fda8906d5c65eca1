import {TscomposeError} from '../../base/errors.ts';
import type {ImageContext} from './context.ts';
import {type SavedFile, writeArchive} from './save-archive.ts';
import {findSaved, type Saved} from './save-plan.ts';
import {openSession} from './session.ts';

export interface SaveOptions {
  /** `linux/arm64`: this platform of each image alone. */
  readonly platform?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Images as an archive that is both an OCI layout and what `docker load` reads, as Docker writes it since version 25: every
 * blob with the very bytes it came in. Throws `notFound`, also for a platform that an image has not, before anything is written.
 */
export async function saveImages(
  context: ImageContext,
  names: readonly string[],
  {platform, signal = new AbortController().signal}: SaveOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  if (names.length === 0) throw new TscomposeError('invalid', 'no image is named');
  await using session = await openSession(context);
  await findSaved(context, session, {names, platform});
  return write(context, {names, platform, signal});
}

/** What is found here stays until the last byte. */
async function* write(
  context: ImageContext,
  {
    signal,
    ...wanted
  }: {readonly names: readonly string[]; readonly platform: string | undefined; readonly signal: AbortSignal},
): AsyncGenerator<Uint8Array> {
  await using session = await openSession(context);
  yield* writeArchive(['blobs/', 'blobs/sha256/'], archiveFiles(await findSaved(context, session, wanted)), signal);
}

function jsonFile(name: string, value: unknown): SavedFile {
  const content = Buffer.from(JSON.stringify(value));
  return {name, size: content.length, content};
}

/** The files of an OCI layout. */
export function layoutFiles({blobs, index}: Saved): readonly SavedFile[] {
  const blobFiles = [...blobs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([digest, {size, content}]) => ({name: pathOf(digest), size, content}));
  return [
    ...blobFiles,
    jsonFile('index.json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: index,
    }),
    jsonFile('oci-layout', {imageLayoutVersion: '1.0.0'}),
  ];
}

/** The same, with what `docker load` read before there were layouts. */
export function archiveFiles(saved: Saved): readonly SavedFile[] {
  const {images} = saved;
  return [
    ...layoutFiles(saved),
    jsonFile(
      'manifest.json',
      images.map(({id, tags, layers}) => ({
        Config: pathOf(id),
        RepoTags: tags.length === 0 ? null : tags,
        Layers: layers.map(({digest}) => pathOf(digest)),
        LayerSources: Object.fromEntries(layers.map((layer) => [layer.diffId, {...layer, diffId: undefined}])),
      })),
    ),
    jsonFile('repositories', repositoriesOf(images)),
  ].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function pathOf(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** What the oldest readers look for: the topmost layer of each tag. */
function repositoriesOf(images: Saved['images']): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const {tags, layers} of images) {
    const top = layers.at(-1)?.digest.slice('sha256:'.length);
    if (top === undefined) continue;
    for (const name of tags) {
      const colon = name.lastIndexOf(':');
      const [repository, tag] = [name.slice(0, colon), name.slice(colon + 1)];
      repositories[repository] = {...repositories[repository], [tag]: top};
    }
  }
  return repositories;
}
