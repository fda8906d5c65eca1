import type {Stats} from 'node:fs';
import type {FileIdentity, TreeEntry} from './types.ts';

/** Undefined: neither file nor directory. */
export function entryOf(stats: Stats): TreeEntry | undefined {
  const mode = stats.mode & 0o7777;
  if (stats.isFile()) return {kind: 'file', mode, identity: identityOf(stats)};
  return stats.isDirectory() ? {kind: 'directory', mode} : undefined;
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
