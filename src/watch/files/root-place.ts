import {type FSWatcher, watch} from 'node:fs';
import {basename, dirname} from 'node:path';
import {isGone, type OpenRoot, openRoot} from './scan.ts';
import {isLimit} from './watch-limits.ts';

export interface RootPlaceOptions {
  /** Absolute; it may not exist. */
  readonly path: string;
  /** Something else stands there now: it came, went, or was replaced. */
  readonly onReplaced: (now: OpenRoot) => void;
  /** A file as root was written to. */
  readonly onTouched: () => void;
  readonly onLimit: (error: NodeJS.ErrnoException) => void;
  /** False: only look from time to time, without watches. */
  readonly watches: boolean;
}

export interface RootPlace {
  now(): OpenRoot;
  close(): void;
}

interface State extends RootPlaceOptions {
  opened: OpenRoot;
  readonly watchers: Map<string, FSWatcher>;
  timer: NodeJS.Timeout | undefined;
}

/** Events do not tell when a directory above is renamed or a file system is mounted over: a look from time to time does. */
const lookMs = 1_000;

/**
 * Knows what stands at a root: nothing yet, a file (which editors replace by another), a directory, a link to either.
 * The tree below a directory is not its business.
 */
export function watchRootPlace(options: RootPlaceOptions): RootPlace {
  const state: State = {...options, opened: openRoot(options.path), watchers: new Map(), timer: undefined};
  arm(state);
  state.timer = setInterval(() => look(state, 'now and then'), lookMs);
  return {
    now: () => state.opened,
    close() {
      clearInterval(state.timer);
      disarm(state);
    },
  };
}

function disarm({watchers}: State): void {
  for (const watcher of watchers.values()) watcher.close();
  watchers.clear();
}

/** The directories in which a name decides what stands at the root, with that name. */
function deciding({path, opened}: State): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  if (opened.kind === 'missing') {
    for (let above = dirname(path), name = path; ; name = above, above = dirname(above)) {
      if (openRoot(above).kind === 'directory') return places.set(above, basename(name));
      if (dirname(above) === above) return places;
    }
  }
  // A watch on the directory itself tells its end; that of the tree is shared by the kernel.
  if (opened.kind === 'directory') places.set(opened.real, basename(opened.real));
  else places.set(dirname(opened.real), basename(opened.real));
  if (opened.real !== path) places.set(dirname(path), basename(path));
  return places;
}

function arm(state: State): void {
  disarm(state);
  if (!state.watches) return;
  for (const [directory, wanted] of deciding(state)) {
    try {
      const watcher = watch(directory, (kind, name) => {
        const own = name === basename(directory);
        if (name === null || name === wanted || own) look(state, kind === 'change' ? 'change' : 'name');
      });
      watcher.on('error', () => undefined);
      state.watchers.set(directory, watcher);
    } catch (error) {
      if (isGone(error)) continue;
      if (!isLimit(error)) throw error;
      state.onLimit(error);
      return;
    }
  }
  // What came between the look and the watch.
  if (!sameRoot(state.opened, openRoot(state.path))) look(state, 'name');
}

function look(state: State, why: 'name' | 'change' | 'now and then'): void {
  const before = state.opened;
  const now = openRoot(state.path);
  state.opened = now;
  if (!sameRoot(before, now)) {
    arm(state);
    state.onReplaced(state.opened);
  } else if (now.kind === 'file') {
    // A file replaced by one with the same number, or written to.
    if (why !== 'now and then' || !sameTimes(before, now)) state.onTouched();
  } else if (now.kind === 'missing' && why !== 'change') {
    // A directory on the way may have come or gone.
    arm(state);
  }
}

function sameRoot(one: OpenRoot, other: OpenRoot): boolean {
  if (one.kind === 'missing' || other.kind === 'missing') return one.kind === other.kind;
  if (one.kind !== other.kind || one.real !== other.real) return false;
  // A file that an editor replaces is touched; a directory that is replaced has to be watched anew.
  if (one.kind === 'file') return true;
  const [before, after] = [one.stats, other.stats];
  return before.dev === after.dev && before.ino === after.ino && before.birthtimeMs === after.birthtimeMs;
}

function sameTimes(one: OpenRoot, other: OpenRoot): boolean {
  if (one.kind === 'missing' || other.kind === 'missing') return one.kind === other.kind;
  return one.stats.mtimeMs === other.stats.mtimeMs && one.stats.ctimeMs === other.stats.ctimeMs;
}
