import {randomBytes} from 'node:crypto';
import {closeSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {ContainerChange} from '../../api/types/archive.ts';
import type {ContainerConfig} from '../../api/types/container.ts';
import type {CommitOptions} from '../engine.ts';
import {familiarReference, normaliseReference} from '../image/reference.ts';
import {temporaryPrefix} from '../record-store.ts';
import {explainFiles} from './archive.ts';
import {containerChanges} from './changes.ts';
import {whilePaused} from './commit-pause.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {mergeImageConfig} from './image-config.ts';
import {openContainerFiles} from './in-container-files.ts';
import {findContainer} from './reference.ts';

/**
 * Makes an image of a container: its own with a layer of what changed, without what is mounted. Answers the image's id.
 * Throws `notFound`, `invalid`, `unsupported` for a container of the built-in image.
 */
export async function commitContainer(
  context: ContainerContext,
  reference: string,
  options: CommitOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<{readonly Id: string}> {
  const {id, name, record} = await findContainer(context.layout, reference);
  const {repository, tag, comment = '', author = '', pause = true, changes = [], config} = options;
  const request = {
    base: record.image.id,
    config: isEmpty(config) ? record.config : mergeImageConfig(config, record.config),
    changes,
    createdBy: (record.config.Cmd ?? []).join(' '),
    comment,
    author,
    ...(repository === undefined ? {} : {repository}),
    ...(tag === undefined ? {} : {tag}),
  };
  context.images.checkCommit(request);
  const commit = async () => {
    const layer = readLayer(context, id, await containerChanges(context, id, signal), signal);
    const imageID = await context.images.commit(request, layer, signal);
    const imageRef = repository ? familiarReference(normaliseReference(tag ? `${repository}:${tag}` : repository)) : '';
    await publishContainerEvent(context, record, name, 'commit', {comment, imageID, imageRef});
    return {Id: imageID};
  };
  return pause ? await whilePaused(context, id, commit) : await commit();
}

function isEmpty(config: ContainerConfig | undefined): config is undefined {
  return config === undefined || Object.keys(config).length === 0;
}

const letters = ['C', 'A', 'D'] as const;

/** Sorted by path: a directory comes before what is in it. */
async function* readLayer(
  context: ContainerContext,
  id: string,
  changes: readonly ContainerChange[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const list = writeList(context.layout.container(id).directory, changes);
  try {
    const {output} = await openContainerFiles(context, id, (place) => ({kind: 'fileLayer', ...place}), {
      signal,
      input: list,
    });
    yield* output;
  } catch (error) {
    throw explainFiles(error, `cannot commit container "${id}"`);
  } finally {
    closeSync(list);
  }
}

/** A file without a name: it goes with this process, however that ends. */
function writeList(directory: string, changes: readonly ContainerChange[]): number {
  const path = join(directory, `${temporaryPrefix}changes-${randomBytes(8).toString('hex')}`);
  writeWhole(path, changes.map(({Kind, Path}) => `${letters[Kind]}${Path}\0`).join(''));
  const list = openSync(path, 'r');
  rmSync(path);
  return list;
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } finally {
    closeSync(file);
  }
}
