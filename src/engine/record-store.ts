import {randomUUID} from 'node:crypto';
import {closeSync, fdatasync, fsync, openSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import {mkdir, rename, rm} from './at-once.ts';
import type {Validator} from './generated/record-validators.js';

/** Prefix of directories and files that are not finished yet, or are being removed. */
export const temporaryPrefix = '.tmp-';

/**
 * The record at `path`, or undefined where there is none. `validate` comes from `generated/record-validators.js`, which
 * is made from `schemas/record`. Throws `internal` for a damaged one.
 */
export async function readRecord<T>(path: string, validate: Validator): Promise<T | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parseRecord<T>(text, path, validate);
}

/** The text of a file, or undefined where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    // Not by the thread pool: for a small file its four trips cost ten times what the reading does.
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new TscomposeError('forbidden', `cannot read ${path}: permission denied`, {
        hint: 'run tscompose as the user who owns its root',
        cause: error,
      });
    }
    throw toTscomposeError(error, `cannot read ${path}`);
  }
}

export function parseRecord<T>(text: string, path: string, validate: Validator): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'it is not JSON', error);
  }
  if (!validate(value)) {
    const problem = validate.errors?.[0];
    const place = problem?.instancePath ? `${problem.instancePath} ` : '';
    throw damaged(path, `${place}${problem?.message ?? 'does not fit its schema'}`);
  }
  return value as T;
}

function damaged(path: string, problem: string, cause?: unknown): TscomposeError {
  return new TscomposeError('internal', `the record ${path} is damaged: ${problem}`, {
    hint: `put back a copy of it, or give up what it describes: rm -r ${basename(path) === 'config.json' ? dirname(path) : path}`,
    ...(cause !== undefined && {cause}),
  });
}

/**
 * Writes a record beside its place and renames it: readers see the old one or the new one. Keys of the value that this
 * version does not know are written as they are: pass on what was read. `sync`: survives a power loss.
 */
export async function writeRecord(
  path: string,
  value: unknown,
  options: {readonly sync?: boolean} = {},
): Promise<void> {
  await writeFileAtomically(path, textOf(value), options);
}

/** Whether writing it would change nothing. */
export async function hasContent(path: string, value: unknown): Promise<boolean> {
  return (await readText(path).catch(() => undefined)) === textOf(value);
}

function textOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** As {@link writeRecord}, for any content. `mode` is 0600 where not given. */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: {readonly sync?: boolean; readonly mode?: number} = {},
): Promise<void> {
  const temporary = join(dirname(path), `${temporaryPrefix}${basename(path)}-${randomUUID()}`);
  try {
    await writeNewFile(temporary, content, options);
    renameSync(temporary, path);
    if (options.sync) await syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, {force: true});
    throw explainWrite(error, path);
  }
}

/** What is not synced stays in memory: as with reading, to wait for it costs more than to do it. */
async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  {sync = false, mode = 0o600}: {readonly sync?: boolean; readonly mode?: number},
): Promise<void> {
  if (!sync) {
    writeFileSync(path, content, {flag: 'wx', mode});
    return;
  }
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, content);
    await promisify(fdatasync)(file);
  } finally {
    closeSync(file);
  }
}

/** Makes what was created or renamed in a directory survive a power loss. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = openSync(path, 'r');
  try {
    await promisify(fsync)(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Makes the directory `parent/name` whole or not at all: `fill` gets a directory under a temporary name, which is then
 * renamed. Throws `conflict` when `parent/name` exists.
 */
export async function makeDirectoryWhole(
  parent: string,
  name: string,
  fill: (directory: string) => Promise<void>,
  options: {readonly sync?: boolean} = {},
): Promise<void> {
  const temporary = join(parent, `${temporaryPrefix}${name}-${randomUUID()}`);
  const path = join(parent, name);
  try {
    await mkdir(temporary, {mode: 0o700});
    await fill(temporary);
    if (options.sync) await syncDirectory(temporary);
    await rename(temporary, path);
    if (options.sync) await syncDirectory(parent);
  } catch (error) {
    await rm(temporary, {recursive: true, force: true});
    const code = (error as NodeJS.ErrnoException).code;
    // rename(2): a directory only takes the place of an empty one.
    if (code === 'ENOTEMPTY' || code === 'EEXIST')
      throw new TscomposeError('conflict', `${path} exists already`, {cause: error});
    throw explainWrite(error, path);
  }
}

function explainWrite(error: unknown, path: string): TscomposeError {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TscomposeError('exhausted', `cannot write ${path}: no space left on the disk`, {cause: error});
    case 'EMFILE':
    case 'ENFILE':
      return new TscomposeError('exhausted', `cannot write ${path}: too many open files`, {cause: error});
    case 'EACCES':
    case 'EPERM':
      return new TscomposeError('forbidden', `cannot write ${path}: permission denied`, {
        hint: 'run tscompose as the user who owns its root',
        cause: error,
      });
    default:
      return toTscomposeError(error, `cannot write ${path}`);
  }
}
