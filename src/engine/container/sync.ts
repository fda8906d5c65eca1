import {randomBytes} from 'node:crypto';
import {existsSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import type {SyncedFiles, SyncResult} from '../../api/types/sync.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {HelperRequest, SyncReply} from '../helper/coprocess.ts';
import {replyError} from '../helper/reply.ts';
import {temporaryPrefix} from '../record-store.ts';
import type {ContainerContext} from './context.ts';
import {withContainer} from './operation.ts';
import {type FoundContainer, findContainer} from './reference.ts';
import {receiveArchive} from './sync-archive.ts';
import {withSyncPlace} from './sync-place.ts';
import {beginSync, endSync, readOpenSync, readSynced} from './synced.ts';
import type {SyncedChange} from './synced-state.ts';

export interface SyncTarget {
  /** Absolute in the container. */
  readonly path: string;
  /** `user[:group]`; absent: see {@link syncContainer}. */
  readonly owner?: string;
}

/**
 * Changes files of a container by an archive, all of it or nothing, whether the container runs or not. Without an owner
 * what is replaced keeps its own, and what is new belongs to the container's user. The archive is received first: only
 * then other operations on the container wait for it. Throws `forbidden` for what cannot be written, `conflict` for
 * mount points, `exhausted` for a full disk, `invalid` for an archive that makes no sense.
 */
export async function syncContainer(
  context: ContainerContext,
  reference: string,
  target: SyncTarget,
  archive: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<SyncResult> {
  const {id, name} = await findContainer(context.layout, reference);
  const spool = join(context.layout.container(id).directory, spoolPrefix + randomBytes(8).toString('hex'));
  try {
    // For as long as it is held, it belongs to somebody who lives.
    await using lock = await context.helper.lock(spool);
    void lock;
    const changes = await receiveArchive(archive, {spool, base: target.path, signal});
    return await withContainer(context, id, (found) => applySync(context, found, {...target, spool, changes}), {
      signal,
    });
  } catch (error) {
    throw explain(error, name);
  } finally {
    rmSync(spool, {force: true});
  }
}

export async function syncedFiles(context: ContainerContext, reference: string): Promise<SyncedFiles> {
  const {id} = await findContainer(context.layout, reference);
  return readSynced(context.layout.container(id));
}

/** Archives that are being received. */
const spoolPrefix = `${temporaryPrefix}sync-`;

/** Removes archives whose receiver was killed. The caller holds the operation lock, and that of its own archive. */
async function removeLeftSpools({helper, layout}: ContainerContext, id: string): Promise<void> {
  const {directory} = layout.container(id);
  for (const name of readdirSync(directory).filter((entry) => entry.startsWith(spoolPrefix))) {
    await using lock = await helper.tryLock(join(directory, name));
    if (lock !== undefined) rmSync(join(directory, name), {force: true});
  }
}

interface Sync extends SyncTarget {
  readonly spool: string;
  readonly changes: readonly SyncedChange[];
}

/** The caller holds the operation lock. */
async function applySync(
  context: ContainerContext,
  found: FoundContainer,
  {path, owner = '', spool, changes}: Sync,
): Promise<SyncResult> {
  const paths = context.layout.container(found.id);
  await removeLeftSpools(context, found.id);
  if (existsSync(paths.syncArchive)) await undoKilled(context, found);
  renameSync(spool, paths.syncArchive);
  const prefix = `.tscompose-sync-${randomBytes(6).toString('hex')}`;
  beginSync(paths, {path, prefix, changes});
  try {
    const {written, deleted} = await request(context, found, {kind: 'sync', path, owner, prefix});
    await endSync(paths, 'done');
    rmSync(paths.syncArchive, {force: true});
    return {written, deleted};
  } catch (error) {
    // Without an answer of the helper's nobody knows what it left: the archive stays, for the next one to clear up by.
    if (hasKind(error, 'internal', 'canceled')) throw error;
    if (!(error instanceof PartialSync)) await endSync(paths, 'nothing');
    rmSync(paths.syncArchive, {force: true});
    throw error;
  }
}

/** Removes temporary files of a sync whose process was killed, as its archive tells where they are. */
async function undoKilled(context: ContainerContext, found: FoundContainer): Promise<void> {
  const paths = context.layout.container(found.id);
  const open = await readOpenSync(paths);
  if (open !== undefined)
    await request(context, found, {kind: 'syncUndo', path: open.path, owner: '', prefix: open.prefix});
  rmSync(paths.syncArchive, {force: true});
}

/** A failure in the middle: what was synced is not known any more. */
class PartialSync extends TscomposeError {}

type Request = Pick<HelperRequest<'sync'>, 'path' | 'owner' | 'prefix'> & {readonly kind: 'sync' | 'syncUndo'};

/** A container that restarts all the time is hard to hit. */
const attempts = 10;

async function request(context: ContainerContext, found: FoundContainer, asked: Request): Promise<SyncReply> {
  const archive = context.layout.container(found.id).syncArchive;
  const user = found.record.config.User ?? '';
  for (let attempt = 0; attempt < attempts; attempt++) {
    const reply = await withSyncPlace(context, found, (place) =>
      context.helper.request({...asked, archive, user, ...place}),
    );
    if (reply.partial !== undefined) {
      const {kind, message, cause} = replyError(reply.partial.error);
      throw new PartialSync(kind, message, {cause});
    }
    if (!reply.ended) return reply;
    await delay(2 ** attempt);
  }
  throw new TscomposeError('conflict', 'it ends and starts again all the time', {
    hint: 'stop the container, or see its output with "tscompose logs"',
  });
}

function explain(error: unknown, name: string): TscomposeError {
  const {kind, message, hint, cause} = toTscomposeError(error);
  if (kind === 'notFound' && message.startsWith('No such container')) return toTscomposeError(error);
  return new TscomposeError(kind, `cannot sync files into container "${name}": ${message}`, {hint, cause});
}
