import {open} from 'node:fs/promises';
import {join, posix} from 'node:path';
import type {Writable} from 'node:stream';
import {extract} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';
import {unlessAborted} from './abort.ts';
import {writeChunk} from './back-pressure.ts';
import type {BlobStore, StagedBlob} from './blobs.ts';
import {decompress, peek, sniffArchive} from './compression.ts';
import type {Lease} from './lease.ts';

/** The files of an image archive or layout, by their names in it. */
export interface ArchiveFiles {
  /** Undefined where there is none. The same name answers the same blob. */
  find(name: string): Promise<StagedBlob | undefined>;
}

/** A root file system given by mistake has more; an archive of a hundred images has fewer. */
const filesMax = 20_000;
const linksMax = 8;

/** Blobs staged for one load; those that are not kept are discarded at the end. */
export interface Staging extends AsyncDisposable {
  add(content: AsyncIterable<Uint8Array>): Promise<StagedBlob>;
  /** Each content once, however often it is named. */
  keep(blobs: readonly StagedBlob[]): Promise<void>;
  /** False for one that was kept: it has no temporary name any more. */
  isOpen(blob: StagedBlob): boolean;
}

export function createStaging(blobs: BlobStore, lease: Lease): Staging {
  const staged = new Set<StagedBlob>();
  return {
    async add(content) {
      const blob = await blobs.stage(content, lease);
      staged.add(blob);
      return blob;
    },
    async keep(wanted) {
      // What an image before had in common is kept already.
      const open = [...new Set(wanted)].filter((blob) => staged.has(blob));
      await blobs.keep(open, lease);
      for (const blob of open) staged.delete(blob);
    },
    isOpen: (blob) => staged.has(blob),
    async [Symbol.asyncDispose]() {
      await Promise.all([...staged].map((blob) => blobs.discard(blob)));
    },
  };
}

/** Reads a tar archive, compressed or not, into staged blobs. Throws `invalid`, `unsupported`. */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  staging: Staging,
  signal: AbortSignal,
): Promise<ArchiveFiles> {
  const {head, content} = await unlessAborted(peek(source, 8), signal);
  if (head.length === 0) throw new TscomposeError('invalid', 'the archive is empty');
  const files = new Map<string, StagedBlob>();
  const links = new Map<string, string>();
  const tar = extract();
  // A stream of streamx, whose types say less than it does.
  const feeding = feed(decompress(content, sniffArchive(head)), tar as unknown as Writable);
  const abort = () => tar.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, {once: true});
  try {
    for await (const entry of tar) {
      const name = cleanName(entry.header.name);
      if (entry.header.type === 'file') {
        if (files.size === filesMax) throw tooMany();
        files.set(name, await staging.add(contentOf(entry as unknown as AsyncIterable<Uint8Array>)));
      } else {
        // Archives of old Docker engines have links for layers that images share.
        const target = entry.header.linkname ?? '';
        if (entry.header.type === 'symlink') links.set(name, cleanName(posix.join(posix.dirname(name), target)));
        if (entry.header.type === 'link') links.set(name, cleanName(target));
        entry.resume();
      }
    }
  } catch (error) {
    tar.destroy(error as Error);
    // The source may never say another word: it is not waited for.
    feeding.catch(() => undefined);
    throw signal.aborted ? signal.reason : explain(error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  await feeding;
  return {
    async find(name) {
      let wanted = cleanName(name);
      for (let steps = 0; steps < linksMax && !files.has(wanted); steps++) {
        const target = links.get(wanted);
        if (target === undefined) return undefined;
        wanted = target;
      }
      return files.get(wanted);
    },
  };
}

/** A file of the archive; where it breaks off, the archive is at fault and not the place it is written to. */
async function* contentOf(entry: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* entry;
  } catch (error) {
    throw explain(error);
  }
}

/** Writes with back-pressure; what goes wrong with the source ends the reading. */
async function feed(source: AsyncIterable<Uint8Array>, tar: Writable): Promise<void> {
  try {
    for await (const chunk of source) if (!(await writeChunk(tar, chunk))) return;
    tar.end();
  } catch (error) {
    tar.destroy(error as Error);
  }
}

/** An OCI layout in a directory: files are copied as they are asked for. */
export function readDirectory(path: string, staging: Staging): ArchiveFiles {
  const found = new Map<string, Promise<StagedBlob | undefined>>();
  const read = async (name: string): Promise<StagedBlob | undefined> => {
    const file = await open(join(path, name), 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw new TscomposeError('forbidden', `cannot read ${join(path, name)}: ${error.message}`, {cause: error});
    });
    return file && (await staging.add(file.createReadStream({highWaterMark: 1024 * 1024})));
  };
  return {
    find(name) {
      const clean = cleanName(name);
      if (clean.startsWith('..')) return Promise.resolve(undefined);
      const known = found.get(clean) ?? read(clean);
      found.set(clean, known);
      return known;
    },
  };
}

function cleanName(name: string): string {
  return posix.normalize(name).replace(/^\/+|\/+$/g, '');
}

function tooMany(): TscomposeError {
  return new TscomposeError('invalid', `the archive has more than ${filesMax} files: it is not an image`, {
    hint: 'a root file system is read with "import"',
  });
}

/** tar-stream throws plain errors; what is damaged is the archive. */
function explain(error: unknown): unknown {
  if (error instanceof TscomposeError || !(error instanceof Error) || error.name === 'AbortError') return error;
  if (/^invalid tar header/i.test(error.message)) {
    return new TscomposeError('invalid', 'the archive is damaged, or it is no tar archive', {
      cause: error,
      hint: 'it may be compressed with gzip, bzip2, xz or zstd: decompress another one first',
    });
  }
  return new TscomposeError('invalid', `the archive is damaged: ${error.message.toLowerCase()}`, {cause: error});
}
