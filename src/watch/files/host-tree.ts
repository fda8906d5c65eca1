import {join, posix} from 'node:path';
import {digestFile, digestKnown} from './digest.ts';
import {entryOf, sameEntry, sameIdentity} from './entry.ts';
import {lookAt, openRoot, scanTree} from './scan.ts';
import {timeSlices} from './time-slices.ts';
import type {HostTree, TreeEntry, WatchRoot} from './types.ts';

interface State {
  readonly root: WatchRoot;
  readonly now: () => number;
  /** Links of the root resolved; undefined while it does not exist. */
  real: string | undefined;
  entries: Map<string, TreeEntry>;
  entered: Set<string>;
  /** Files whose digest has to be taken again when they are looked at, see `Digest.settled`. */
  readonly unsettled: Set<string>;
}

/** Looks at a root for the first time. `now`: milliseconds since the epoch. */
export async function openHostTree(root: WatchRoot, now: () => number): Promise<HostTree> {
  const state: State = {root, now, real: undefined, entries: new Map(), entered: new Set(), unsettled: new Set()};
  await lookAtAll(state);
  let last: Promise<unknown> = Promise.resolve();
  // One look at a time: two that overlap could put an older state over a newer one.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    root,
    manifest: () => state.entries,
    refresh: (where) =>
      inTurn(() => (where === 'everything' ? lookAtAll(state) : lookAtSome(state, relativePaths(root.path, where)))),
    digest: (path) => inTurn(() => digestOf(state, path)),
    fillDigests: (signal) => fillDigests(state, inTurn, signal),
  };
}

function relativePaths(root: string, paths: Iterable<string>): readonly string[] {
  return [...paths]
    .map((path) => posix.relative(root, path))
    .filter((path) => path !== '..' && !path.startsWith('../'));
}

async function lookAtAll(state: State): Promise<readonly string[]> {
  const opened = openRoot(state.root.path);
  const before = state.entries;
  state.real = opened.kind === 'missing' ? undefined : opened.real;
  const {filter} = state.root;
  if (opened.kind === 'directory') {
    const scan = filter.prunes('') ? undefined : await scanTree({real: opened.real, filter, known: before});
    state.entries = scan?.entries ?? new Map();
    state.entered = scan?.entered ?? new Set();
  } else {
    const entry = opened.kind === 'file' && filter.includes('') ? entryOf(opened.stats, before.get('')) : undefined;
    state.entries = new Map(entry === undefined ? [] : [['', entry]]);
    state.entered = new Set();
  }
  const changed = [...before.keys()].filter((path) => !state.entries.has(path));
  for (const [path, entry] of state.entries) {
    const kept = await keepDigest(state, path, before.get(path), entry);
    if (kept !== entry) state.entries.set(path, kept);
    if (!sameEntry(before.get(path), kept)) changed.push(path);
  }
  return changed;
}

/** What was found at some places, to be put in the place of what was known there. */
interface Findings {
  readonly places: ReadonlySet<string>;
  /** Those of them that are or were directories: everything below is new. */
  readonly trees: Set<string>;
  readonly entries: Map<string, TreeEntry>;
  readonly entered: Set<string>;
}

async function lookAtSome(state: State, paths: readonly string[]): Promise<readonly string[]> {
  const {real, entered, root} = state;
  if (real === undefined || paths.includes('') || (state.entries.has('') && paths.length > 0)) return lookAtAll(state);
  // What lies in a directory that was not known is found with the directory.
  const places = new Set(paths.map((path) => firstUnknown(path, entered)));
  const findings: Findings = {places, trees: new Set(), entries: new Map(), entered: new Set()};
  for (const path of places) {
    const entry = lookAt(`${real}/${path}`, state.entries.get(path));
    if (entry !== undefined && root.filter.includes(path)) findings.entries.set(path, entry);
    const enter = entry?.kind === 'directory' && !root.filter.prunes(path);
    if (enter || entered.has(path)) findings.trees.add(path);
    if (!enter) continue;
    const scan = await scanTree({real, filter: root.filter, under: path, known: state.entries});
    for (const [name, below] of scan.entries) findings.entries.set(name, below);
    for (const name of scan.entered) findings.entered.add(name);
  }
  return takeOver(state, findings);
}

/** The topmost directory above the path that has not been entered, or the path itself. */
function firstUnknown(path: string, entered: ReadonlySet<string>): string {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const directory = path.slice(0, slash);
    if (!entered.has(directory)) return directory;
  }
  return path;
}

async function takeOver(state: State, {places, trees, entries, entered}: Findings): Promise<readonly string[]> {
  const changed: string[] = [];
  const remove = (path: string): void => {
    if (entries.has(path) || !state.entries.delete(path)) return;
    state.unsettled.delete(path);
    changed.push(path);
  };
  for (const path of places) remove(path);
  if (trees.size > 0) {
    for (const path of [...state.entries.keys()]) if (isBelow(path, trees)) remove(path);
    for (const path of [...state.entered]) if (trees.has(path) || isBelow(path, trees)) state.entered.delete(path);
    for (const path of entered) state.entered.add(path);
  }
  for (const [path, entry] of entries) {
    const before = state.entries.get(path);
    const kept = await keepDigest(state, path, before, entry);
    state.entries.set(path, kept);
    if (!sameEntry(before, kept)) changed.push(path);
  }
  return changed;
}

function isBelow(path: string, directories: ReadonlySet<string>): boolean {
  for (let slash = path.lastIndexOf('/'); slash !== -1; slash = path.lastIndexOf('/', slash - 1)) {
    if (directories.has(path.slice(0, slash))) return true;
  }
  return false;
}

/**
 * The new entry, with the digest of the old one where the file is certainly the same. One whose content is known and that
 * may have another one by now is read: a file that was only touched, or put back as it was, has not changed.
 */
async function keepDigest(
  state: State,
  path: string,
  before: TreeEntry | undefined,
  entry: TreeEntry,
): Promise<TreeEntry> {
  if (entry.kind !== 'file' || before?.kind !== 'file' || before.digest === undefined) return entry;
  if (!sameIdentity(before.identity, entry.identity) || state.unsettled.has(path))
    return (await readDigest(state, path)) ?? entry;
  return entry === before ? entry : {...entry, digest: before.digest};
}

async function readDigest(state: State, path: string): Promise<(TreeEntry & {readonly kind: 'file'}) | undefined> {
  const digest = await digestFile(join(state.real ?? state.root.path, path), state.now);
  if (digest === undefined) return undefined;
  if (digest.settled) state.unsettled.delete(path);
  else state.unsettled.add(path);
  const before = state.entries.get(path);
  const same = before?.kind === 'file' && sameIdentity(before.identity, digest.identity);
  return {
    kind: 'file',
    mode: digest.mode,
    identity: same ? before.identity : digest.identity,
    digest: digest.sha256,
  };
}

async function digestOf(state: State, path: string): Promise<string | undefined> {
  const entry = state.entries.get(path);
  if (entry?.kind !== 'file') return undefined;
  if (entry.digest !== undefined) return entry.digest;
  const read = await readDigest(state, path);
  // Another file by now: the next look tells of it, so until then what was seen last stays.
  if (read !== undefined && sameIdentity(read.identity, entry.identity)) state.entries.set(path, read);
  return read?.digest;
}

/** So many files are read in one turn, so that a look in between need not wait long. */
const filesPerTurn = 100;

async function fillDigests(
  state: State,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const paths = [...state.entries.keys()];
  const pause = timeSlices();
  for (let next = 0; next < paths.length && signal?.aborted !== true; next += filesPerTurn) {
    await inTurn(async () => {
      for (const path of paths.slice(next, next + filesPerTurn)) await fillDigest(state, path);
    });
    await pause();
  }
}

/** Without promises for the many small files. */
function fillDigest(state: State, path: string): Promise<unknown> | undefined {
  const entry = state.entries.get(path);
  if (entry?.kind !== 'file' || entry.digest !== undefined) return undefined;
  const digest = digestKnown(`${state.real}/${path}`, entry.identity, state.now);
  if (digest === undefined) return digestOf(state, path);
  state.entries.set(path, {...entry, digest});
  return undefined;
}
