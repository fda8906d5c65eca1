import {type FSWatcher, watch} from 'node:fs';
import {type FileHandle, open, stat} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {type Now, secondsToNanoseconds, unixNanoseconds} from './clock.ts';
import type {StoredEntry} from './events.ts';
import type {Layout} from './layout.ts';

export interface JournalRange {
  /** Unix seconds; absent: from now on. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly now: Now;
  readonly onReady?: (() => void) | undefined;
}

/**
 * Entries of the journal: those from `since` on, then new ones as they are written, until `until` or the signal. Survives
 * rotation; a torn line (a writer that was killed) is skipped.
 */
export async function* followJournal(
  layout: Layout,
  range: JournalRange,
  signal?: AbortSignal,
): AsyncGenerator<StoredEntry, void, undefined> {
  const since = range.since === undefined ? undefined : secondsToNanoseconds(range.since);
  const until = range.until === undefined ? undefined : secondsToNanoseconds(range.until);
  const waker = createWaker(layout.journal, signal);
  const journal = new Journal(layout, since !== undefined);
  try {
    // Opened once the watch is on, so that nothing falls between the two.
    await journal.start();
    range.onReady?.();
    for (;;) {
      const remaining = until === undefined ? undefined : until - unixNanoseconds(range.now);
      const wake = waker.next(remaining === undefined ? undefined : Number(remaining) / 1e6);
      for (const entry of await journal.read()) {
        if (since !== undefined && entry.time < since) continue;
        if (until !== undefined && entry.time > until) continue;
        yield entry;
      }
      if (signal?.aborted || (remaining !== undefined && remaining <= 0n)) return;
      await wake;
    }
  } finally {
    waker.close();
    await journal.close();
  }
}

interface Waker {
  /** Resolves at the next change, after that long, or at the signal. */
  next(afterMs: number | undefined): Promise<void>;
  close(): void;
}

/** What setTimeout takes. */
const longestTimer = 2 ** 31 - 1;

function createWaker(path: string, signal: AbortSignal | undefined): Waker {
  let wake: () => void = () => undefined;
  const call = () => wake();
  let watcher: FSWatcher | undefined;
  let poll: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  // Watches are a limited resource of the machine (inotify(7)); without one the file is looked at now and then.
  const fallBack = () => {
    watcher?.close();
    watcher = undefined;
    poll ??= setInterval(call, 250);
  };
  try {
    watcher = watch(dirname(path), {persistent: true}, (_event, name) => {
      if (name === null || name === basename(path)) call();
    });
    watcher.on('error', fallBack);
  } catch {
    fallBack();
  }
  signal?.addEventListener('abort', call, {once: true});
  return {
    next(afterMs) {
      clearTimeout(timer);
      if (afterMs !== undefined) timer = setTimeout(call, Math.min(Math.max(Math.ceil(afterMs), 1), longestTimer));
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    close() {
      watcher?.close();
      clearInterval(poll);
      clearTimeout(timer);
      signal?.removeEventListener('abort', call);
    },
  };
}

/** The open journal files: the current one, and the one before it, which a writer may have opened just before it was rotated. */
class Journal {
  private readonly layout: Layout;
  private readonly replay: boolean;
  private current: OpenFile | undefined;
  private previous: OpenFile | undefined;

  constructor(layout: Layout, replay: boolean) {
    this.layout = layout;
    this.replay = replay;
  }

  async start(): Promise<void> {
    if (this.replay) this.previous = await OpenFile.open(this.layout.olderJournal, false);
    this.current = await OpenFile.open(this.layout.journal, !this.replay);
  }

  async read(): Promise<readonly StoredEntry[]> {
    const entries = [...((await this.previous?.read()) ?? []), ...((await this.current?.read()) ?? [])];
    if (this.current && (await inodeOf(this.layout.journal)) === this.current.inode) return entries;
    const newest = await OpenFile.open(this.layout.journal, false);
    if (newest === undefined) return entries;
    // Rotated: what was written to the old file up to now is read before it becomes the previous one.
    if (this.current) entries.push(...(await this.current.read()));
    await this.previous?.close();
    this.previous = this.current;
    this.current = newest;
    return [...entries, ...(await newest.read())];
  }

  async close(): Promise<void> {
    await this.previous?.close();
    await this.current?.close();
  }
}

const longestLine = 64 * 1024;

class OpenFile {
  readonly inode: bigint;
  private readonly handle: FileHandle;
  private position: number;
  private rest = Buffer.alloc(0);

  private constructor(handle: FileHandle, inode: bigint, position: number) {
    this.handle = handle;
    this.inode = inode;
    this.position = position;
  }

  static async open(path: string, atEnd: boolean): Promise<OpenFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const {ino, size} = await handle.stat({bigint: true});
    return new OpenFile(handle, ino, atEnd ? Number(size) : 0);
  }

  /** Whole lines that were not read before. */
  async read(): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = [];
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const {bytesRead} = await this.handle.read(buffer, 0, buffer.length, this.position);
      if (bytesRead === 0) return entries;
      this.position += bytesRead;
      const data = Buffer.concat([this.rest, buffer.subarray(0, bytesRead)]);
      const end = data.lastIndexOf(10);
      // No line is that long: what has no end by then is damage.
      this.rest = data.length - end > longestLine ? Buffer.alloc(0) : Buffer.from(data.subarray(end + 1));
      for (const line of data
        .subarray(0, end + 1)
        .toString('utf8')
        .split('\n')) {
        const entry = parseEntry(line);
        if (entry) entries.push(entry);
      }
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, {bigint: true}).catch(() => undefined))?.ino;
}

/** Attribute values cannot hold it: their quotes are escaped. */
const entryStart = '{"v":1,"seq":';
const exactTime = /"time":(\d+)/;

/** Undefined for a torn line; a whole entry that follows a torn one on the same line counts. The time is taken from the text: it has more digits than a number holds. */
export function parseEntry(text: string): StoredEntry | undefined {
  const line = text.slice(Math.max(text.lastIndexOf(entryStart), 0));
  const time = exactTime.exec(line)?.[1];
  if (time === undefined) return undefined;
  try {
    const entry = JSON.parse(line) as StoredEntry;
    if (typeof entry.action !== 'string' || typeof entry.id !== 'string' || typeof entry.attributes !== 'object')
      return undefined;
    return {...entry, time: BigInt(time)};
  } catch {
    return undefined;
  }
}
