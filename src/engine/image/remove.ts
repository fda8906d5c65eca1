import type {ImageDeleteItem} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import {collectGarbage, exclusively} from './collect.ts';
import type {ImageContext, ImageUser} from './context.ts';
import {type FoundImage, findImage} from './find.ts';
import {refuseHostReference} from './host-image.ts';
import {type ImageRecord, listReferences, removeImageRecord, removeReference} from './record.ts';
import {familiarReference, normaliseReference} from './reference.ts';

/**
 * Takes a name away, and with the last name the image. By id all names go. An image that containers use stays: only
 * with force it loses its names (moby daemon/images/image_delete.go). Throws `conflict`, `notFound`.
 */
export async function removeImage(context: ImageContext, text: string, force: boolean): Promise<ImageDeleteItem[]> {
  if (!text.startsWith('sha256:')) refuseHost(text);
  const {image, taken, isGone} = await exclusively(context, () => takeAway(context, text, force));
  const removed: ImageDeleteItem[] = [];
  for (const name of taken) {
    removed.push({Untagged: familiarReference(name)});
    await context.events.append({type: 'image', action: 'untag', id: image.id, attributes: {name: image.id}});
  }
  if (!isGone) return removed;
  return [...removed, ...(await deleteContent(context, image))];
}

interface Taken {
  readonly image: ImageRecord;
  readonly taken: readonly string[];
  readonly isGone: boolean;
}

/** What was read is what is changed: nobody else changes records meanwhile. */
async function takeAway(context: ImageContext, text: string, force: boolean): Promise<Taken> {
  const found = await findImage(context, text);
  const {image} = found;
  const names = (await listReferences(context.layout))
    .filter((reference) => reference.image === image.id)
    .map(({reference}) => reference);
  const taken = found.reference === undefined ? names : [found.reference];
  const isLast = taken.length === names.length;
  const users = isLast ? await context.users(image.id) : [];
  check(found, names, users, force);
  for (const name of taken) await removeReference(context.layout, name);
  const isGone = isLast && users.length === 0;
  if (isGone) await removeImageRecord(context.layout, image.id);
  return {image, taken, isGone};
}

function refuseHost(text: string): void {
  try {
    refuseHostReference(normaliseReference(text));
  } catch (error) {
    // A text that is no name may be the start of an id.
    if (error instanceof TscomposeError && error.kind === 'conflict') throw error;
  }
}

function check(
  {image, reference}: FoundImage,
  names: readonly string[],
  users: readonly ImageUser[],
  force: boolean,
): void {
  const short = image.id.slice('sha256:'.length, 'sha256:'.length + 12);
  if (reference === undefined && !force && names.length > 1) {
    throw new TscomposeError(
      'conflict',
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  const user = users.find(({running}) => running) ?? users[0];
  if (user === undefined) return;
  const container = user.id.slice(0, 12);
  if (reference !== undefined && !force) {
    throw new TscomposeError(
      'conflict',
      `conflict: unable to remove repository reference "${familiarReference(reference)}" (must force) - container ${container} is using its referenced image ${short}`,
    );
  }
  if (reference === undefined && (user.running || !force)) {
    const [how, state] = user.running ? ['cannot be forced', 'running'] : ['must be forced', 'stopped'];
    throw new TscomposeError(
      'conflict',
      `conflict: unable to delete ${short} (${how}) - image is being used by ${state} container ${container}`,
    );
  }
}

/** The record went first: what is left over after a kill belongs to nobody and goes with the next change. */
async function deleteContent(context: ImageContext, image: ImageRecord): Promise<readonly ImageDeleteItem[]> {
  const {layers: left} = await collectGarbage(context);
  await context.events.append({type: 'image', action: 'delete', id: image.id, attributes: {name: image.id}});
  const gone = image.layers.filter(({directory}) => !left.has(directory)).reverse();
  return [image.id, ...new Set(gone.map(({diffId}) => diffId))].map((Deleted) => ({Deleted}));
}
