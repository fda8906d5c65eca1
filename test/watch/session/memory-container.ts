import {createHash} from 'node:crypto';
import {posix} from 'node:path';
import {Readable} from 'node:stream';
import {extract} from 'tar-stream';
import type {SyncedEntry} from '../../../src/api/types/sync.ts';
import type {WatchedContainer} from '../../../src/watch/session/containers.ts';
import type {FileSync} from '../../../src/watch/session/engine.ts';
import {syncArchive} from '../../../src/watch/session/sync-archive.ts';

/** The files of a container as an engine keeps them, and what is known to have been synced. */
export interface MemoryContainer {
  readonly container: WatchedContainer;
  readonly sync: FileSync;
  /** By absolute path: content, `-> target`, or `/` for a directory. */
  readonly files: Map<string, string>;
  /** How many archives came. */
  readonly archives: () => number;
  /** Thrown by the next sync, which then does nothing. */
  fail(error: Error): void;
}

export function memoryContainer(parts: Partial<WatchedContainer> = {}): MemoryContainer {
  const container: WatchedContainer = {
    id: 'c1',
    name: 'shop-api-1',
    service: 'api',
    createdAt: 0,
    binds: [],
    mounts: [],
    probed: false,
    running: true,
    ...parts,
  };
  const files = new Map<string, string>();
  const synced = new Map<string, SyncedEntry>();
  let archives = 0;
  let failure: Error | undefined;
  const remove = (path: string): void => {
    for (const map of [files, synced])
      for (const name of [...map.keys()]) if (name === path || name.startsWith(`${path}/`)) map.delete(name);
  };
  return {
    container,
    files,
    archives: () => archives,
    fail(error) {
      failure = error;
    },
    sync: {
      async sync(_id, changes) {
        if (failure !== undefined) {
          const error = failure;
          failure = undefined;
          throw error;
        }
        archives += 1;
        let [written, deleted] = [0, 0];
        for await (const {path, entry, content} of readArchive(syncArchive(changes))) {
          const name = posix.basename(path);
          if (name.startsWith('.wh.')) {
            remove(posix.join(posix.dirname(path), name.slice(4)));
            deleted += 1;
            continue;
          }
          if (files.has(path) && (files.get(path) === '/') !== (entry.kind === 'directory'))
            throw new Error(`another kind is in the way of ${path}`);
          files.set(path, content);
          synced.set(path, entry);
          written += 1;
        }
        return {written, deleted};
      },
      synced: async () => ({v: 1, files: Object.fromEntries(synced)}),
    },
  };
}

async function* readArchive(
  archive: AsyncIterable<Uint8Array>,
): AsyncGenerator<{readonly path: string; readonly entry: SyncedEntry; readonly content: string}> {
  const tar = Readable.from(archive).pipe(extract());
  for await (const item of tar) {
    const pieces: Buffer[] = [];
    for await (const piece of item as AsyncIterable<Buffer>) pieces.push(piece);
    const {name, type, mode = 0, linkname} = item.header;
    const path = posix.join('/', name).replace(/(.)\/$/, '$1');
    const bytes = Buffer.concat(pieces);
    if (type === 'directory') yield {path, entry: {kind: 'directory', mode}, content: '/'};
    else if (type === 'symlink') yield {path, entry: {kind: 'link', target: linkname ?? ''}, content: `-> ${linkname}`};
    else {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      yield {path, entry: {kind: 'file', sha256, size: bytes.length, mode}, content: bytes.toString()};
    }
  }
}
