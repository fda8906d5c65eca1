import {appendFileSync, statSync} from 'node:fs';
import type {EngineEvent, Filters} from '../api/types/system.ts';
import {hasKind, toTscomposeError} from '../base/errors.ts';
import {rename} from './at-once.ts';
import {createBootClock, type Now, readBootId, unixNanoseconds} from './clock.ts';
import {matchEvent} from './event-filters.ts';
import {followJournal} from './journal-reader.ts';
import type {Layout} from './layout.ts';

/** A line of the journal holds at most this much: one write of it is whole (O_APPEND). */
const longestLine = 4096;
const rotateAt = 16 * 1024 * 1024;

/** What happened, in the journal's own words. Attribute values are texts, as in the Engine API. */
export interface JournalEntry {
  readonly type: EngineEvent['Type'];
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of a container that was removed: how it ended, for who waits for that. Not in the Engine API's event. */
  readonly exitCode?: number;
}

export interface FollowOptions {
  /** Unix seconds with fraction; absent: only what happens from now on. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly filters?: Filters | undefined;
  /** Called once the journal is open: nothing that happens from then on is missed. */
  readonly onReady?: () => void;
}

/** Reads and writes the journal that all processes of a root share. */
export interface Events {
  append(entry: JournalEntry): Promise<void>;
  /** Replays from `since` (Unix seconds), then follows until `until` (past: ends at once) or the signal. */
  follow(options: FollowOptions, signal?: AbortSignal): AsyncIterable<EngineEvent>;
  /** The same in the journal's own words. */
  entries(options: FollowOptions, signal?: AbortSignal): AsyncIterable<StoredEntry>;
}

export interface EventsContext {
  readonly layout: Layout;
  readonly now: Now;
  /** Runs the function alone among all processes, see `Helper.lock`. */
  readonly exclusively: (path: string, run: () => Promise<void>) => Promise<void>;
}

export function createEvents({layout, now, exclusively}: EventsContext): Events {
  let bootClock: (() => bigint) | undefined;
  let boot: string | undefined;

  async function* entries({since, until, filters, onReady}: FollowOptions, signal?: AbortSignal) {
    for await (const entry of followJournal(layout, {since, until, now, onReady}, signal))
      if (filters === undefined || matchEvent(toEngineEvent(entry), filters)) yield entry;
  }

  return {
    async append(entry) {
      bootClock ??= createBootClock();
      boot ??= readBootId();
      const line = encodeEntry(entry, {seq: bootClock(), boot, time: unixNanoseconds(now)});
      try {
        appendFileSync(layout.journal, line, {mode: 0o600});
      } catch (error) {
        // What the event tells of is done, and a removal is just what a full disk needs.
        if (!hasKind(toTscomposeError(error), 'exhausted')) throw error;
      }
      await rotate(layout, exclusively);
    },

    async *follow(options, signal) {
      for await (const entry of entries(options, signal)) yield toEngineEvent(entry);
    },

    entries,
  };
}

interface Stamp {
  readonly seq: bigint;
  readonly boot: string;
  readonly time: bigint;
}

/** A line too long for one write loses its longest attributes; id, action and the names stay. */
function encodeEntry({type, action, id, attributes, exitCode}: JournalEntry, {seq, boot, time}: Stamp): string {
  const ended = exitCode === undefined ? '' : `"exitCode":${exitCode},`;
  const encode = (members: Readonly<Record<string, string>>) =>
    `{"v":1,"seq":${seq},"boot":${JSON.stringify(boot)},"time":${time},"type":${JSON.stringify(type)},"action":${JSON.stringify(action)},"id":${JSON.stringify(id)},${ended}"attributes":${JSON.stringify(members)}}\n`;
  return encode(shorten(attributes, longestLine - Buffer.byteLength(encode({}))));
}

/** Leaves the longest attributes out until their JSON (without braces) fits `limit` bytes. `name` and `image` stay. */
export function shorten(attributes: Readonly<Record<string, string>>, limit: number): Readonly<Record<string, string>> {
  const size = (members: Readonly<Record<string, string>>) => Buffer.byteLength(JSON.stringify(members)) - 2;
  if (size(attributes) <= limit) return attributes;
  const kept = {...attributes};
  const longestFirst = Object.keys(attributes)
    .filter((key) => key !== 'name' && key !== 'image')
    .sort((a, b) => (attributes[b] ?? '').length + b.length - ((attributes[a] ?? '').length + a.length));
  for (const key of longestFirst) {
    delete kept[key];
    if (size(kept) <= limit) break;
  }
  return kept;
}

/** One older journal is kept. */
async function rotate(layout: Layout, exclusively: EventsContext['exclusively']): Promise<void> {
  const isFull = () => (statSync(layout.journal, {throwIfNoEntry: false})?.size ?? 0) >= rotateAt;
  if (!isFull()) return;
  await exclusively(layout.locks.events, async () => {
    // Another process may have rotated while we waited.
    if (isFull()) await rename(layout.journal, layout.olderJournal);
  });
}

export interface StoredEntry extends JournalEntry {
  readonly v: number;
  /** Unix nanoseconds, exact. */
  readonly time: bigint;
}

function toEngineEvent({type, action, id, attributes, time}: StoredEntry): EngineEvent {
  return {
    Type: type,
    Action: action,
    Actor: {ID: id, Attributes: attributes},
    scope: 'local',
    time: Number(time / 1_000_000_000n),
    timeNano: Number(time),
  };
}
