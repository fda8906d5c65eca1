import {randomUUID} from 'node:crypto';
import {existsSync} from 'node:fs';
import {dirname} from 'node:path';
import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import {link, lstat, mkdir, readFile, rm, stat, writeFile} from './at-once.ts';
import type {Layout} from './layout.ts';

/** The layout on disk that this program writes, and the oldest program that can read it. */
const format = {version: 1, minReader: 1} as const;

/** Makes the directories of a root (0700) and checks its format. Throws `forbidden` without permission, `unsupported` for a newer format. */
export async function ensureRoot(layout: Layout): Promise<void> {
  const isRunning = (path: string) => path.startsWith(`${layout.run}/`);
  // The format comes before the directories: nothing is put into a root that a newer program made differently.
  if (await checkFormat(layout)) {
    // An earlier version made the root without these.
    if (!existsSync(layout.images.pins)) await makeDirectories(layout.directories.filter((path) => !isRunning(path)));
    await makeDirectories([layout.run]);
    await checkPrivate(layout.run);
    await makeDirectories(layout.directories.filter(isRunning));
    return;
  }
  await makeDirectories(layout.directories.filter((path) => !isRunning(path)));
  await checkPrivate(layout.run);
  await makeDirectories(layout.directories);
  await writeFormat(layout);
  await checkFormat(layout);
}

/** Throws for a root that this program cannot read; false where there is none yet. */
export async function checkFormat(layout: Layout): Promise<boolean> {
  const text = await readFile(layout.format, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw explain(error, error.code === 'ENOTDIR' ? layout.root : layout.format);
  });
  if (text === undefined) return false;
  const {version, minReader} = parseFormat(text, layout.format);
  if (minReader > format.version) {
    throw new TscomposeError(
      'unsupported',
      `the root ${layout.root} has format ${version}, made by a newer tscompose: this one reads up to ${format.version}`,
      {
        hint: 'update tscompose, or choose another root with --root',
      },
    );
  }
  return true;
}

function parseFormat(text: string, path: string): {readonly version: number; readonly minReader: number} {
  try {
    const value = JSON.parse(text) as {readonly version?: unknown; readonly minReader?: unknown};
    if (Number.isInteger(value.version) && Number.isInteger(value.minReader)) {
      return {version: value.version as number, minReader: value.minReader as number};
    }
  } catch {
    // Answered below, together with a value of another shape.
  }
  throw new TscomposeError('internal', `${path} is damaged: it should hold {"version":1,"minReader":1}`);
}

/** Directories are given parents first. */
async function makeDirectories(directories: readonly string[]): Promise<void> {
  for (const path of directories) {
    try {
      await mkdir(path, {recursive: true, mode: 0o700});
    } catch (error) {
      throw explain(await reasonOf(path, error as NodeJS.ErrnoException), path);
    }
  }
}

/** Whoever else could write there, or put another directory in its place, would be asked for sockets and told what runs. */
async function checkPrivate(path: string): Promise<void> {
  const own = process.geteuid?.();
  const [link, directory] = await Promise.all([lstat(path), stat(path)]);
  const stranger = [link, directory].find(({uid}) => uid !== own)?.uid;
  const reason =
    stranger !== undefined
      ? `it belongs to user ${stranger}`
      : (directory.mode & 0o022) !== 0
        ? 'others may write there'
        : undefined;
  if (reason === undefined) return;
  throw new TscomposeError('forbidden', `cannot use ${path} for state of running containers: ${reason}`, {
    hint: 'set XDG_RUNTIME_DIR (or TSCOMPOSE_RUN) to a directory that is yours alone (mode 0700)',
  });
}

/** Node says ENOENT of a whole path where its first missing part cannot be made, whatever the reason. */
async function reasonOf(path: string, error: NodeJS.ErrnoException): Promise<NodeJS.ErrnoException> {
  if (error.code !== 'ENOENT') return error;
  if (path !== dirname(path) && !existsSync(dirname(path))) return reasonOf(dirname(path), error);
  return await mkdir(path, {mode: 0o700}).then(
    () => error,
    (reason: NodeJS.ErrnoException) => reason,
  );
}

/** By link(2): of several processes that make a root at once, one writes the file. */
async function writeFormat(layout: Layout): Promise<void> {
  const temporary = `${layout.format}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${JSON.stringify(format)}\n`, {mode: 0o600, flush: true});
    await link(temporary, layout.format);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw explain(error as NodeJS.ErrnoException, layout.format);
  } finally {
    await rm(temporary, {force: true});
  }
}

function explain(error: NodeJS.ErrnoException, path: string): TscomposeError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new TscomposeError('forbidden', `cannot use ${path}: permission denied`, {
      hint: 'choose another root with --root or TSCOMPOSE_ROOT, or run tscompose as root (sudo tscompose …)',
      cause: error,
    });
  }
  if (error.code === 'EROFS') {
    return new TscomposeError('forbidden', `cannot use ${path}: the file system is read-only`, {
      hint: 'choose another root with --root or TSCOMPOSE_ROOT',
      cause: error,
    });
  }
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return new TscomposeError('exhausted', `cannot use ${path}: no space left on the disk`, {cause: error});
  }
  if (error.code === 'ENOTDIR' || error.code === 'EEXIST') {
    return new TscomposeError('invalid', `cannot use ${path}: it is not a directory`, {
      hint: 'choose another root with --root or TSCOMPOSE_ROOT',
      cause: error,
    });
  }
  return toTscomposeError(error, `cannot use ${path}`);
}
