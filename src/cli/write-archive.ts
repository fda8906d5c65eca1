import {randomUUID} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {open, realpath, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {TscomposeError} from '../base/errors.ts';
import type {CliContext} from './context.ts';
import {wrongUse} from './wrong-use.ts';

/** Throws where the archive would go to a terminal. */
export function checkOutput({stdout}: CliContext, output: string | undefined): void {
  if (output !== undefined || stdout.isTTY !== true) return;
  throw wrongUse('an archive is not written to a terminal', 'name a file with -o, or redirect the output');
}

/** To a file, or to standard output. */
export async function writeArchive(
  {cwd, stdout}: CliContext,
  output: string | undefined,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (output === undefined) await writeAll(stdout, archive);
  else await writeTo(resolve(cwd, output), archive);
}

async function writeAll(stdout: CliContext['stdout'], archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of archive) {
    if (!stdout.write(chunk)) await new Promise<void>((drained) => stdout.once('drain', drained));
  }
}

/** What is no file (`/dev/null`, a pipe) is written to, and never replaced by one. A link stays a link. */
async function writeTo(path: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => undefined);
  if (found === undefined || found.isFile()) return await writeFile(target, archive);
  try {
    await pipeline(archive, createWriteStream(target));
  } catch (error) {
    throw error instanceof TscomposeError ? error : explain(error as NodeJS.ErrnoException, path);
  }
}

/** The file is there whole or not at all. */
async function writeFile(path: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  const explained = <T>(work: Promise<T>): Promise<T> => work.catch((error) => Promise.reject(explain(error, path)));
  try {
    const file = await explained(open(temporary, 'wx', 0o644));
    try {
      for await (const chunk of archive) await explained(file.writeFile(chunk));
    } finally {
      await file.close();
    }
    await explained(rename(temporary, path));
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
}

function explain(error: NodeJS.ErrnoException, path: string): TscomposeError {
  const reasons: Readonly<Record<string, readonly ['exhausted' | 'forbidden' | 'notFound' | 'invalid', string]>> = {
    ENOSPC: ['exhausted', 'no space left on the disk'],
    EDQUOT: ['exhausted', 'no space left on the disk'],
    EACCES: ['forbidden', 'permission denied'],
    EROFS: ['forbidden', 'the file system is read-only'],
    ENOENT: ['notFound', 'its directory does not exist'],
    EISDIR: ['invalid', 'it is a directory'],
  };
  const [kind, reason] = reasons[error.code ?? ''] ?? (['invalid', error.message] as const);
  return new TscomposeError(kind, `cannot write ${path}: ${reason}`, {cause: error});
}
