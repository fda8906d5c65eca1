import {randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {link, lstat, lutimes, open, rename, symlink, unlink} from 'node:fs/promises';
import {posix} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {extract, type Header} from 'tar-stream';
import {TscomposeError} from '../../base/errors.ts';
import {type HeldDirectory, holdDirectory} from './held-directory.ts';
import type {CopyPlace} from './place.ts';

export interface LocalExtraction {
  /** What the archive calls what was asked for: the first part of every name in it. */
  readonly root: string;
  readonly place: CopyPlace;
  /** Called for what cannot be made here: devices and pipes. */
  readonly onSkipped: (name: string) => void;
}

/**
 * Unpacks what came from a container, which nobody should trust: every name has to begin with `root`, no link is followed
 * on the way to an entry, and set-user-ID bits are dropped, since all of it belongs to who runs this. A file is replaced as
 * a whole once its content is there; a directory and something else never take each other's place.
 */
export async function extractLocal(archive: AsyncIterable<Uint8Array>, extraction: LocalExtraction): Promise<void> {
  await using top = await holdDirectory(extraction.place.directory);
  await using parents = createFinder(top);
  await using targets = createFinder(top);
  const tar = extract();
  const feeding = pipeline(archive, tar as unknown as NodeJS.WritableStream);
  feeding.catch(() => undefined);
  const directories: Later[] = [];
  try {
    for await (const entry of tar) {
      const content = entry as unknown as AsyncIterable<Uint8Array>;
      await extractEntry({parents, targets}, extraction, {header: entry.header, content, directories});
      entry.resume();
    }
    await feeding;
    // The innermost first: a directory that is made read-only is not entered any more.
    for (const later of directories.reverse()) await finishDirectory(parents, later);
  } catch (error) {
    tar.destroy();
    // Where the archive itself broke off, that is the reason, not what it did to an entry.
    const cause = await feeding.then(
      () => error,
      (reason: unknown) => (reason instanceof TscomposeError ? reason : error),
    );
    throw explain(cause);
  }
}

interface Later {
  readonly path: readonly string[];
  readonly header: Header;
}

interface Entry {
  readonly header: Header;
  readonly content: AsyncIterable<Uint8Array>;
  readonly directories: Later[];
}

/** Of entries, and of what links among them lead to. */
interface Finders {
  readonly parents: Finder;
  readonly targets: Finder;
}

async function extractEntry({parents, targets}: Finders, extraction: LocalExtraction, entry: Entry): Promise<void> {
  const {header, content, directories} = entry;
  const path = pathOf(header.name, extraction);
  const name = path.at(-1);
  if (name === undefined) {
    if (header.type !== 'directory') throw refused(header.name, 'it has no name');
    return;
  }
  if (header.type === 'directory') {
    await parents.find(path, header.name);
    directories.push({path, header});
    return;
  }
  const parent = await parents.find(path.slice(0, -1), header.name);
  await refuseDirectory(parent, name, header.name);
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return writeFile(parent, name, header, content);
    case 'symlink':
      return replace(parent, name, async (temporary) => {
        await symlink(header.linkname ?? '', temporary);
        await lutimes(temporary, timeOf(header), timeOf(header));
      });
    case 'link':
      return linkAgain(targets, {parent, name, target: pathOf(header.linkname ?? '', extraction), entry: header.name});
    default:
      extraction.onSkipped(header.name);
  }
}

/** The components below the place. Throws `invalid` for a name that is not below what was asked for. */
function pathOf(name: string, {root, place}: LocalExtraction): readonly string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0')) throw refused(name, 'it leads out of the archive');
  const own = root === '.' || root === '/' ? [] : [root];
  if (own.some((part, at) => parts[at] !== part)) throw refused(name, `it does not belong to "${root}"`);
  return [...(place.name === '' ? [] : [place.name]), ...parts.slice(own.length)];
}

function refused(name: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `cannot unpack "${name}": ${reason}`);
}

/** Finds the directories of an archive's entries. One stays open, since most entries follow one of the same directory. */
interface Finder extends AsyncDisposable {
  /** Holds until the next call. */
  find(path: readonly string[], entry: string): Promise<HeldDirectory>;
}

function createFinder(top: HeldDirectory): Finder {
  let last: {readonly key: string; readonly directory: HeldDirectory} | undefined;
  const forget = async () => {
    const old = last;
    last = undefined;
    await old?.directory[Symbol.asyncDispose]();
  };
  return {
    async find(path, entry) {
      const key = path.join('/');
      if (last?.key === key) return last.directory;
      await forget();
      last = {key, directory: await openPath(top, path, entry)};
      return last.directory;
    },
    [Symbol.asyncDispose]: forget,
  };
}

/** Each directory is opened in the one before. */
async function openPath(top: HeldDirectory, path: readonly string[], entry: string): Promise<HeldDirectory> {
  let current = await top.open('.');
  for (const part of path) {
    const parent = current;
    try {
      current = await parent.open(part, {make: true});
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw refused(entry, `"${part}" is there already, and is no directory`);
    } finally {
      await parent[Symbol.asyncDispose]();
    }
  }
  return current;
}

async function refuseDirectory(parent: HeldDirectory, name: string, entry: string): Promise<void> {
  const status = await lstat(parent.at(name)).catch(() => undefined);
  if (status?.isDirectory()) throw refused(entry, 'there is a directory of that name already');
}

/** Makes something beside its place, then puts it there. */
async function replace(parent: HeldDirectory, name: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = parent.at(`.tscompose-cp-${randomBytes(6).toString('hex')}`);
  try {
    await make(temporary);
    await rename(temporary, parent.at(name));
    // Two names of the same file: the rename did nothing.
    await unlink(temporary).catch(() => undefined);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

const fileBits = 0o777;
const directoryBits = 0o1777;
const fileFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function writeFile(
  parent: HeldDirectory,
  name: string,
  header: Header,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  return replace(parent, name, async (temporary) => {
    await using file = await open(temporary, fileFlags, 0o600);
    for await (const piece of content) await file.writeFile(piece);
    await file.chmod((header.mode ?? 0) & fileBits);
    await file.utimes(timeOf(header), timeOf(header));
  });
}

interface Again {
  readonly parent: HeldDirectory;
  readonly name: string;
  readonly target: readonly string[];
  readonly entry: string;
}

/** To something that this archive, or an earlier one, put there: its directory is found the same way. */
async function linkAgain(targets: Finder, {parent, name, target, entry}: Again): Promise<void> {
  const first = target.at(-1);
  if (first === undefined) throw refused(entry, 'it is a link to nothing');
  const directory = await targets.find(target.slice(0, -1), entry);
  await replace(parent, name, (temporary) => link(directory.at(first), temporary));
}

async function finishDirectory(directories: Finder, {path, header}: Later): Promise<void> {
  const directory = await directories.find(path, header.name);
  await directory.handle.chmod((header.mode ?? 0o755) & directoryBits);
  await directory.handle.utimes(timeOf(header), timeOf(header));
}

function timeOf({mtime}: Header): Date {
  return mtime ?? new Date(0);
}

/** tar-stream throws plain errors. */
function explain(error: unknown): unknown {
  if (error instanceof TscomposeError || !(error instanceof Error) || error.name === 'AbortError') return error;
  const {code, path} = error as NodeJS.ErrnoException;
  if (code === undefined || code === 'STREAM_DESTROYED')
    return new TscomposeError('invalid', 'the archive is damaged, or it breaks off', {cause: error});
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new TscomposeError('forbidden', `cannot write "${posix.basename(path ?? '')}": permission denied`, {
      cause: error,
    });
  return error;
}
