import type {Stats} from 'node:fs';
import type {FileIdentity, TreeEntry} from './types.ts';

/** Undefined: neither file nor directory. `before` itself where nothing changed: trees are large, and looked at often. */
export function entryOf(stats: Stats, before?: TreeEntry): TreeEntry | undefined {
  const mode = stats.mode & 0o7777;
  if (stats.isFile()) {
    const same = before?.kind === 'file' && before.mode === mode && sameIdentity(before.identity, stats);
    return same ? before : {kind: 'file', mode, identity: identityOf(stats)};
  }
  if (!stats.isDirectory()) return undefined;
  return before?.kind === 'directory' && before.mode === mode ? before : {kind: 'directory', mode};
}

export function identityOf({size, mtimeMs, ctimeMs, ino}: Stats): FileIdentity {
  return {size, mtimeMs, ctimeMs, ino};
}

export function sameIdentity(one: FileIdentity, other: FileIdentity): boolean {
  return (
    one.size === other.size && one.mtimeMs === other.mtimeMs && one.ctimeMs === other.ctimeMs && one.ino === other.ino
  );
}

/** Whether two looks saw the same thing: by content where both have been read, else by what tells it without reading. */
export function sameEntry(one: TreeEntry | undefined, other: TreeEntry): boolean {
  if (one?.kind === 'file' && other.kind === 'file') {
    if (one.mode !== other.mode) return false;
    return one.digest !== undefined && other.digest !== undefined
      ? one.digest === other.digest
      : sameIdentity(one.identity, other.identity);
  }
  if (one?.kind === 'directory' && other.kind === 'directory') return one.mode === other.mode;
  return one?.kind === 'link' && other.kind === 'link' && one.target === other.target;
}
