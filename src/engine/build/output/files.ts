import {closeSync, openSync, writeSync} from 'node:fs';
import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {BuildOutput} from '../../../api/types/build-output.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {anyTime} from '../../helper/file-operations.ts';
import {startFilesProcess} from '../../helper/files-process.ts';
import type {BuildWork} from '../context.ts';
import {lowersOf, openScratch, rootOperations, type Scratch, type Snapshot} from '../snapshot.ts';

/** The files of one platform. */
export interface PlatformFiles {
  readonly snapshot: Snapshot;
  /** A directory for them beneath the output; undefined: right in it. */
  readonly directory: string | undefined;
}

export interface FilesOptions {
  readonly output: Extract<BuildOutput, {readonly kind: 'tar' | 'local'}>;
  /** SOURCE_DATE_EPOCH: the time of everything. */
  readonly epoch: number | undefined;
  /** A directory for what is written on the way. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Writes the files that were built, without making an image of them. `local`: into a directory, beside what is there. */
export async function exportFiles(
  context: BuildWork,
  platforms: readonly PlatformFiles[],
  options: FilesOptions,
): Promise<void> {
  const {output} = options;
  const [only, ...more] = platforms;
  if (output.kind === 'tar') {
    if (only !== undefined && more.length === 0 && only.directory === undefined)
      return await writeArchive(context, {lowers: lowersOf(context, only.snapshot), path: output.path}, options);
    return await writeTogether(context, platforms, options);
  }
  for (const {snapshot, directory} of platforms) {
    const target = directory === undefined ? output.path : join(output.path, directory);
    await mkdir(target, {recursive: true});
    await passed(context, snapshot, options, (archive) =>
      // Everything belongs to whoever builds.
      unpackArchive(context, {archive, upper: target, directory: '/', owned: true}, options),
    );
  }
}

/** Each platform in a directory of its own. */
async function writeTogether(
  context: BuildWork,
  platforms: readonly PlatformFiles[],
  options: FilesOptions,
): Promise<void> {
  await using together = await openScratch(context);
  for (const {snapshot, directory = '.'} of platforms) {
    await mkdir(join(together.upper, directory), {recursive: true});
    await passed(context, snapshot, options, (archive) =>
      unpackArchive(context, {archive, upper: together.upper, directory: `/${directory}`, owned: false}, options),
    );
  }
  await writeArchive(context, {lowers: [together.upper], path: options.output.path}, options);
}

/** Files on their way from one tree to another. */
async function passed(
  context: BuildWork,
  snapshot: Snapshot,
  options: FilesOptions,
  take: (archive: string) => Promise<void>,
): Promise<void> {
  const archive = join(options.scratch, 'files.tar');
  await writeArchive(context, {lowers: lowersOf(context, snapshot), path: archive}, options);
  await take(archive);
  await rm(archive);
}

async function writeArchive(
  context: BuildWork,
  {lowers, path}: {readonly lowers: readonly string[]; readonly path: string},
  {epoch, signal}: FilesOptions,
): Promise<void> {
  await using scratch = await openScratch(context);
  const place = {pid: 0, monitor: 0, operations: await rootOperations(context, lowers, scratch)};
  const times = epoch === undefined ? anyTime : {earliest: epoch, latest: epoch};
  const file = open(path);
  try {
    const request = {kind: 'fileExport', ...place, ...times} as const;
    const {output} = await startFilesProcess(context.images.helper, request, {signal});
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

interface Unpacking extends Pick<Scratch, 'upper'> {
  readonly archive: string;
  readonly directory: string;
  readonly owned: boolean;
}

async function unpackArchive(
  context: BuildWork,
  {archive, upper, directory, owned}: Unpacking,
  {signal}: FilesOptions,
): Promise<void> {
  await using scratch = await openScratch(context);
  const operations = await rootOperations(context, [], {upper, work: scratch.work});
  const input = openSync(archive, 'r');
  try {
    const place = {pid: 0, monitor: 0, operations, archive: '/proc/self/fd/0', directory};
    const extraction = {typed: false, owned, user: owned ? '0:0' : ''};
    const {helper} = context.images;
    const {output} = await startFilesProcess(helper, {kind: 'fileExtract', ...place, ...extraction}, {signal, input});
    for await (const _ of output);
  } finally {
    closeSync(input);
  }
}
