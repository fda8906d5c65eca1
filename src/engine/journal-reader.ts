import {closeSync, type FSWatcher, fstatSync, openSync, readSync, statSync, watch} from 'node:fs';
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
    journal.start();
    range.onReady?.();
    for (;;) {
      const remaining = until === undefined ? undefined : until - unixNanoseconds(range.now);
      const wake = waker.next(remaining === undefined ? undefined : Number(remaining) / 1e6);
      for (const entry of journal.read()) {
        if (since !== undefined && entry.time < since) continue;
        if (until !== undefined && entry.time > until) continue;
        yield entry;
      }
      if (signal?.aborted || (remaining !== undefined && remaining <= 0n)) return;
      await wake;
    }
  } finally {
    waker.close();
    journal.close();
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

/** The open journal files, read at once as all small files are: the current one, and the one before it, which a writer may have opened just before it was rotated. */
class Journal {
  private readonly layout: Layout;
  private readonly replay: boolean;
  private current: OpenFile | undefined;
  private previous: OpenFile | undefined;

  constructor(layout: Layout, replay: boolean) {
    this.layout = layout;
    this.replay = replay;
  }

  start(): void {
    this.current = OpenFile.open(this.layout.journal, !this.replay);
    if (this.replay || this.current === undefined)
      this.previous = OpenFile.open(this.layout.olderJournal, !this.replay);
  }

  read(): readonly StoredEntry[] {
    const entries = [...(this.previous?.read() ?? []), ...(this.current?.read() ?? [])];
    if (this.current && inodeOf(this.layout.journal) === this.current.inode) return entries;
    const newest = OpenFile.open(this.layout.journal, false);
    if (newest === undefined) return entries;
    if (!this.current && !this.previous) this.current = this.openOlderThan(newest);
    // Rotated: what was written to the old file up to now is read before it becomes the previous one.
    if (this.current) entries.push(...this.current.read());
    this.previous?.close();
    this.previous = this.current;
    this.current = newest;
    return [...entries, ...newest.read()];
  }

  /** Where there was no journal at the start, the one before the newest has come and been rotated since. */
  private openOlderThan(newest: OpenFile): OpenFile | undefined {
    const older = OpenFile.open(this.layout.olderJournal, false);
    if (older?.inode !== newest.inode) return older;
    // Rotated just now: it is the newest itself.
    older.close();
    return undefined;
  }

  close(): void {
    this.previous?.close();
    this.current?.close();
  }
}

const longestLine = 64 * 1024;

class OpenFile {
  readonly inode: bigint;
  private readonly descriptor: number;
  private position: number;
  private rest = Buffer.alloc(0);

  private constructor(descriptor: number, inode: bigint, position: number) {
    this.descriptor = descriptor;
    this.inode = inode;
    this.position = position;
  }

  static open(path: string, atEnd: boolean): OpenFile | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const {ino, size} = fstatSync(descriptor, {bigint: true});
    return new OpenFile(descriptor, ino, atEnd ? Number(size) : 0);
  }

  /** Whole lines that were not read before. */
  read(): StoredEntry[] {
    const entries: StoredEntry[] = [];
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const bytesRead = readSync(this.descriptor, buffer, 0, buffer.length, this.position);
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

  close(): void {
    closeSync(this.descriptor);
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, {bigint: true, throwIfNoEntry: false})?.ino;
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
