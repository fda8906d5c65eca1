import {createHash} from 'node:crypto';
import {TscomposeError} from '../../base/errors.ts';
import {anyTime} from '../helper/file-operations.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import type {ImageContext} from './context.ts';

/**
 * The archive of a layer's directory, made as it is read. The same tree makes the same bytes: sorted, nothing of the
 * machine in it, times in whole seconds.
 */
async function* archiveOf(
  {helper}: Pick<ImageContext, 'helper'>,
  directory: string,
  {latest = anyTime.latest, signal}: {readonly latest?: number; readonly signal?: AbortSignal | undefined},
): AsyncGenerator<Uint8Array> {
  const xattrs = (await helper.entrance()) ? 'user' : 'trusted';
  const {output} = await startFilesProcess(helper, {kind: 'fileTree', directory, xattrs, ...anyTime, latest}, {signal});
  yield* output;
}

/** The same with no time in it later than `latest`, in seconds: the archive of another layer. */
export function clampedArchive(
  context: Pick<ImageContext, 'helper'>,
  directory: string,
  options: {readonly latest: number; readonly signal?: AbortSignal | undefined},
): AsyncIterable<Uint8Array> {
  return archiveOf(context, directory, options);
}

export interface MadeArchive {
  /** Of the archive, which is not compressed: also the layer's diff ID. */
  readonly digest: string;
  readonly size: number;
}

/** What the archive of a directory would be, without keeping it. */
export async function measureArchive(
  context: Pick<ImageContext, 'helper'>,
  directory: string,
  signal?: AbortSignal,
): Promise<MadeArchive> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of archiveOf(context, directory, {signal})) {
    hash.update(chunk);
    size += chunk.length;
  }
  return {digest: `sha256:${hash.digest('hex')}`, size};
}

/** The archive again, checked at its end: whoever got all of it got what the digest says. Throws `internal`. */
export async function* remakeArchive(
  context: Pick<ImageContext, 'helper'>,
  directory: string,
  {digest, signal}: {readonly digest: string; readonly signal?: AbortSignal | undefined},
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of archiveOf(context, directory, {signal})) {
    hash.update(chunk);
    yield chunk;
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) {
    throw new TscomposeError('internal', `layer ${digest} is damaged: its files make ${found} now`, {
      hint: 'see "tscompose engine fsck"',
    });
  }
}
