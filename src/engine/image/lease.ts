import {randomUUID} from 'node:crypto';
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import {readdir, readFile, rm} from '../at-once.ts';
import {temporaryPrefix} from '../record-store.ts';
import type {ImageContext} from './context.ts';
import {createLingeringLock, type LingeringLock} from './lingering-lock.ts';

/** What of the store can be needed: a blob by its digest, a layer by its directory. */
export interface Content {
  readonly blobs?: Iterable<string>;
  readonly layers?: Iterable<string>;
}

/**
 * What somebody adds to the store, or is about to use, stays while the lease lives. It is a file that names the content,
 * locked by the process: the kernel ends the lease of one that dies.
 */
export interface Lease extends AsyncDisposable {
  /** Names content, then looks whether it is there: what is found stays. */
  hold<T>(content: Content, look: () => T | Promise<T>): Promise<T>;
  /** For files and directories that are not finished: of a dead lease they are waste. */
  temporaryName(): string;
  /** Ends it like that of a dead process: the next one that looks for such clears up what it held. */
  abandon(): Promise<void>;
  readonly isAbandoned: boolean;
}

/** A file's line for each. */
function linesOf({blobs = [], layers = []}: Content): string {
  return [...[...blobs].map((digest) => `blob ${digest}\n`), ...[...layers].map((name) => `layer ${name}\n`)].join('');
}

type LeaseContext = Pick<ImageContext, 'layout' | 'helper'>;

export async function createLease({layout, helper}: LeaseContext): Promise<Lease> {
  const id = randomUUID();
  const path = join(layout.images.leases, id);
  const shared = createLingeringLock(() => helper.lock(layout.locks.images, {mode: 'shared'}));
  const lock = await beginLease(shared, {helper, path});
  let abandoned = false;
  return {
    async hold(content, look) {
      // Garbage is told under the exclusive lock: either it sees the name, or what it took is gone before `look`.
      return await shared.during(() => {
        appendFileSync(path, linesOf(content));
        return look();
      });
    },
    temporaryName: () => `${temporaryPrefix}${id}-${randomUUID()}`,
    get isAbandoned() {
      return abandoned;
    },
    async abandon() {
      abandoned = true;
      await shared[Symbol.asyncDispose]();
      await lock[Symbol.asyncDispose]();
    },
    async [Symbol.asyncDispose]() {
      if (abandoned) return;
      await shared[Symbol.asyncDispose]();
      await rm(path, {force: true});
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** Never while garbage is told: leases are read before the files that they may have begun. */
function beginLease(
  shared: LingeringLock,
  {helper, path}: Pick<LeaseContext, 'helper'> & {readonly path: string},
): Promise<AsyncDisposable> {
  return shared.during(() => helper.lock(path));
}

/** What living leases keep. */
export interface Leased {
  readonly blobs: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
  /** A file or directory that somebody is still filling. */
  isBeingMade(name: string): boolean;
}

/**
 * To be called with the lock of images held exclusively. The files of dead leases are removed.
 * `onlyLook`: they stay, for whoever clears up what is left of them; and our own does not count.
 */
export async function readLeases(
  context: LeaseContext,
  own: Lease,
  {onlyLook = false}: {readonly onlyLook?: boolean} = {},
): Promise<Leased> {
  const ids = await readdir(context.layout.images.leases);
  const living = new Map<string, string>();
  for (const id of ids) {
    const isOwn = own.temporaryName().startsWith(`${temporaryPrefix}${id}-`);
    if (isOwn && onlyLook) continue;
    const text = await readLiving(context, id, {isOwn, onlyLook});
    if (text !== undefined) living.set(id, text);
  }
  const lines = [...living.values()].flatMap((text) => text.split('\n'));
  const named = (kind: string) =>
    new Set(lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length)));
  return {
    blobs: named('blob '),
    layers: named('layer '),
    isBeingMade: (name) => [...living.keys()].some((id) => name.startsWith(`${temporaryPrefix}${id}-`)),
  };
}

async function readLiving(
  {layout, helper}: LeaseContext,
  id: string,
  {isOwn, onlyLook}: {readonly isOwn: boolean; readonly onlyLook: boolean},
): Promise<string | undefined> {
  const path = join(layout.images.leases, id);
  const lock = isOwn ? undefined : await helper.tryLock(path);
  if (lock === undefined) return await readFile(path, 'utf8').catch(() => '');
  if (!onlyLook) await rm(path, {force: true});
  await lock[Symbol.asyncDispose]();
  return undefined;
}

/** Whether somebody died while adding content: what they left is worth looking for. */
export async function hasDeadLease({layout, helper}: LeaseContext): Promise<boolean> {
  for (const id of await readdir(layout.images.leases)) {
    const lock = await helper.tryLock(join(layout.images.leases, id));
    await lock?.[Symbol.asyncDispose]();
    if (lock) return true;
  }
  return false;
}
