import {closeSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {explainFiles} from '../container/archive.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import type {LayerRecord} from '../image/record.ts';
import {openArchive, type SpooledArchive} from './archive-source.ts';
import type {BuildWork} from './context.ts';
import {copyList, type Selection} from './copy-plan.ts';
import {lowersOf, openScratch, rootOperations, type Scratch, type Snapshot} from './snapshot.ts';
import type {SourceTree} from './source/tree.ts';
import type {CopyStep, DirectoryStep} from './steps.ts';

export interface SelectedCopy {
  readonly tree: SourceTree;
  readonly selections: readonly Selection[];
  /** Archives are unpacked. */
  readonly unpack?: boolean;
}

interface Below {
  readonly below: Snapshot;
  readonly signal: AbortSignal;
}

/** Copies what was selected upon the layers below; of `--link` without looking at these. */
export async function copyFiles(
  context: BuildWork,
  step: CopyStep,
  copies: readonly SelectedCopy[],
  {below, signal}: Below,
): Promise<LayerRecord> {
  await using scratch = await openScratch(context);
  const upon = {below: step.link ? [] : below, signal};
  for (const copy of copies) {
    const one = {step, copies: [copy]};
    await (copy.unpack ? addFiles(context, scratch, one, upon) : fillScratch(context, scratch, one, upon));
  }
  return await scratch.keep(signal);
}

/** As `fillScratch`, but what is an archive is unpacked into the target. */
async function addFiles(context: BuildWork, scratch: Scratch, {step, copies}: Filling, upon: Below): Promise<void> {
  for (const {tree, selections} of copies) {
    for (const selection of selections) {
      await using archive = await openArchive(scratch.work, tree, selection);
      if (archive === undefined) {
        await fillScratch(context, scratch, {step, copies: [{tree, selections: [selection]}]}, upon);
      } else await unpack(context, scratch, {step, archive}, upon);
    }
  }
}

async function unpack(
  context: BuildWork,
  scratch: Scratch,
  {step, archive}: {readonly step: Filling['step']; readonly archive: SpooledArchive},
  {below, signal}: Below,
): Promise<void> {
  const lowers = lowersOf(context, below);
  const request = {source: '', owner: step.owner, lowers: []};
  await apply(context, scratch, {lowers, request, list: ['p', step.target, '755', ''].join('\0')}, signal);
  const place = {pid: 0, monitor: 0, operations: await rootOperations(context, lowers, scratch)};
  const extraction = {typed: false, owned: step.owner !== '', user: step.owner};
  try {
    const process = await startFilesProcess(
      context.images.helper,
      {kind: 'fileExtract', ...place, archive: '/proc/self/fd/0', directory: step.target, ...extraction},
      {signal, input: archive.file},
    );
    for await (const _ of process.output);
  } catch (error) {
    throw explainFiles(error, 'cannot unpack');
  }
}

interface Filling {
  readonly step: Pick<CopyStep, 'target' | 'chmod' | 'owner'>;
  readonly copies: readonly SelectedCopy[];
}

/** The same into a directory that becomes no layer. */
export async function fillScratch(
  context: BuildWork,
  scratch: Scratch,
  {
    step,
    copies,
  }: {readonly step: Pick<CopyStep, 'target' | 'chmod' | 'owner'>; readonly copies: readonly SelectedCopy[]},
  {below, signal}: Below,
): Promise<void> {
  const lowers = lowersOf(context, below);
  for (const {tree, selections} of copies) {
    if (selections.length === 0) continue;
    const source = 'directory' in tree.place ? tree.place : {directory: ''};
    const layers = 'lowers' in tree.place ? tree.place.lowers : [];
    const request = {source: source.directory, owner: step.owner, lowers: layers};
    await apply(context, scratch, {lowers, request, list: copyList(selections, step)}, signal);
  }
}

/** Makes a directory where there is none. */
export async function makeDirectory(
  context: BuildWork,
  step: DirectoryStep,
  {below, signal}: {readonly below: Snapshot; readonly signal: AbortSignal},
): Promise<LayerRecord> {
  await using scratch = await openScratch(context);
  const request = {source: '', owner: step.owner, lowers: []};
  await apply(
    context,
    scratch,
    {lowers: lowersOf(context, below), request, list: ['p', step.path, '755', ''].join('\0')},
    signal,
  );
  return await scratch.keep(signal);
}

interface Copying {
  readonly lowers: readonly string[];
  readonly request: {readonly source: string; readonly owner: string; readonly lowers: readonly string[]};
  readonly list: string;
}

async function apply(
  context: BuildWork,
  scratch: Scratch,
  {lowers, request, list}: Copying,
  signal: AbortSignal,
): Promise<void> {
  const operations = await rootOperations(context, lowers, scratch);
  const input = writeList(scratch.work, list);
  try {
    const place = {pid: 0, monitor: 0, operations};
    const process = await startFilesProcess(
      context.images.helper,
      {kind: 'fileCopy', ...place, ...request},
      {signal, input},
    );
    for await (const _ of process.output);
  } catch (error) {
    throw explainFiles(error, 'cannot copy');
  } finally {
    closeSync(input);
  }
}

/** A file without a name: it goes with this process, however that ends. */
function writeList(directory: string, list: string): number {
  const path = join(directory, 'list');
  const bytes = Buffer.from(list);
  const file = openSync(path, 'wx', 0o600);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  closeSync(file);
  const input = openSync(path, 'r');
  rmSync(path);
  return input;
}
