import {closeSync, openSync, writeSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {BuildBody} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import type {BuildWork} from './context.ts';
import {lowersOf, openScratch, rootOperations, type Snapshot} from './snapshot.ts';

export type FilesOutput = NonNullable<BuildBody['output']>;

/** Writes the files that were built, without making an image of them. `local`: into a directory, beside what is there. */
export async function exportFiles(
  context: BuildWork,
  {snapshot, output, scratch}: {readonly snapshot: Snapshot; readonly output: FilesOutput; readonly scratch: string},
  signal: AbortSignal,
): Promise<void> {
  const archive = output.kind === 'tar' ? output.path : join(scratch, 'files.tar');
  await writeArchive(context, {snapshot, path: archive}, signal);
  if (output.kind === 'tar') return;
  await mkdir(output.path, {recursive: true});
  await unpackArchive(context, {archive, directory: output.path}, signal);
}

async function writeArchive(
  context: BuildWork,
  {snapshot, path}: {readonly snapshot: Snapshot; readonly path: string},
  signal: AbortSignal,
): Promise<void> {
  await using scratch = await openScratch(context);
  const operations = await rootOperations(context, lowersOf(context, snapshot), scratch);
  const place = {pid: 0, monitor: 0, operations};
  const file = open(path);
  try {
    const {output} = await startFilesProcess(context.images.helper, {kind: 'fileExport', ...place}, {signal});
    for await (const chunk of output) for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o644);
  } catch (cause) {
    throw new TscomposeError('forbidden', `cannot write ${path}: ${(cause as Error).message}`, {cause});
  }
}

/** Everything belongs to whoever builds. */
async function unpackArchive(
  context: BuildWork,
  {archive, directory}: {readonly archive: string; readonly directory: string},
  signal: AbortSignal,
): Promise<void> {
  await using scratch = await openScratch(context);
  const operations = await rootOperations(context, [], {upper: directory, work: scratch.work});
  const input = openSync(archive, 'r');
  try {
    const place = {pid: 0, monitor: 0, operations, archive: '/proc/self/fd/0', directory: '/'};
    const extraction = {typed: false, owned: true, user: '0:0'};
    const {helper} = context.images;
    const {output} = await startFilesProcess(helper, {kind: 'fileExtract', ...place, ...extraction}, {signal, input});
    for await (const _ of output);
  } finally {
    closeSync(input);
  }
}
