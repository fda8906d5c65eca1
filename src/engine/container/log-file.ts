import {type FileHandle, open, stat} from 'node:fs/promises';

/** An open log file: json-file lines, appended to by the monitor and rotated by rename (`path`, `path.1`, …). */
export class LogFile {
  readonly inode: bigint;
  private readonly handle: FileHandle;
  private position = 0;
  private rest: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, inode: bigint) {
    this.handle = handle;
    this.inode = inode;
  }

  static async open(path: string): Promise<LogFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return new LogFile(handle, (await handle.stat({bigint: true})).ino);
  }

  /** Whole lines that were not read yet, a part at a time; a last one without its end stays for later. */
  async *lines(): AsyncGenerator<readonly string[], void, undefined> {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const {bytesRead} = await this.handle.read(buffer, 0, buffer.length, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      const data = Buffer.concat([this.rest, buffer.subarray(0, bytesRead)]);
      const end = data.lastIndexOf(10);
      this.rest = Buffer.from(data.subarray(end + 1));
      const lines = data
        .subarray(0, end + 1)
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '');
      if (lines.length > 0) yield lines;
    }
  }

  /** Goes to where the last `count` lines begin, looking from the end; answers how many there are, if fewer. */
  async seekTail(count: number): Promise<number> {
    const {size} = await this.handle.stat();
    const buffer = Buffer.allocUnsafe(64 * 1024);
    let found = 0;
    // A line ends with its line feed, so the one before the first wanted line is one more.
    for (let end = size; end > 0; ) {
      const start = Math.max(end - buffer.length, 0);
      const {bytesRead} = await this.handle.read(buffer, 0, end - start, start);
      for (let at = bytesRead - 1; at >= 0; at--) {
        if (buffer[at] !== 10) continue;
        if (found === count) {
          this.position = start + at + 1;
          return count;
        }
        found += 1;
      }
      end = start;
    }
    this.position = 0;
    return found;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** All files of a log, oldest first. Looks again when the log was rotated meanwhile: names then mean other files. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (;;) {
    const files: LogFile[] = [];
    for (let file = await LogFile.open(path); file; file = await LogFile.open(rotatedPath(path, files.length)))
      files.push(file);
    // While the newest is being rotated it may be missing for a moment; of a log that was never begun all are.
    const isWhole = files.length > 0 || (await inodeOf(rotatedPath(path, 1))) === undefined;
    if (isWhole && (await areStill(path, files))) return files.reverse();
    for (const file of files) await file.close();
  }
}

async function areStill(path: string, files: readonly LogFile[]): Promise<boolean> {
  for (const [index, {inode}] of files.entries()) if ((await inodeOf(rotatedPath(path, index))) !== inode) return false;
  return true;
}

/** The file that follows the one with the inode, when that was rotated; undefined while it is the newest. */
export async function openNextLogFile(path: string, inode: bigint): Promise<LogFile | undefined> {
  for (;;) {
    const {index, count} = await findRotated(path, inode);
    if (index === 0) return undefined;
    // Rotated away altogether: the oldest that is left is the next.
    if (index === undefined) return await LogFile.open(rotatedPath(path, Math.max(count - 1, 0)));
    const next = await LogFile.open(rotatedPath(path, index - 1));
    // A file only ever moves on to higher numbers: in its place still, it had the same neighbour all the time.
    if (next && (await inodeOf(rotatedPath(path, index))) === inode) return next;
    await next?.close();
  }
}

/** Where the file is, and how many there are. */
async function findRotated(
  path: string,
  inode: bigint,
): Promise<{readonly index: number | undefined; readonly count: number}> {
  for (let count = 0; ; count++) {
    const found = await inodeOf(rotatedPath(path, count));
    if (found === inode) return {index: count, count};
    // The newest may be missing for a moment.
    if (found === undefined && count > 0) return {index: undefined, count};
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, {bigint: true}).catch(() => undefined))?.ino;
}

function rotatedPath(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}
