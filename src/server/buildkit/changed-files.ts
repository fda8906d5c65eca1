import type {ContextChanges} from '../../engine/engine.ts';
import {archiveOf} from './client-archive.ts';
import {receiveFiles, type SentFile, type WantedFiles} from './client-files.ts';
import {fileType} from './file-mode.ts';
import type {Message} from './messages.ts';

type Stat = Message<'Stat'>;

/**
 * Has a client tell what is in a directory of its own, and compares that with what it told before. As with BuildKit a file is
 * the same whose head is the same: its content is not looked at.
 */
export async function changesOfClient(
  wanted: WantedFiles,
  before: string | undefined,
  signal: AbortSignal,
): Promise<ContextChanges> {
  let tell = (_: readonly Stat[]) => {};
  let decide = (_: (id: number) => boolean) => {};
  const told = new Promise<readonly Stat[]>((resolve) => {
    tell = resolve;
  });
  const decided = new Promise<(id: number) => boolean>((resolve) => {
    decide = resolve;
  });
  const files = receiveFiles(wanted, signal, (stats) => {
    tell(stats);
    return decided;
  });
  const first = files.next();
  first.catch(() => {});
  // It goes on when it is decided what is wanted; before that it can only fail.
  const stats = await Promise.race([told, first.then(() => told)]);
  const now = new Map(stats.map((stat) => [stat.path, headOf(stat)]));
  const then = parseState(before);
  const changed = changedFiles(stats, then, now);
  const removed = removedNames(then, now);
  return {
    state: formatState(now),
    isSame: before !== undefined && changed.size === 0 && removed.length === 0,
    removed,
    files: stats.length,
    bytes: stats.reduce((sum, {size}) => sum + size, 0),
    archive(whole) {
      // Directories have the times that they had before something in them changed.
      decide((id) => whole || changed.has(id) || (changed.size > 0 && isDirectory(stats[id])));
      return archiveOf(resumed(first, files));
    },
  };
}

async function* resumed(
  first: Promise<IteratorResult<SentFile, void>>,
  rest: AsyncGenerator<SentFile, void, undefined>,
): AsyncGenerator<SentFile, void, undefined> {
  const {value, done} = await first;
  if (done === true || value === undefined) return;
  yield value;
  yield* rest;
}

function isDirectory(stat: Stat | undefined): boolean {
  return stat !== undefined && fileType(stat.mode) === 'directory';
}

/** Numbers of files that are new or have another head. Other names of such a file are made anew, too. */
function changedFiles(
  stats: readonly Stat[],
  then: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): ReadonlySet<number> {
  const changed = new Set<number>();
  const paths = new Set<string>();
  for (const [id, {path, linkname, mode}] of stats.entries()) {
    const isName = fileType(mode) === 'file' && linkname !== '';
    if (then.get(path) === now.get(path) && !(isName && paths.has(linkname))) continue;
    changed.add(id);
    paths.add(path);
  }
  return changed;
}

/** Names that are no more; of a directory that is gone with all in it, its own alone. */
function removedNames(then: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const removed: string[] = [];
  const gone = new Set<string>();
  for (const path of then.keys()) {
    if (now.has(path)) continue;
    gone.add(path);
    if (!gone.has(path.slice(0, Math.max(0, path.lastIndexOf('/'))))) removed.push(path);
  }
  return removed;
}

function headOf({mode, uid, gid, size, modTime, linkname, devmajor, devminor, xattrs}: Stat): string {
  // They come in any order.
  const names = Object.keys(xattrs).sort();
  const attributes = names.map((name) => [name, Buffer.from(xattrs[name] ?? '').toString('base64')]);
  return JSON.stringify([mode, uid, gid, size, modTime, linkname, devmajor, devminor, ...attributes]);
}

/** Neither paths nor heads have such characters. */
const [between, after] = ['\0', '\0\0'];

function formatState(heads: ReadonlyMap<string, string>): string {
  return [...heads].map(([path, head]) => `${path}${between}${head}`).join(after);
}

function parseState(text = ''): ReadonlyMap<string, string> {
  const lines = text === '' ? [] : text.split(after);
  return new Map(
    lines.map((line) => {
      const cut = line.indexOf(between);
      return [line.slice(0, cut), line.slice(cut + 1)];
    }),
  );
}
