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
  async *lines(): AsyncGenerator<string, void, undefined> {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const {bytesRead} = await this.handle.read(buffer, 0, buffer.length, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      const data = Buffer.concat([this.rest, buffer.subarray(0, bytesRead)]);
      const end = data.lastIndexOf(10);
      this.rest = Buffer.from(data.subarray(end + 1));
      for (const line of data
        .subarray(0, end + 1)
        .toString('utf8')
        .split('\n'))
        if (line !== '') yield line;
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

/** All files of a log, oldest first. One that is rotated while we look appears once. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  const seen = new Set<bigint>();
  for (let index = 0; ; index++) {
    const file = await LogFile.open(rotatedPath(path, index));
    if (file === undefined) {
      // While the newest is being rotated it may be missing for a moment.
      if (index === 0) continue;
      return files.reverse();
    }
    if (seen.has(file.inode)) await file.close();
    else files.push(file);
    seen.add(file.inode);
  }
}

/** The file that follows the one with the inode, when that was rotated; undefined while it is the newest. */
export async function openNextLogFile(path: string, inode: bigint): Promise<LogFile | undefined> {
  let index = 0;
  for (; ; index++) {
    const at = await stat(rotatedPath(path, index), {bigint: true}).catch(() => undefined);
    if (at === undefined && index > 0) break;
    if (at?.ino === inode) return index === 0 ? undefined : await LogFile.open(rotatedPath(path, index - 1));
  }
  // Rotated away altogether: the oldest that is left is the next.
  return index > 1 ? await LogFile.open(rotatedPath(path, index - 1)) : await LogFile.open(path);
}

function rotatedPath(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}
