import {appendFileSync, rmSync, statSync} from 'node:fs';
import type {SyncedFiles} from '../../api/types/sync.ts';
import {validateSynced, validateSyncedChange} from '../generated/record-validators.js';
import type {ContainerPaths} from '../layout.ts';
import {parseRecord, readRecord, readText, writeRecord} from '../record-store.ts';
import {createSyncedState, type SyncedChange, type SyncedState} from './synced-state.ts';

/**
 * What was synced into a container is a record, `synced.json`, and a journal of what came after it, `synced.ndjson`: to
 * save one file costs one short line, however many there are. Written under the operation lock.
 */
export interface BegunSync {
  readonly path: string;
  readonly prefix: string;
  readonly changes: readonly SyncedChange[];
}

interface Line {
  readonly v: 1;
  readonly begin?: BegunSync;
  readonly end?: 'done' | 'nothing';
}

/** Told before anything is changed: a process that is killed leaves paths that nobody can be sure of. */
export function beginSync(paths: ContainerPaths, begin: BegunSync): void {
  append(paths, {v: 1, begin});
}

/** `nothing`: it failed before anything was changed. */
export async function endSync(paths: ContainerPaths, end: 'done' | 'nothing'): Promise<void> {
  append(paths, {v: 1, end});
  await compact(paths);
}

/** A line that was cut off by a full disk or a kill is told apart by the line feed before the next one. */
function append(paths: ContainerPaths, line: Line): void {
  appendFileSync(paths.syncedJournal, `\n${JSON.stringify(line)}\n`, {mode: 0o600});
}

export async function readSynced(paths: ContainerPaths): Promise<SyncedFiles> {
  const {state, open} = await read(paths);
  if (open !== undefined) state.doubt(open.changes);
  return {v: 1, files: state.files()};
}

/** The last sync, where its process was killed before it ended. */
export async function readOpenSync(paths: ContainerPaths): Promise<BegunSync | undefined> {
  return (await read(paths)).open;
}

async function read(
  paths: ContainerPaths,
): Promise<{readonly state: SyncedState; readonly open: BegunSync | undefined}> {
  const text = (await readText(paths.syncedJournal)) ?? '';
  // After the journal: what is in both is laid over itself, and the outcome is the same.
  const base = await readRecord<SyncedFiles>(paths.synced, validateSynced);
  const state = createSyncedState(base?.files);
  let open: BegunSync | undefined;
  for (const {begin, end} of text.split('\n').flatMap((line) => parseLine(line, paths))) {
    if (begin !== undefined) {
      if (open !== undefined) state.doubt(open.changes);
      open = begin;
    } else {
      if (end === 'done' && open !== undefined) state.apply(open.changes);
      open = undefined;
    }
  }
  return {state, open};
}

/** Torn lines do not count: what they were about to tell had not happened yet. */
function parseLine(line: string, {syncedJournal}: ContainerPaths): readonly Line[] {
  if (!line.startsWith('{') || !line.endsWith('}')) return [];
  try {
    JSON.parse(line);
  } catch {
    return [];
  }
  return [parseRecord<Line>(line, syncedJournal, validateSyncedChange)];
}

/** Below this many bytes a journal is read as quickly as the record. */
const smallJournal = 256 * 1024;

/** When the journal has outgrown the record. The caller has just ended a sync: none is open. */
async function compact(paths: ContainerPaths): Promise<void> {
  if (sizeOf(paths.syncedJournal) <= Math.max(smallJournal, sizeOf(paths.synced))) return;
  await writeRecord(paths.synced, await readSynced(paths));
  rmSync(paths.syncedJournal, {force: true});
}

function sizeOf(path: string): number {
  return statSync(path, {throwIfNoEntry: false})?.size ?? 0;
}
