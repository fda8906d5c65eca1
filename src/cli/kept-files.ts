import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';

/** Where this user keeps what can be made again; undefined where there is no such place. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const home = env['XDG_CACHE_HOME'] || (env['HOME'] && join(env['HOME'], '.cache'));
  return home?.startsWith('/') ? join(home, 'tscompose') : undefined;
}

/** Reads a kept file. Undefined where there is none, it cannot be read, or anybody else may have written it. */
export function readKept(directory: string, name: string): Buffer | undefined {
  let file: number | undefined;
  try {
    if (!isOurs(lstatSync(directory))) return undefined;
    file = openSync(join(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW);
    const info = fstatSync(file);
    return info.isFile() && isOurs(info) ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Makes a directory for kept files where it is missing. Answers whether it did. Throws where there is no room or no permission,
 * and below somebody else's directory: of root with the home of another user, nothing is to be left there that this one
 * could not write any more.
 */
export function makeKept(directory: string): boolean {
  const {uid} = statSync(nearest(directory));
  if (uid !== process.geteuid?.() && uid !== 0) throw new Error(`${directory} would be in another user's directory`);
  return mkdirSync(directory, {recursive: true, mode: 0o700}) !== undefined;
}

/** The directory itself, or the closest one above it that is there. */
function nearest(directory: string): string {
  const found = lstatSync(directory, {throwIfNoEntry: false});
  return found === undefined ? nearest(dirname(directory)) : directory;
}

/**
 * Puts a file into the directory, as a whole. False where others can write there; throws where there is no room or no
 * permission.
 */
export function keepFile(directory: string, name: string, data: string | Buffer): boolean {
  if (!isOurs(lstatSync(directory))) return false;
  // Of several processes one may have the same number: in containers that share a home.
  const temporary = join(directory, `.${name}-${process.pid}-${process.hrtime.bigint().toString(36)}`);
  writeFileSync(temporary, data, {mode: 0o600, flag: 'wx'});
  renameSync(temporary, join(directory, name));
  return true;
}

/** What is kept is as powerful as the program that made it: only what nobody else can have written is taken. */
function isOurs({uid, mode}: Stats): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}
