import type {ImageDeleteItem} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import {collectGarbage, exclusively} from './collect.ts';
import type {ImageContext, ImageUser} from './context.ts';
import {type FoundImage, findImage} from './find.ts';
import {refuseHostReference} from './host-image.ts';
import {
  type ImageRecord,
  imagesOfName,
  listReferences,
  readImage,
  removeImageRecord,
  removeReference,
  writeReference,
} from './record.ts';
import {familiarReference, normaliseReference} from './reference.ts';

/**
 * Takes a name away, and with the last name the image. By id all names go. An image that containers use stays: only
 * with force it loses its names (moby daemon/images/image_delete.go). Throws `conflict`, `notFound`.
 */
export async function removeImage(context: ImageContext, text: string, force: boolean): Promise<ImageDeleteItem[]> {
  if (!text.startsWith('sha256:')) refuseHost(text);
  const {image, taken, gone} = await exclusively(context, () => takeAway(context, text, force));
  const removed: ImageDeleteItem[] = [];
  for (const name of taken) {
    removed.push({Untagged: familiarReference(name)});
    await context.events.append({type: 'image', action: 'untag', id: image.id, attributes: {name: image.id}});
  }
  if (gone.length === 0) return removed;
  return [...removed, ...(await deleteContent(context, gone))];
}

interface Taken {
  readonly image: ImageRecord;
  readonly taken: readonly string[];
  /** With the name's other platforms. */
  readonly gone: readonly ImageRecord[];
}

/** What was read is what is changed: nobody else changes records meanwhile. */
async function takeAway(context: ImageContext, text: string, force: boolean): Promise<Taken> {
  const {layout} = context;
  const found = await findImage(context, text);
  const {image} = found;
  const references = await listReferences(layout);
  const names = references.filter((reference) => reference.image === image.id);
  const taken = found.reference === undefined ? names : names.filter(({reference}) => reference === found.reference);
  const left = references.filter((reference) => !taken.includes(reference));
  const wanted = new Set(found.reference === undefined ? [image.id] : []);
  const candidates = [...new Set([image.id, ...taken.flatMap(imagesOfName)])];
  // By id, an image goes from the names too that it is another platform of.
  const unnamed = candidates.filter((id) => wanted.has(id) || !left.some((other) => imagesOfName(other).includes(id)));
  const users = new Map(await Promise.all(unnamed.map(async (id) => [id, await context.users(id)] as const)));
  check(
    found,
    names.map(({reference}) => reference),
    {users: [...users.values()].flat(), force},
  );
  for (const {reference} of taken) await removeReference(layout, reference);
  const goneIds = unnamed.filter((id) => users.get(id)?.length === 0);
  for (const other of left.filter(({others = []}) => others.some((id) => goneIds.includes(id))))
    await writeReference(layout, {...other, others: (other.others ?? []).filter((id) => !goneIds.includes(id))});
  const gone = (await Promise.all(goneIds.map((id) => readImage(layout, id)))).filter((record) => record !== undefined);
  for (const {id} of gone) await removeImageRecord(layout, id);
  return {image, taken: taken.map(({reference}) => reference), gone};
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
  {users, force}: {readonly users: readonly ImageUser[]; readonly force: boolean},
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

/** The records went first: what is left over after a kill belongs to nobody and goes with the next change. */
async function deleteContent(
  context: ImageContext,
  images: readonly ImageRecord[],
): Promise<readonly ImageDeleteItem[]> {
  const {layers: left} = await collectGarbage(context);
  const deleted: string[] = [];
  for (const {id, layers} of images) {
    await context.events.append({type: 'image', action: 'delete', id, attributes: {name: id}});
    const gone = layers.filter(({directory}) => !left.has(directory)).reverse();
    deleted.push(id, ...gone.map(({diffId}) => diffId));
  }
  return [...new Set(deleted)].map((Deleted) => ({Deleted}));
}
