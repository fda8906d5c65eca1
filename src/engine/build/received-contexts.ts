import {sha256Hex} from '../../base/canonical-json.ts';
import {mkdir, rm} from '../at-once.ts';
import {formatNanoseconds, readBootId, unixNanoseconds} from '../clock.ts';
import type {ClientContext, KeptByClient} from '../engine.ts';
import {unpackContext} from './archive-context.ts';
import type {BuildWork} from './context.ts';
import {shrinkReceived} from './received-prune.ts';
import {readReceived, receivedPaths, writeReceived} from './received-records.ts';
import {openScratch} from './snapshot.ts';
import {countUse} from './uses.ts';

/** Files of a client in a directory of this machine, for as long as a build needs them. */
export interface ReceivedFiles extends AsyncDisposable {
  readonly path: string;
  /** Nobody changes them but the next build that receives them. */
  readonly isKept: boolean;
}

/** Files of a context that are kept at most: more are received anew each time. */
const mostFiles = 300_000;
/** And bytes, of all contexts together. */
const mostBytes = 4 * 1024 ** 3;

/**
 * Receives a context. What an earlier build received of it is kept where the client has a name for it, and only what has changed
 * comes again. While one build uses it and another one needs it otherwise, that one receives everything for itself.
 */
export async function receiveContext(
  context: BuildWork,
  sent: ClientContext,
  signal: AbortSignal,
): Promise<ReceivedFiles> {
  const kept = await sent.kept();
  return kept === undefined
    ? await receiveOnce(context, sent.archive(), signal)
    : await receiveKept(context, kept, signal);
}

/** For one build alone. */
async function receiveOnce(
  context: BuildWork,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<ReceivedFiles> {
  const scratch = await openScratch(context);
  try {
    await unpackContext(context, scratch, {archive, signal});
    return {path: scratch.upper, isKept: false, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]()};
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

async function receiveKept(context: BuildWork, kept: KeptByClient, signal: AbortSignal): Promise<ReceivedFiles> {
  const {helper, layout, now} = context.images;
  const paths = receivedPaths(layout, sha256Hex(kept.key).slice(0, 32));
  await mkdir(layout.build.received, {recursive: true, mode: 0o700});
  // One looks and changes at a time; whoever only uses it does not wait.
  await using making = await helper.lock(paths.making, {signal});
  void making;
  const before = await readReceived(paths);
  const changes = await kept.changes(before?.state);
  if (changes.isSame) for await (const _ of changes.archive(false));
  else {
    await using alone = await helper.tryLock(paths.lock);
    const fits = changes.files <= mostFiles && changes.bytes <= mostBytes / 2;
    if (alone === undefined || !fits) return await receiveOnce(context, changes.archive(true), signal);
    const isWhole = before === undefined || changes.removed.length > mostRemoved;
    // Without a record it is nothing: a build that is killed meanwhile leaves what the next one clears away.
    await rm(paths.record, {force: true});
    if (isWhole) await helper.request({kind: 'removeTree', root: layout.build.received, path: paths.name});
    await mkdir(paths.data, {recursive: true, mode: 0o755});
    if (!isWhole)
      for (const path of changes.removed) await helper.request({kind: 'removeTree', root: paths.data, path});
    await change(context, paths.data, {archive: changes.archive(isWhole), signal});
    const created = before?.created ?? formatNanoseconds(unixNanoseconds(now));
    await writeReceived(paths, {state: changes.state, boot: readBootId(), bytes: changes.bytes, created});
    await shrinkReceived(context, mostBytes);
  }
  const use = await helper.lock(paths.lock, {mode: 'shared', signal});
  countUse(paths.uses);
  return {path: paths.data, isKept: true, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]()};
}

/** A request each; with more it is quicker to begin anew. */
const mostRemoved = 500;

/** Unpacks into what is there. */
async function change(
  context: BuildWork,
  upper: string,
  sent: {readonly archive: AsyncIterable<Uint8Array>; readonly signal: AbortSignal},
): Promise<void> {
  await using scratch = await openScratch(context);
  await unpackContext(context, {upper, work: scratch.work}, sent);
}
