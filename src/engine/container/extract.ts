import {randomBytes} from 'node:crypto';
import {closeSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {decompress, peek, sniffArchive} from '../image/compression.ts';
import {temporaryPrefix} from '../record-store.ts';
import {explainFiles, isMissing, missingFile} from './archive.ts';
import {publishContainerEvent} from './container-event.ts';
import {parseContainerPath} from './container-path.ts';
import type {ContainerContext} from './context.ts';
import {openContainerFiles} from './in-container-files.ts';
import {findContainer} from './reference.ts';

export interface Extraction {
  /** A directory in the container. */
  readonly path: string;
  readonly typed: boolean;
  readonly owned: boolean;
}

/**
 * Unpacks a tar into a directory of a container, whether it runs or not. It is received and decompressed first, by this
 * process: a connection that stalls or breaks off holds up and changes nothing, and no program of the container's or the
 * machine's is run for it. Throws `notFound`, `forbidden` for what is read-only, `invalid` for an archive that makes no sense.
 */
export async function extractIntoContainer(
  context: ContainerContext,
  reference: string,
  {path, typed, owned}: Extraction,
  {archive, signal}: {readonly archive: AsyncIterable<Uint8Array>; readonly signal?: AbortSignal | undefined},
): Promise<void> {
  const {id} = await findContainer(context.layout, reference);
  const {clean} = parseContainerPath(path);
  let spool: number | undefined;
  try {
    spool = openSpool(context.layout.container(id).directory);
    await receive(archive, spool, signal);
    const {found, output} = await openContainerFiles(
      context,
      id,
      (place, {record}) => ({
        kind: 'fileExtract',
        ...place,
        archive: '/proc/self/fd/0',
        directory: clean,
        typed,
        owned: owned && (record.config.User ?? '') !== '',
        user: record.config.User ?? '',
      }),
      {signal, input: spool},
    );
    for await (const _ of output);
    await publishContainerEvent(context, found.record, found.name, 'extract-to-dir');
  } catch (error) {
    if (isMissing(error, clean)) throw missingFile(reference, path);
    throw explainFiles(error, `cannot copy files into container "${reference}"`);
  } finally {
    if (spool !== undefined) closeSync(spool);
  }
}

/** Enough for every mark that a compressed stream starts with. */
const headLength = 6;

/** A file that nobody else has, on the disk of the container. Without a name: it goes with this process, however that ends. */
function openSpool(directory: string): number {
  const path = join(directory, `${temporaryPrefix}archive-${randomBytes(8).toString('hex')}`);
  const file = openSync(path, 'wx+', 0o600);
  rmSync(path);
  return file;
}

async function receive(
  source: AsyncIterable<Uint8Array>,
  spool: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const {head, content} = await peek(source, headLength);
  for await (const chunk of decompress(content, sniffArchive(head))) {
    signal?.throwIfAborted();
    for (let at = 0; at < chunk.length; ) at += writeSync(spool, chunk, at);
  }
}
