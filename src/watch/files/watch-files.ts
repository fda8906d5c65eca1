import {join} from 'node:path';
import {watchDirectories} from './directory-watch.ts';
import {watchSmallTree} from './file-watch.ts';
import {pollTree} from './poll-watch.ts';
import {type RootPlace, watchRootPlace} from './root-place.ts';
import {hasMoreFiles} from './scan.ts';
import {keepHeapSmall} from './small-heap.ts';
import type {TreeWatch, TreeWatchOptions} from './tree-watch.ts';
import type {FileWatcher, WatchBackend, WatchFilesOptions, WatchRoot} from './types.ts';
import {watchLimitError} from './watch-limits.ts';

/** Trees with more files together are watched by directory. */
const mostFiles = 2_000;

type Backend = Exclude<WatchBackend, 'auto'>;

interface State {
  readonly options: WatchFilesOptions;
  backend: Backend;
  roots: readonly RootWatch[];
  /** Opening and changing the backend, one after the other. */
  work: Promise<void>;
  closed: boolean;
}

interface RootWatch {
  readonly root: WatchRoot;
  place: RootPlace | undefined;
  tree: TreeWatch | undefined;
  closed: boolean;
}

/**
 * Watches directories and files. Roots may not exist, may be links, may be deleted and made again. Where the limits of
 * inotify are reached it goes on by looking at the trees every second, and says so once.
 */
export function watchFiles(options: WatchFilesOptions): FileWatcher {
  const {backend = 'auto'} = options;
  const state: State = {
    options,
    backend: backend === 'auto' ? 'directories' : backend,
    roots: [],
    work: Promise.resolve(),
    closed: false,
  };
  state.work = state.work.then(async () => {
    if (await hasMoreFiles(options.roots, mostFiles)) keepHeapSmall();
    else if (backend === 'auto') state.backend = 'files';
    await openRoots(state);
  });
  return {
    ready: settled(state),
    backend: () => state.backend,
    async close() {
      state.closed = true;
      await settled(state);
      await closeRoots(state);
    },
  };
}

async function settled(state: State): Promise<void> {
  for (let work: Promise<void> | undefined; work !== state.work; ) {
    work = state.work;
    await work;
  }
}

async function openRoots(state: State): Promise<void> {
  if (state.closed) return;
  const roots: readonly RootWatch[] = state.options.roots.map((root) => ({
    root,
    place: undefined,
    tree: undefined,
    closed: false,
  }));
  state.roots = roots;
  const {backend} = state;
  for (const watched of roots) {
    watched.place = watchRootPlace({
      path: watched.root.path,
      watches: backend !== 'polling',
      onReplaced: () => onReplaced(state, watched),
      onTouched: () => hint(state, watched, ''),
      onLimit: (error) => onLimit(state, error),
    });
    openTree(state, watched);
  }
  await Promise.all(roots.map(({tree}) => tree?.ready));
}

async function closeRoots({roots}: State): Promise<void> {
  await Promise.all(
    roots.map((watched) => {
      watched.closed = true;
      watched.place?.close();
      return watched.tree?.close();
    }),
  );
}

function openTree(state: State, watched: RootWatch): void {
  const now = watched.place?.now();
  const {filter} = watched.root;
  if (now?.kind !== 'directory' || filter.prunes('') || watched.closed) return;
  watched.tree = startTree(state, {
    real: now.real,
    filter,
    onHint: (path, lost) => hint(state, watched, path, lost),
    onLimit: (error) => onLimit(state, error),
  });
}

function startTree(state: State, options: TreeWatchOptions): TreeWatch {
  if (state.backend === 'polling') return pollTree(options);
  if (state.backend === 'directories') return watchDirectories(options);
  const onGrown = (): void => {
    if (state.options.backend === undefined || state.options.backend === 'auto') changeBackend(state, 'directories');
  };
  return watchSmallTree({...options, mostFiles, onGrown});
}

/** Another directory under the same name, or none: the old watches are those of what was there. */
function onReplaced(state: State, watched: RootWatch): void {
  if (watched.closed) return;
  void watched.tree?.close();
  watched.tree = undefined;
  openTree(state, watched);
  const tree = watched.tree as TreeWatch | undefined;
  void (tree?.ready ?? Promise.resolve()).then(() => hint(state, watched, ''));
}

function hint(state: State, watched: RootWatch, path: string, lost?: true): void {
  if (watched.closed || state.closed) return;
  const {root} = watched;
  state.options.onEvent({
    path: path === '' ? root.path : join(root.path, path),
    ...(lost === undefined ? {} : {overflow: lost}),
  });
}

function onLimit(state: State, error: NodeJS.ErrnoException): void {
  if (state.closed || state.backend === 'polling') return;
  state.options.onNotice?.({kind: 'polling', error: watchLimitError(error)});
  changeBackend(state, 'polling');
}

/** What happened between the old watches and the new ones is found by looking at everything. */
function changeBackend(state: State, backend: Backend): void {
  if (state.closed || state.backend === backend || state.backend === 'polling') return;
  state.backend = backend;
  state.work = state.work.then(async () => {
    await closeRoots(state);
    await openRoots(state);
    for (const watched of state.roots) hint(state, watched, '', true);
  });
}
