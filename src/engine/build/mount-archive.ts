import {closeSync, openSync} from 'node:fs';
import {lstat, mkdir, rename} from 'node:fs/promises';
import {TscomposeError} from '../../base/errors.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {anyTime} from '../helper/file-operations.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import {decompress, peek, sniffArchive} from '../image/compression.ts';
import {openSession} from '../image/session.ts';
import type {BuildContext, BuildWork} from './context.ts';
import {type KeptMount, listMounts, mountName, mountPaths, writeMountRecord} from './mount-records.ts';
import {openScratch, rootOperations, type Scratch} from './snapshot.ts';

/** What a cache mount holds, as an archive. `id`: as its step says it, or the name that lists give it. Throws `notFound`, `conflict`. */
export async function* exportMount(context: BuildContext, id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const {name} = await findMount(context, id);
  const {lock: path, data} = mountPaths(context, name);
  await using lock = await context.images.helper.lock(path, {mode: 'shared', signal});
  void lock;
  await using session = await openSession(context.images);
  await using scratch = await openScratch({session});
  const operations = await rootOperations(context, [data], scratch);
  const place = {pid: 0, monitor: 0, operations};
  const {output} = await startFilesProcess(context.images.helper, {kind: 'fileExport', ...place, ...anyTime}, {signal});
  yield* output;
}

/** Makes a cache mount of an archive, also a compressed one: what it held before is gone. It waits until no step uses it. */
export async function importMount(
  context: BuildContext,
  id: string,
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal: AbortSignal},
): Promise<void> {
  const {images} = context;
  const {helper, layout} = images;
  await mkdir(layout.build.mounts, {recursive: true, mode: 0o700});
  await using session = await openSession(images);
  await using scratch = await openScratch({session});
  await unpack({...context, session}, scratch, {archive, signal});
  const found = await findMount(context, id).catch(() => undefined);
  const name = found?.name ?? mountName({id});
  const {directory, data, old, lock: path} = mountPaths(context, name);
  await using lock = await helper.lock(path, {signal});
  void lock;
  await mkdir(directory, {recursive: true, mode: 0o700});
  if (found?.id === undefined)
    await writeMountRecord(context, name, {v: 1, id, created: formatNanoseconds(unixNanoseconds(images.now))});
  await helper.request({kind: 'removeTree', root: directory, path: 'old'});
  if ((await lstat(data).catch(() => undefined)) !== undefined) await rename(data, old);
  await rename(scratch.upper, data);
  await helper.request({kind: 'removeTree', root: directory, path: 'old'});
}

/** One by its name, the start of it, or its id. */
async function findMount(context: BuildContext, id: string): Promise<KeptMount> {
  const mounts = await listMounts(context);
  const byId = mounts.filter((mount) => mount.id === id || mount.name === id);
  const found = byId.length > 0 ? byId : mounts.filter(({name}) => id !== '' && name.startsWith(id));
  const [first, ...more] = found;
  if (first === undefined) {
    throw new TscomposeError('notFound', `no cache mount is called "${id}"`, {
      hint: 'list them: tscompose engine builder du --filter type=exec.cachemount',
    });
  }
  if (more.length === 0) return first;
  throw new TscomposeError('conflict', `several cache mounts are called "${id}"`, {
    hint: `name one of them: ${found.map(({name}) => name).join(', ')}`,
  });
}

const headLength = 6;

/** The helper reads a file. Names that lead out of it are refused there. */
async function unpack(
  context: BuildWork,
  scratch: Scratch,
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal: AbortSignal},
): Promise<void> {
  const {session, images} = context;
  const {head, content} = await peek(archive, headLength);
  if (head.length === 0) throw new TscomposeError('invalid', 'there is no archive to import');
  const staged = await session.blobs.stage(decompress(content, sniffArchive(head)), session.lease);
  const input = openSync(staged.path, 'r');
  try {
    const operations = await rootOperations(context, [], scratch);
    const place = {pid: 0, monitor: 0, operations, archive: '/proc/self/fd/0', directory: '/'};
    const extraction = {typed: false, owned: false, user: ''};
    const operation = {kind: 'fileExtract', ...place, ...extraction} as const;
    const {output} = await startFilesProcess(images.helper, operation, {signal, input});
    for await (const _ of output);
  } finally {
    closeSync(input);
    await session.blobs.discard(staged);
  }
}
