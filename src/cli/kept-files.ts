import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';

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
 * Puts a file into the directory, as a whole. False where others can write there; throws where there is no room, no
 * permission, or another process with this number was killed at it.
 */
export function keepFile(directory: string, name: string, data: string | Buffer): boolean {
  if (!isOurs(lstatSync(directory))) return false;
  const temporary = join(directory, `.${name}-${process.pid}`);
  writeFileSync(temporary, data, {mode: 0o600, flag: 'wx'});
  renameSync(temporary, join(directory, name));
  return true;
}

/** What is kept is as powerful as the program that made it: only what nobody else can have written is taken. */
function isOurs({uid, mode}: Stats): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}
