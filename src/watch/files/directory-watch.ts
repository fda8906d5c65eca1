import {type FSWatcher, readdirSync, watch} from 'node:fs';
import {join} from 'node:path';
import {isGone, lookAt} from './scan.ts';
import {timeSlices} from './time-slices.ts';
import type {TreeWatch, TreeWatchOptions} from './tree-watch.ts';
import {isLimit, queuedEvents} from './watch-limits.ts';

interface State extends TreeWatchOptions {
  /** By directory, relative to the root. */
  readonly watches: Map<string, FSWatcher>;
  readonly burst: Burst;
  closed: boolean;
}

/**
 * Watches a tree with one inotify watch a directory; directories that the filter prunes cost none. Made for large trees:
 * chokidar takes a watch for every file.
 */
export function watchDirectories(options: TreeWatchOptions): TreeWatch {
  const state: State = {
    ...options,
    watches: new Map(),
    burst: createBurst(queuedEvents() / 4, () => rebuild(state)),
    closed: false,
  };
  return {
    ready: addTree(state, ''),
    async close() {
      state.closed = true;
      state.burst.close();
      for (const watcher of state.watches.values()) watcher.close();
      state.watches.clear();
    },
  };
}

/** The watch comes before the look at what is in the directory: what is made between the two is seen twice, not never. */
async function addTree(state: State, top: string, onSlice?: () => void): Promise<void> {
  removeTree(state, top);
  const pause = timeSlices();
  const waiting = [top];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (state.closed) return;
    if (!add(state, directory)) continue;
    for (const name of directoriesIn(join(state.real, directory))) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (!state.filter.prunes(path)) waiting.push(path);
    }
    const turn = pause();
    if (turn === undefined) continue;
    onSlice?.();
    await turn;
  }
}

function add(state: State, directory: string): boolean {
  try {
    state.watches.get(directory)?.close();
    const watcher = watch(join(state.real, directory), (kind, name) => onEvent(state, directory, kind, name));
    // It is gone: its parent has told, or will.
    watcher.on('error', () => remove(state, directory));
    state.watches.set(directory, watcher);
    return true;
  } catch (error) {
    state.watches.delete(directory);
    if (isGone(error)) return false;
    if (!isLimit(error)) throw error;
    if (!state.closed) state.onLimit(error);
    return false;
  }
}

function remove(state: State, directory: string): void {
  state.watches.get(directory)?.close();
  state.watches.delete(directory);
}

function removeTree(state: State, top: string): void {
  if (!state.watches.has(top)) return;
  for (const directory of [...state.watches.keys()]) {
    if (top === '' || directory === top || directory.startsWith(`${top}/`)) remove(state, directory);
  }
}

function directoriesIn(path: string): readonly string[] {
  try {
    return readdirSync(path, {withFileTypes: true}).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** A name of `null` means that something in the directory changed. */
function onEvent(state: State, directory: string, kind: string, name: string | null): void {
  if (state.closed) return;
  state.burst.note();
  if (name === null) {
    state.onHint(directory);
    return;
  }
  const path = directory === '' ? name : `${directory}/${name}`;
  if (kind !== 'change') onNamed(state, path);
  else if (state.filter.includes(path)) state.onHint(path);
}

/** A name came, went or was given to something else. A directory may be another one under the same name: watched anew. */
function onNamed(state: State, path: string): void {
  const {filter, onHint} = state;
  if (!filter.prunes(path) && lookAt(join(state.real, path))?.kind === 'directory') {
    void addTree(state, path).then(() => {
      if (!state.closed) onHint(path);
    });
    return;
  }
  const wasDirectory = state.watches.has(path);
  removeTree(state, path);
  if (wasDirectory || filter.includes(path)) onHint(path);
}

/** Hints go out while it works, so that whoever waits for calm waits for its end. */
async function rebuild(state: State): Promise<void> {
  state.onHint('', true);
  await addTree(state, '', () => {
    if (!state.closed) state.onHint('', true);
  });
  if (!state.closed) state.onHint('', true);
}

interface Burst {
  note(): void;
  close(): void;
}

/** A burst is over when nothing came for so long. */
const burstOverMs = 50;
/** One that does not end is followed up after so long all the same. */
const burstCeilingMs = 2_000;

/**
 * The kernel's queue of events can overflow, and Node does not tell: libuv drops IN_Q_OVERFLOW, which belongs to no
 * watch. But it reads until the queue is empty before the loop goes on, so a queue that was full shows as more events in
 * one turn than it holds; far fewer are taken for a sign.
 */
function createBurst(limit: number, onOver: () => Promise<void>): Burst {
  let inTurn = 0;
  let lastAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;
  const wait = (beganAt: number): void => {
    timer = setTimeout(() => {
      const now = performance.now();
      if (now - lastAt < burstOverMs && now - beganAt < burstCeilingMs) return wait(beganAt);
      timer = undefined;
      void onOver();
    }, burstOverMs);
  };
  return {
    note() {
      lastAt = performance.now();
      turn ??= setImmediate(() => {
        turn = undefined;
        inTurn = 0;
      });
      inTurn += 1;
      if (inTurn > limit && timer === undefined) wait(lastAt);
    },
    close() {
      clearTimeout(timer);
      clearImmediate(turn);
    },
  };
}
