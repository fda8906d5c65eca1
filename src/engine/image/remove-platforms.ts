import type {ImageDeleteItem} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import {collectGarbage, exclusively} from './collect.ts';
import type {ImageContext} from './context.ts';
import {formatPlatform, type Platform} from './platform.ts';
import {findPlatform, readIndexEntries} from './platforms.ts';
import {providePlatform} from './provide-platform.ts';
import {imagesOfName, listReferences, type ReferenceRecord, removeImageRecord, writeReference} from './record.ts';
import {familiarReference} from './reference.ts';
import {removeImage} from './remove.ts';

/**
 * Takes platforms from a name, which stands for the others further on; with the last one the name goes. Throws `notFound` for
 * a platform that is not here, `conflict` for one that containers use.
 */
export async function removePlatforms(
  context: ImageContext,
  text: string,
  {platforms, force}: {readonly platforms: readonly Platform[]; readonly force: boolean},
): Promise<ImageDeleteItem[]> {
  const removed: ImageDeleteItem[] = [];
  const unique = new Map(platforms.map((platform) => [formatPlatform(platform), platform]));
  for (const platform of unique.values()) removed.push(...(await removePlatform(context, text, {platform, force})));
  return removed;
}

async function removePlatform(
  context: ImageContext,
  text: string,
  {platform, force}: {readonly platform: Platform; readonly force: boolean},
): Promise<readonly ImageDeleteItem[]> {
  const take = () => exclusively(context, () => takePlatform(context, text, platform));
  const taken = (await take()) ?? ((await provideOther(context, text, platform)) ? await take() : undefined);
  if (taken === undefined) return await removeImage(context, text, force);
  const {layers: left} = await collectGarbage(context, {forgotten: taken.manifest});
  const {id, layers, isGone} = taken;
  if (!isGone) return [];
  await context.events.append({type: 'image', action: 'delete', id, attributes: {name: id}});
  const gone = layers.filter(({directory}) => !left.has(directory)).reverse();
  return [id, ...new Set(gone.map(({diffId}) => diffId))].map((Deleted) => ({Deleted}));
}

/** Unpacks one that came along beside it and was never asked for, so that the name has something to stand for. */
async function provideOther(context: ImageContext, text: string, platform: Platform): Promise<boolean> {
  const {image, record} = await findPlatform(context, text, platform);
  if (record?.target === undefined) return false;
  const entries = await readIndexEntries(context, record.target);
  const other = entries.find(
    ({kind, isHere, blobs, platform: its}) => kind === 'image' && isHere && its && blobs?.[0]?.digest !== image.id,
  );
  if (other?.platform === undefined) return false;
  const {id} = await providePlatform(context, text, other.platform);
  return id !== image.id;
}

/** Undefined where it is all that the name has: then the name goes. */
async function takePlatform(context: ImageContext, text: string, platform: Platform) {
  const {image, isUnpacked, record} = await findPlatform(context, text, platform);
  const rest = record && imagesOfName(record).filter((id) => id !== image.id);
  const [next, ...others] = rest ?? [];
  if (record === undefined || next === undefined) return undefined;
  const {id, manifest, layers} = image;
  // Of one that was not unpacked only its manifest is known by an id.
  if (!isUnpacked) return {id: manifest ?? id, manifest, layers: [], isGone: true};
  const isShared = (await listReferences(context.layout)).some(
    (other) => other.reference !== record.reference && imagesOfName(other).includes(id),
  );
  if (!isShared) await refuseUsed(context, id, record);
  await writeReference(context.layout, {...record, image: next, others});
  if (!isShared) await removeImageRecord(context.layout, id);
  return {id, manifest: isShared ? undefined : manifest, layers, isGone: !isShared};
}

/** Not by force either: nothing would name it any more. */
async function refuseUsed(context: ImageContext, id: string, {reference}: ReferenceRecord): Promise<void> {
  const users = await context.users(id);
  const user = users.find(({running}) => running) ?? users[0];
  if (user === undefined) return;
  const state = user.running ? 'running' : 'stopped';
  throw new TscomposeError(
    'conflict',
    `cannot remove a platform of "${familiarReference(reference)}": ${state} container ${user.id.slice(0, 12)} uses it`,
    {hint: 'remove the container first'},
  );
}
