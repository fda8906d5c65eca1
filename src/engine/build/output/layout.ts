import {createWriteStream} from 'node:fs';
import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {TscomposeError} from '../../../base/errors.ts';
import {isObject, parseJson} from '../../image/configuration.ts';
import {familiarReference, parseReference} from '../../image/reference.ts';
import {archiveFiles, layoutFiles} from '../../image/save.ts';
import {type SavedFile, writeArchive} from '../../image/save-archive.ts';
import type {Saved} from '../../image/save-plan.ts';
import type {ContentSession} from '../../image/session.ts';
import type {ImageTree} from './image-tree.ts';

export interface LayoutOptions {
  readonly kind: 'oci' | 'docker';
  readonly path: string;
  readonly directory: boolean;
  /** Normalised. */
  readonly references: readonly string[];
  /** When the image was made; RFC 3339. */
  readonly created: string;
  readonly signal: AbortSignal;
}

/** Writes an image as an OCI layout; `docker`: as an archive that is also what `docker load` has always read. */
export async function writeLayout(session: ContentSession, tree: ImageTree, options: LayoutOptions): Promise<void> {
  const saved = await savedOf(session, tree, options);
  if (options.directory) return await writeDirectory(layoutFiles(saved), options);
  const files = options.kind === 'docker' ? archiveFiles(saved) : layoutFiles(saved);
  const archive = writeArchive(['blobs/', 'blobs/sha256/'], files, options.signal);
  await pipeline(archive, createWriteStream(options.path, {mode: 0o644}), {signal: options.signal}).catch((error) =>
    Promise.reject(explain(error, options.path)),
  );
}

async function savedOf(session: ContentSession, tree: ImageTree, options: LayoutOptions): Promise<Saved> {
  const blobs = new Map<string, Saved['blobs'] extends ReadonlyMap<string, infer B> ? B : never>();
  for (const digest of tree.blobs) {
    const content = await session.find(digest);
    if (content?.size === undefined) throw new TscomposeError('internal', `blob ${digest} is gone`);
    blobs.set(digest, {size: content.size, content});
  }
  const tags = options.references.map(familiarReference);
  return {
    blobs,
    index: entriesOf(tree, options),
    images: tree.images.map(({id, layers}) => ({
      ...{id, tags},
      layers: layers.map(({diffId, archive}) => ({diffId, ...archive})),
    })),
  };
}

/** One for each name, as containerd reads them. */
function entriesOf({root}: ImageTree, {references, created}: LayoutOptions): readonly object[] {
  const time = {'org.opencontainers.image.created': created};
  if (references.length === 0) return [{...root, annotations: {...root.annotations, ...time}}];
  return references.map((reference) => {
    const {tag} = parseReference(reference);
    const name = {'io.containerd.image.name': reference};
    const short = tag === undefined ? {} : {'org.opencontainers.image.ref.name': tag};
    return {...root, annotations: {...root.annotations, ...name, ...time, ...short}};
  });
}

/** Beside what is there: other images of the layout stay. */
async function writeDirectory(files: readonly SavedFile[], {path, signal}: LayoutOptions): Promise<void> {
  try {
    await mkdir(join(path, 'blobs', 'sha256'), {recursive: true});
    for (const {name, content} of files) {
      const bytes = name === 'index.json' ? await mergedIndex(join(path, name), content as Uint8Array) : content;
      const target = join(path, name);
      const partial = `${target}.part`;
      if (bytes instanceof Uint8Array) await writeFile(partial, bytes);
      else await pipeline(bytes.read(signal), createWriteStream(partial), {signal});
      await rename(partial, target).catch(async (error) => {
        await rm(partial, {force: true});
        throw error;
      });
    }
  } catch (error) {
    throw explain(error, path);
  }
}

/** A name stands for one image; what has no name is told apart by its digest. */
async function mergedIndex(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const existing = await readFile(path).catch(() => undefined);
  if (existing === undefined) return bytes;
  const own = parseJson(bytes, 'index.json');
  const [before, now] = [parseJson(existing, path)['manifests'], own['manifests']].map((list) =>
    Array.isArray(list) ? list.filter(isObject) : [],
  );
  const keyOf = (entry: Readonly<Record<string, unknown>>): unknown => {
    const annotations = isObject(entry['annotations']) ? entry['annotations'] : {};
    return annotations['io.containerd.image.name'] ?? entry['digest'];
  };
  const merged = new Map([...(before ?? []), ...(now ?? [])].map((entry) => [keyOf(entry), entry]));
  return Buffer.from(JSON.stringify({...own, manifests: [...merged.values()]}));
}

function explain(error: unknown, path: string): unknown {
  const {code, message} = error as NodeJS.ErrnoException;
  if (error instanceof TscomposeError || code === undefined || code === 'ABORT_ERR') return error;
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'exhausted' : 'forbidden';
  return new TscomposeError(kind, `cannot write ${path}: ${message}`, {cause: error});
}
