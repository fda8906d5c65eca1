import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {rm} from '../at-once.ts';
import type {BuildContext} from './context.ts';
import {listReceived, receivedNames, receivedPaths} from './received-records.ts';

type Where = Pick<BuildContext, 'images'>;

/** Removes what a client sent. Answers whether it was removed: what a build uses or receives is not. */
export async function dropReceived({images}: Where, name: string): Promise<boolean> {
  const {helper, layout} = images;
  const paths = receivedPaths(layout, name);
  await using making = await helper.tryLock(paths.making);
  if (making === undefined) return false;
  await using lock = await helper.tryLock(paths.lock);
  if (lock === undefined) return false;
  await rm(paths.record, {force: true});
  await helper.request({kind: 'removeTree', root: layout.build.received, path: name});
  await rm(digestsPath({images}, paths.data), {force: true});
  // Whoever waits for one of them sees that the file is gone, and makes a new one.
  await rm(paths.lock, {force: true});
  await rm(paths.making, {force: true});
  return true;
}

/** What is known of the files of a context, by its real path. */
export function digestsPath({images}: Where, root: string): string {
  return join(images.layout.build.contexts, sha256Hex(root).slice(0, 32));
}

/** Lets go of what was not used for longest, until no more than so many bytes are kept; and of what another boot left. */
export async function shrinkReceived(context: Where, most: number): Promise<void> {
  const kept = [...(await listReceived(context))].sort((a, b) => a.usedMs - b.usedMs);
  const whole = new Set(kept.map(({name}) => name));
  for (const name of await receivedNames(context)) if (!whole.has(name)) await dropReceived(context, name);
  let total = kept.reduce((sum, {bytes}) => sum + bytes, 0);
  for (const {name, bytes} of kept) {
    if (total <= most) return;
    if (await dropReceived(context, name)) total -= bytes;
  }
}
