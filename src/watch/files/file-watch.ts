import {basename, join, relative} from 'node:path';
import {watch} from 'chokidar';
import type {TreeWatch, TreeWatchOptions} from './tree-watch.ts';
import {isLimit} from './watch-limits.ts';

export interface FileWatchOptions extends TreeWatchOptions {
  /** Told when more files than this have come to be watched. */
  readonly mostFiles: number;
  readonly onGrown: () => void;
}

/**
 * Watches a small tree with chokidar: one inotify watch a file. It is silent about links that lead nowhere and about new
 * modes; what the kernel told it of these is passed on as well. A hint too many costs a look, one too few a save.
 */
export function watchSmallTree({real, filter, onHint, onLimit, mostFiles, onGrown}: FileWatchOptions): TreeWatch {
  let files = 0;
  const watcher = watch(real, {
    ignored: (path) => filter.prunes(relative(real, path)),
    ignoreInitial: false,
    // An editor that replaces a file by another gives one change.
    atomic: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
  });
  let isReady = false;
  watcher.on('all', (event, path) => {
    if (event === 'add') files += 1;
    else if (event === 'unlink') files -= 1;
    if (files > mostFiles) onGrown();
    if (!isReady) return;
    const name = relative(real, path);
    const directory = event === 'addDir' || event === 'unlinkDir';
    if (directory || filter.includes(name)) onHint(name);
  });
  watcher.on('raw', (_event, name: unknown, details) => {
    const {watchedPath} = details as {readonly watchedPath: string};
    // A watched file tells its own name, a directory that of what is in it.
    const own = typeof name !== 'string' || basename(watchedPath) === name;
    const path = relative(real, own ? watchedPath : join(watchedPath, name));
    if (isReady && filter.includes(path)) onHint(path);
  });
  watcher.on('error', (error) => {
    if (isLimit(error)) onLimit(error);
  });
  const ready = new Promise<void>((resolve) => {
    watcher.once('ready', () => {
      isReady = true;
      resolve();
    });
  });
  return {ready, close: () => watcher.close()};
}
