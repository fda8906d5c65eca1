import {join} from 'node:path';
import {sameIdentity} from './entry.ts';
import type {Delete, HostTree, Manifest, Put, TreeChanges, TreeEntry} from './types.ts';

/**
 * What has to be done so that a container that is known to hold `known` holds what the tree holds. A file is put only if
 * its content, mode or kind differs: new times alone are nothing. `paths`: look at these only.
 */
export async function diffTree(tree: HostTree, known: Manifest, paths?: Iterable<string>): Promise<TreeChanges> {
  const manifest = tree.manifest();
  const puts: Put[] = [];
  for (const path of paths === undefined ? [...manifest.keys()] : new Set(paths)) {
    const entry = manifest.get(path);
    if (entry === undefined) continue;
    const wanted = await differing(tree, path, entry, known.get(path));
    if (wanted !== undefined) puts.push({path, source: join(tree.root.path, path), entry: wanted});
  }
  const deletes: Delete[] = [];
  for (const path of paths === undefined ? known.keys() : new Set(paths)) {
    const was = known.get(path);
    if (was === undefined) continue;
    const is = manifest.get(path);
    // What the rule leaves out by now is no longer our business; it has not been deleted.
    if (is === undefined ? tree.root.filter.includes(path) : is.kind !== was.kind) deletes.push({path, kind: was.kind});
  }
  return {puts: puts.sort(byPath), deletes: deletes.sort(byPath).reverse()};
}

/** A directory before what is in it. */
function byPath(one: {readonly path: string}, other: {readonly path: string}): number {
  return one.path < other.path ? -1 : one.path > other.path ? 1 : 0;
}

/** The entry to put; undefined: nothing, or it is gone by now and the next look will see that. */
async function differing(
  tree: HostTree,
  path: string,
  entry: TreeEntry,
  known: TreeEntry | undefined,
): Promise<TreeEntry | undefined> {
  if (entry.kind === 'link') return known?.kind === 'link' && known.target === entry.target ? undefined : entry;
  if (entry.kind === 'directory') return known?.kind === 'directory' && known.mode === entry.mode ? undefined : entry;
  const before = known?.kind === 'file' ? known : undefined;
  if (before !== undefined && before.mode === entry.mode) {
    if (entry.digest !== undefined && entry.digest === before.digest) return undefined;
    const unread = entry.digest === undefined || before.digest === undefined;
    if (unread && sameIdentity(entry.identity, before.identity)) return undefined;
  }
  const digest = await tree.digest(path);
  const now = tree.manifest().get(path);
  if (digest === undefined || now?.kind !== 'file') return undefined;
  return before !== undefined && before.digest === digest && before.mode === now.mode ? undefined : {...now, digest};
}

/** What is known of the container when the changes have been applied to it. */
export function knownAfter(known: Manifest, {puts, deletes}: TreeChanges): Manifest {
  const after = new Map(known);
  for (const {path} of deletes) after.delete(path);
  for (const {path, entry} of puts) after.set(path, entry);
  return after;
}
