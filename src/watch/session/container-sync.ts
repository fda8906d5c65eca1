import {existsSync} from 'node:fs';
import {posix} from 'node:path';
import type {SyncedEntry} from '../../api/types/sync.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {TreeEntry} from '../files/types.ts';
import type {WatchedContainer} from './containers.ts';
import type {FileSync} from './engine.ts';
import type {ServiceRule} from './rules.ts';
import {below, type ServiceFiles} from './service-files.ts';
import {type FileChange, isWhiteoutName} from './sync-archive.ts';

export interface SyncOutcome {
  readonly written: number;
  readonly deleted: number;
  /** Rules with files that are not as they were: synced just now, or there by a bind mount anyhow. */
  readonly changed: ReadonlySet<ServiceRule>;
}

/** A file went away after it was looked at and before it was read: there will be news of it. */
export class FileGone extends TscomposeError {}

/** Brings the files of one container to what this machine has. */
export interface ContainerSync {
  /** Of these paths what differs, as one archive: all of it or nothing. */
  apply(paths: ReadonlySet<string>, signal: AbortSignal): Promise<SyncOutcome>;
  /** Every path that may differ: what was synced once, what other containers of the service got, and the baseline. */
  everything(): Promise<ReadonlySet<string>>;
}

export interface ContainerSyncOptions {
  readonly container: WatchedContainer;
  readonly sync: FileSync;
  readonly files: () => ServiceFiles;
  /** Paths that any container of the service got or lost by watching; added to. */
  readonly touched: Set<string>;
}

export function createContainerSync({container, sync, files, touched}: ContainerSyncOptions): ContainerSync {
  let known: Map<string, SyncedEntry> | undefined;
  const load = async (): Promise<Map<string, SyncedEntry>> => {
    known ??= new Map(Object.entries((await sync.synced(container.id)).files));
    return known;
  };
  return {
    async everything() {
      const manifest = await load();
      const all = files();
      const ours = [...manifest.keys(), ...touched].filter((path) => all.ruleOf(path) !== undefined);
      return new Set([...ours, ...(await all.baseline(container.createdAt))]);
    },
    async apply(paths, signal) {
      const manifest = await load();
      const {changes, rules} = await planChanges({paths, manifest, files: files(), container});
      if (changes.length === 0) return {written: 0, deleted: 0, changed: rules};
      for (const {path} of changes) touched.add(path);
      try {
        await sync.sync(container.id, changes, signal);
      } catch (error) {
        const gone = changes.find((change) => change.kind === 'put' && isGone(change));
        if (gone?.kind !== 'put') throw error;
        throw new FileGone('conflict', `"${gone.source}" went away while it was read`, {cause: error});
      }
      remember(manifest, changes);
      return {
        written: changes.filter((change) => change.kind === 'put' && change.entry.kind !== 'directory').length,
        deleted: changes.filter(({kind}) => kind === 'delete').length,
        changed: rules,
      };
    },
  };
}

function isGone({source, entry}: FileChange & {readonly kind: 'put'}): boolean {
  return entry.kind === 'file' && !existsSync(source);
}

/** Whether the path is one of the machine's own, seen through a bind mount: there is nothing to bring. */
export function isBound(binds: readonly string[], path: string): boolean {
  return binds.some((bind) => below(bind, path) !== undefined);
}

interface Planning {
  readonly paths: ReadonlySet<string>;
  readonly manifest: ReadonlyMap<string, SyncedEntry>;
  readonly files: ServiceFiles;
  readonly container: Pick<WatchedContainer, 'binds' | 'mounts'>;
}

async function planChanges({paths, manifest, files, container}: Planning): Promise<{
  readonly changes: readonly FileChange[];
  readonly rules: ReadonlySet<ServiceRule>;
}> {
  const changes: FileChange[] = [];
  const rules = new Set<ServiceRule>();
  const deleted = new Set<string>();
  const {binds, mounts} = container;
  const remove = (path: string): void => {
    // What is in a deleted directory goes with it.
    if (hasAncestor(deleted, path)) return;
    // A place where something is mounted is the container's own, and so are the directories on the way to it.
    if (mounts.some((mount) => below(path, mount) !== undefined)) return;
    deleted.add(path);
    changes.push({kind: 'delete', path});
  };
  // A directory comes before what is in it.
  for (const path of [...paths].sort()) {
    const rule = files.ruleOf(path);
    if (rule === undefined || isWhiteoutName(path)) continue;
    if (isBound(binds, path)) {
      rules.add(rule);
      continue;
    }
    const wanted = files.wanted(path);
    if (wanted === undefined) {
      rules.add(rule);
      remove(path);
      continue;
    }
    const entry = await withDigest(wanted.entry, () => wanted.rule.tree.digest(wanted.relative));
    const before = manifest.get(path);
    if (entry === undefined || isSame(entry, before)) continue;
    if (entry.kind === 'directory' && mounts.includes(path)) continue;
    if (before !== undefined && before.kind !== entry.kind) remove(path);
    rules.add(rule);
    changes.push({kind: 'put', path, source: wanted.source, entry});
  }
  return {changes, rules};
}

function hasAncestor(paths: ReadonlySet<string>, path: string): boolean {
  for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) if (paths.has(at)) return true;
  return false;
}

/** Undefined for a file that is gone since it was looked at: there will be news of it. */
async function withDigest(entry: TreeEntry, digest: () => Promise<string | undefined>): Promise<TreeEntry | undefined> {
  if (entry.kind !== 'file') return entry;
  const value = await digest();
  return value === undefined ? undefined : {...entry, digest: value};
}

function isSame(entry: TreeEntry, before: SyncedEntry | undefined): boolean {
  switch (entry.kind) {
    case 'file':
      return before?.kind === 'file' && before.sha256 === entry.digest && before.mode === entry.mode;
    case 'link':
      return before?.kind === 'link' && before.target === entry.target;
    case 'directory':
      return before?.kind === 'directory' && before.mode === entry.mode;
  }
}

function remember(manifest: Map<string, SyncedEntry>, changes: readonly FileChange[]): void {
  for (const change of changes) {
    if (change.kind === 'put') continue;
    for (const path of manifest.keys()) if (below(change.path, path) !== undefined) manifest.delete(path);
  }
  for (const change of changes) {
    if (change.kind === 'put') manifest.set(change.path, toSynced(change.entry));
  }
}

function toSynced(entry: TreeEntry): SyncedEntry {
  switch (entry.kind) {
    case 'file':
      return {kind: 'file', sha256: entry.digest ?? '', size: entry.identity.size, mode: entry.mode};
    case 'link':
      return {kind: 'link', target: entry.target};
    case 'directory':
      return {kind: 'directory', mode: entry.mode};
  }
}
