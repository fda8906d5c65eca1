import {closeSync, createReadStream, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {decompress, peek, sniffArchive} from '../image/compression.ts';
import type {Selection} from './copy-plan.ts';
import {openContextFile} from './source/open-file.ts';
import {isFile, type SourceTree} from './source/tree.ts';

/** An archive that is to be unpacked, decompressed, in a file without a name. */
export interface SpooledArchive extends AsyncDisposable {
  readonly file: number;
}

const block = 512;
const headLength = 6;

/** Undefined for what is no archive: it is copied as it is. Archives are told by their content, whatever they are called. */
export async function openArchive(
  directory: string,
  {place}: SourceTree,
  {path, entries}: Selection,
): Promise<SpooledArchive | undefined> {
  const [top] = entries;
  if (top === undefined || !isFile(top) || !('directory' in place)) return undefined;
  const stream = createReadStream('', {fd: openContextFile(place.directory, path), highWaterMark: 1024 * 1024});
  try {
    const content = await archiveContent(stream);
    return content && (await spool(directory, content));
  } finally {
    stream.destroy();
  }
}

/** The archive, decompressed. Undefined for what is none. */
export async function archiveContent(
  stream: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const {head, content} = await peek(stream, headLength);
  const plain = decompress(content, sniffArchive(head));
  const first = await peek(plain, block).catch(() => undefined);
  return first !== undefined && isArchiveHeader(first.head) ? first.content : undefined;
}

/** A header of tar(5) by its checksum: old archives have no other mark. */
export function isArchiveHeader(bytes: Uint8Array): boolean {
  if (bytes.length < block) return false;
  const stated = Number.parseInt(
    Buffer.from(bytes.subarray(148, 156))
      .toString('latin1')
      .replace(/[\0 ]+/g, ' ')
      .trim(),
    8,
  );
  const sum = bytes.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return sum === stated;
}

async function spool(directory: string, content: AsyncIterable<Uint8Array>): Promise<SpooledArchive> {
  const path = join(directory, 'archive');
  const file = openSync(path, 'wx+', 0o600);
  rmSync(path);
  try {
    for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {file, [Symbol.asyncDispose]: async () => closeSync(file)};
}
