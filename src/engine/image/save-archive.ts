import {createHash} from 'node:crypto';
import type {Readable, Writable} from 'node:stream';
import {pack} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';
import {unlessAborted} from './abort.ts';
import {writeChunk} from './back-pressure.ts';
import type {BlobSource} from './blob-source.ts';

/** A file of an archive that is written. */
export interface SavedFile {
  readonly name: string;
  readonly size: number;
  /** Bytes that are at hand, or a blob whose digest is checked on the way. */
  readonly content: Uint8Array | BlobSource;
}

/** The same files make the same bytes: no times, no owners. Throws `internal` for a blob that is not what its digest says. */
export async function* writeArchive(
  directories: readonly string[],
  files: readonly SavedFile[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const tar = pack();
  const plain = {mtime: new Date(0), uid: 0, gid: 0};
  const write = async () => {
    for (const name of directories) tar.entry({...plain, name, type: 'directory', mode: 0o755});
    for (const {name, size, content} of files) {
      signal.throwIfAborted();
      // A stream of streamx, whose types say less than it does.
      const entry = tar.entry({...plain, name, size, mode: 0o644}) as unknown as Writable;
      await fill(entry, content, {size, signal});
    }
    tar.finalize();
  };
  const writing = write().catch((error) => tar.destroy(error as Error));
  const abort = () => tar.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, {once: true});
  try {
    yield* tar as unknown as Readable;
  } finally {
    signal.removeEventListener('abort', abort);
    tar.destroy();
    await writing;
  }
}

async function fill(
  entry: Writable,
  content: SavedFile['content'],
  {size, signal}: {readonly size: number; readonly signal: AbortSignal},
): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    entry.on('close', resolve);
    entry.on('error', reject);
  });
  closed.catch(() => undefined);
  if (content instanceof Uint8Array) await writeChunk(entry, content);
  else await copy(entry, content, {size, signal});
  entry.end();
  await unlessAborted(closed, signal);
}

async function copy(
  entry: Writable,
  blob: BlobSource,
  {size, signal}: {readonly size: number; readonly signal: AbortSignal},
): Promise<void> {
  const hash = createHash('sha256');
  let written = 0;
  for await (const chunk of blob.read(signal)) {
    written += chunk.length;
    if (written > size) break;
    hash.update(chunk);
    if (!(await writeChunk(entry, chunk))) throw new TscomposeError('canceled', 'nobody reads the archive any more');
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found === blob.digest) return;
  throw new TscomposeError('internal', `blob ${blob.digest} is damaged: its content is ${found}`, {
    hint: 'see what else is with "tscompose engine fsck"',
  });
}
