import {createHash} from 'node:crypto';
import {closeSync, openSync, writeSync} from 'node:fs';
import {posix} from 'node:path';
import type {Writable} from 'node:stream';
import {extract, type Header} from 'tar-stream';
import type {SyncedEntry} from '../../api/types/sync.ts';
import {TscomposeError} from '../../base/errors.ts';
import {writeChunk} from '../image/back-pressure.ts';
import type {SyncedChange} from './synced-state.ts';

/**
 * Writes an archive to the empty file `spool` and answers what it changes below `base`. The whole of it is there before
 * anything is done with it, and it is read as a container's enemy would have written it only by the helper: here it is
 * only listed. Throws `invalid` for one that is damaged or breaks off.
 */
export async function receiveArchive(
  source: AsyncIterable<Uint8Array>,
  {spool, base, signal}: {readonly spool: string; readonly base: string; readonly signal?: AbortSignal | undefined},
): Promise<readonly SyncedChange[]> {
  const tar = extract();
  const changes: SyncedChange[] = [];
  const file = openSync(spool, 'w', 0o600);
  const abort = () => tar.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', abort, {once: true});
  try {
    signal?.throwIfAborted();
    // A stream of streamx, whose types say less than it does.
    const feeding = feed(source, tar as unknown as Writable, file);
    feeding.catch(() => undefined);
    for await (const entry of tar) {
      changes.push(await changeOf(entry.header, entry as unknown as AsyncIterable<Uint8Array>, base));
    }
    await feeding;
    return changes;
  } catch (error) {
    tar.destroy(error as Error);
    if (signal?.aborted === true) throw new TscomposeError('canceled', 'the sync was canceled', {cause: error});
    throw explain(error);
  } finally {
    signal?.removeEventListener('abort', abort);
    closeSync(file);
  }
}

/** Writes with back-pressure; what goes wrong with the source ends the reading. */
async function feed(source: AsyncIterable<Uint8Array>, tar: Writable, file: number): Promise<void> {
  try {
    for await (const chunk of source) {
      if (tar.destroyed) return;
      // Not by the thread pool: it goes to memory, which takes less than the way there.
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      if (!(await writeChunk(tar, chunk))) return;
    }
    tar.end();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

const whiteoutPrefix = '.wh.';

async function changeOf(header: Header, content: AsyncIterable<Uint8Array>, base: string): Promise<SyncedChange> {
  const path = posix.join('/', base, header.name).replace(/(.)\/+$/, '$1');
  const name = posix.basename(path);
  const {sha256, size} = await digest(content);
  if (name.startsWith(whiteoutPrefix))
    return [posix.join(posix.dirname(path), name.slice(whiteoutPrefix.length)), null];
  return [path, entryOf(header, sha256, size)];
}

function entryOf({type, linkname, mode = 0}: Header, sha256: string, size: number): SyncedEntry {
  const bits = mode & 0o7777;
  if (type === 'directory') return {kind: 'directory', mode: bits};
  if (type === 'symlink') return {kind: 'link', target: linkname ?? ''};
  return {kind: 'file', sha256, size, mode: bits};
}

async function digest(content: AsyncIterable<Uint8Array>): Promise<{readonly sha256: string; readonly size: number}> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
  }
  return {sha256: hash.digest('hex'), size};
}

/** tar-stream throws plain errors, and so does a full disk. */
function explain(error: unknown): unknown {
  if (error instanceof TscomposeError || !(error instanceof Error) || error.name === 'AbortError') return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TscomposeError('exhausted', 'no space left for the archive on the disk of the engine', {cause: error});
  return new TscomposeError('invalid', `the archive is damaged: ${error.message.toLowerCase()}`, {cause: error});
}
