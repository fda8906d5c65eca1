import {relative} from 'node:path';
import {watch} from 'chokidar';
import type {TreeWatch, TreeWatchOptions} from './tree-watch.ts';
import {isLimit} from './watch-limits.ts';

export interface FileWatchOptions extends TreeWatchOptions {
  /** Told when more files than this have come to be watched. */
  readonly mostFiles: number;
  readonly onGrown: () => void;
}

/** Watches a small tree with chokidar: one inotify watch a file. */
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
