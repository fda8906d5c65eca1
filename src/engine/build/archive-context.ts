import {closeSync, openSync, rmSync, writeSync} from 'node:fs';
import {join, posix} from 'node:path';
import type {BuildBody, DockerfileText} from '../../api/types/build.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {readOpened} from '../../base/regular-file.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import {decompress, peek, sniffCompression} from '../image/compression.ts';
import type {BuildWork} from './context.ts';
import {openScratch, rootOperations, type Scratch} from './snapshot.ts';
import {contextRoot} from './source/context-tree.ts';
import {openContextFile} from './source/open-file.ts';

/** A context that came as an archive, unpacked. */
export interface ArchiveContext extends AsyncDisposable {
  readonly files: Pick<BuildBody, 'context' | 'dockerfile'>;
}

/** Names that lead out of the archive are refused; everything belongs to root. Throws `invalid`, `notFound`. */
export async function openArchiveContext(
  context: BuildWork,
  archive: AsyncIterable<Uint8Array>,
  {dockerfile, signal}: {readonly dockerfile: string; readonly signal: AbortSignal},
): Promise<ArchiveContext> {
  const scratch = await openScratch(context);
  try {
    await unpackContext(context, scratch, {archive, signal});
    const root = contextRoot(scratch.upper);
    return {
      // What is ignored was left out by whoever made the archive.
      files: {context: root, dockerfile: readContextDockerfile(root, dockerfile, 'the archive')},
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

const headLength = 6;

export async function unpackContext(
  context: BuildWork,
  scratch: Pick<Scratch, 'upper' | 'work'>,
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal: AbortSignal},
): Promise<void> {
  const spool = join(scratch.work, 'context.tar');
  const file = openSync(spool, 'wx+', 0o600);
  rmSync(spool);
  try {
    const {head, content} = await peek(archive, headLength);
    if (head.length === 0) throw new TscomposeError('invalid', 'the request has no archive');
    for await (const chunk of decompress(content, sniffCompression(head))) {
      signal.throwIfAborted();
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
    }
    const operations = await rootOperations(context, [], scratch);
    const place = {pid: 0, monitor: 0, operations, archive: '/proc/self/fd/0', directory: '/'};
    const extraction = {typed: false, owned: true, user: '0:0'};
    const {helper} = context.images;
    const {output} = await startFilesProcess(
      helper,
      {kind: 'fileExtract', ...place, ...extraction},
      {signal, input: file},
    );
    for await (const _ of output);
  } finally {
    closeSync(file);
  }
}

/** The text of a Dockerfile beneath the real path of a context. Throws `notFound`, `invalid` for what is no file. */
export function readContextDockerfile(root: string, dockerfile: string, context: string): DockerfileText {
  const text = read(root, posix.resolve('/', dockerfile).slice(1), context);
  if (text !== undefined) return {text, shown: dockerfile};
  throw new TscomposeError('notFound', `${context} has no "${dockerfile}"`, {
    hint: 'name the Dockerfile that it has',
  });
}

/** Bytes that a Dockerfile may have. */
const most = 4 * 1024 * 1024;

/** Undefined where there is none; a link is none. Throws `invalid` for what is no file. */
function read(root: string, path: string, context: string): string | undefined {
  let file: number | undefined;
  try {
    file = openContextFile(root, path);
    return readOpened(file, {shown: `"${path}" of ${context}`, most}).toString('utf8');
  } catch (error) {
    if (hasKind(error, 'conflict')) return undefined;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
