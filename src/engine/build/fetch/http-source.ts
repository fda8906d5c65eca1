import {createReadStream} from 'node:fs';
import {mkdtemp, rename} from 'node:fs/promises';
import {join} from 'node:path';
import type {FetchedSource} from '../../../api/types/build.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';
import {unpackContext} from '../archive-context.ts';
import {archiveContent} from '../archive-source.ts';
import type {BuildWork} from '../context.ts';
import {download} from '../download.ts';
import type {Scratch} from '../snapshot.ts';
import {openContextFile} from '../source/open-file.ts';
import {atMost, tooMuch} from './limits.ts';

export interface FetchingFile {
  readonly source: Exclude<FetchedSource, {readonly kind: 'git'}>;
  /** What is no archive is called so, whatever the server says. */
  readonly fileName: string | undefined;
  /** Gets the files, in its upper directory. */
  readonly scratch: Scratch;
  readonly secret: (id: string) => string | undefined;
  readonly signal: AbortSignal;
}

/** Where something is, and for people what it is: without passwords. */
export interface UnpackedFile {
  /** Undefined: it was an archive, and is unpacked. Else the one file that there is. */
  readonly file: string | undefined;
  readonly version: string | undefined;
}

/** Fetches a file. An archive, compressed or not, is unpacked; whatever else stays what it is. */
export async function fetchFile(
  work: BuildWork,
  {source, fileName, scratch, secret, signal}: FetchingFile,
): Promise<UnpackedFile> {
  if (source.kind === 'archive') {
    const content = await archiveContent(openStream(source.path));
    if (content === undefined) throw new TscomposeError('invalid', `"${source.path}" is no archive`);
    await unpack(work, scratch, {content, shown: `"${source.path}"`, signal});
    return {file: undefined, version: undefined};
  }
  const {url} = source;
  const directory = await mkdtemp(join(scratch.work, 'fetched-'));
  const {name, digest} = await download({
    ...{web: work.web, url, checksum: undefined, directory, secret, signal},
    most: work.fetching.limits.fetched,
  });
  const stream = createReadStream('', {fd: openContextFile(directory, name), highWaterMark: pieceSize});
  try {
    const content = await archiveContent(stream);
    if (content === undefined) {
      const file = fileName ?? name;
      await rename(join(directory, name), join(scratch.upper, file));
      return {file, version: digest};
    }
    await unpack(work, scratch, {content, shown: redactUrls(url), signal});
    return {file: undefined, version: digest};
  } finally {
    stream.destroy();
  }
}

const pieceSize = 1024 * 1024;

function openStream(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, {highWaterMark: pieceSize});
}

async function unpack(
  work: BuildWork,
  scratch: Scratch,
  {
    content,
    shown,
    signal,
  }: {readonly content: AsyncIterable<Uint8Array>; readonly shown: string; readonly signal: AbortSignal},
): Promise<void> {
  const {unpacked} = work.fetching.limits;
  await unpackContext(work, scratch, {archive: atMost(content, () => tooMuch(shown, unpacked), unpacked), signal});
}
