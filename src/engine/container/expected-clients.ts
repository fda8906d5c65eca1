import {randomBytes} from 'node:crypto';
import {type FSWatcher, watch} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {hasKind} from '../../base/errors.ts';
import {mkdir, readdir, rm, stat, writeFile} from '../at-once.ts';
import type {ContainerContext} from './context.ts';
import {noSuchContainer} from './reference.ts';

/**
 * Whoever attaches to a container before it starts, and whoever starts it, may be different programs. The first has a lock in
 * a directory of the container; the other counts the locks that are held, so that the monitor knows for how many clients to
 * wait before the process runs, and removes them when the start is over, however it went.
 */
type ExpectedContext = Pick<ContainerContext, 'layout' | 'helper'>;

/** Its file is there while a start is under way: from now on it is worth trying to connect. */
const startingName = 'starting';
/** Between tries to connect to a monitor that is just being started. */
const retryMs = 2;
/** Between looks where the machine has no watch left for us (inotify(7)). */
const pollMs = 100;

/** The clients that a start has to wait for; to be followed by {@link endStart}. */
export async function beginStart({layout, helper}: ExpectedContext, id: string): Promise<number> {
  const {attaching} = layout.container(id);
  const names = await readdir(attaching).catch(unlessMissing);
  let count = 0;
  for (const name of names ?? []) {
    if (name === startingName) continue;
    const path = join(attaching, name);
    const left = await helper.tryLock(path).catch(unlessGone);
    if (left === undefined) {
      count++;
      continue;
    }
    // Its owner was killed.
    await rm(path, {force: true});
    await left[Symbol.asyncDispose]();
  }
  if (count > 0) await writeFile(join(attaching, startingName), '');
  return count;
}

/** Nobody waits for this start any more. */
export async function endStart({layout}: ExpectedContext, id: string): Promise<void> {
  await rm(layout.container(id).attaching, {recursive: true, force: true});
}

/** A client that waits for the next start. */
export interface ExpectedClient {
  /** Tries `connect` while a start is under way. Resolves with nothing where there will be none, or at the signal. */
  connected<T>(connect: () => Promise<T | undefined>, signal: AbortSignal): Promise<T | undefined>;
}

/** Whoever starts the container from now on waits for this client. Throws `notFound` for a container that was removed. */
export async function expectClient({layout, helper}: ExpectedContext, id: string): Promise<ExpectedClient> {
  const {attaching} = layout.container(id);
  for (;;) {
    await mkdir(attaching, {mode: 0o700}).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw noSuchContainer(id);
      if (error.code !== 'EEXIST') throw error;
    });
    const path = join(attaching, randomBytes(8).toString('hex'));
    // A start that has just ended takes the directory away.
    const lock = await helper.lock(path).catch(unlessGone);
    if (lock === undefined) continue;
    return {
      async connected(connect, signal) {
        try {
          return await connectAtStart({directory: attaching, path, connect, signal});
        } finally {
          await rm(path, {force: true});
          await lock[Symbol.asyncDispose]();
        }
      },
    };
  }
}

interface Waiting<T> {
  readonly directory: string;
  readonly path: string;
  readonly connect: () => Promise<T | undefined>;
  readonly signal: AbortSignal;
}

async function connectAtStart<T>({directory, path, connect, signal}: Waiting<T>): Promise<T | undefined> {
  using changes = watchDirectory(directory, signal);
  for (;;) {
    const changed = changes.next();
    // In this order: what is over was connected to, or will never be.
    const over = signal.aborted || !(await exists(path));
    const starting = over || (await exists(join(directory, startingName)));
    if (starting && !signal.aborted) {
      const connection = await connect();
      if (connection !== undefined) return connection;
    }
    if (over) return undefined;
    await (starting ? delay(retryMs) : changed);
  }
}

interface Changes extends Disposable {
  /** Asked for before a look, it misses nothing after it. */
  next(): Promise<void>;
}

function watchDirectory(directory: string, signal: AbortSignal): Changes {
  let wake: () => void = () => {};
  let poll: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const fallBack = () => {
    poll ??= setInterval(() => wake(), pollMs);
  };
  const onAbort = () => wake();
  try {
    watcher = watch(directory, () => wake());
    watcher.on('error', fallBack);
  } catch {
    fallBack();
  }
  signal.addEventListener('abort', onAbort, {once: true});
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    [Symbol.dispose]() {
      watcher?.close();
      clearInterval(poll);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessMissing)) !== undefined;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function unlessGone(error: unknown): undefined {
  if (!hasKind(error, 'notFound')) throw error;
}
