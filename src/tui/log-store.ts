import {StringDecoder} from 'node:string_decoder';
import {readMatcher} from './log-filter.ts';
import {logLevel} from './log-level.ts';
import {type LogResult, mergeTracks} from './log-result.ts';
import {type ColorRun, type LogText, longestLine, readLogText, withReturns} from './log-text.ts';
import {comparePositions, LogTrack} from './log-track.ts';
import type {LogLevel, LogPosition, LogSource} from './types.ts';

export interface LogLine extends LogPosition {
  /** When it was written, in ms; `key` is the same unless the clock went back. */
  readonly time: number;
  readonly service: string;
  readonly number: number;
  /** Of ours, about the container: it started again, it is gone. */
  readonly note: boolean;
  readonly level: LogLevel;
  readonly text: string;
  readonly colors: readonly ColorRun[];
}

export interface LogQuery {
  /** Undefined: all. */
  readonly service: string | undefined;
  /** Undefined: all of the service. */
  readonly number: number | undefined;
  /** As typed; see log-filter.ts. */
  readonly filter: string;
  /** Likewise: both must match. */
  readonly search: string;
  /** Only lines of these times, by replica: of the previous instance. Numbers that are not in it have none. */
  readonly times: readonly TimeWindow[] | undefined;
}

export interface TimeWindow {
  readonly number: number;
  readonly from: number;
  /** The first moment that is not in it. */
  readonly to: number;
}

/** What the screen and its keys may do with the logs. */
export interface LogReader {
  query(query: LogQuery): LogResult<LogLine>;
  /** Rises with every change. */
  readonly version: number;
}

export interface LogStoreOptions {
  readonly linesPerService: number;
  /** Of text, in UTF-16 units. */
  readonly textPerService: number;
}

interface OpenLine {
  line: MutableLine | undefined;
  readonly decoder: StringDecoder;
  text: string;
  /** Characters that were dropped since they are more than a line may have. */
  dropped: number;
}

type MutableLine = {-readonly [K in keyof LogLine]: LogLine[K]};

interface Ring {
  readonly track: LogTrack<LogLine>;
  size: number;
}

interface FilteredResult {
  readonly result: LogResult<LogLine>;
  readonly tracks: Map<string, LogTrack<LogLine>>;
  readonly accepts: (line: LogLine) => boolean;
}

/** More than a screen asks for at a time: its lines, its search, and those of the moment before. */
const keptResults = 6;

/**
 * What the services wrote: for each the last lines, and all of them as one stream in order of time. It lives outside
 * of what is drawn; the screen asks it for the lines that it shows. Searches and filters are kept up to date line by
 * line, so that asking again costs nothing.
 */
export class LogStore implements LogReader {
  readonly #options: LogStoreOptions;
  readonly #rings = new Map<string, Ring>();
  readonly #open = new Map<string, OpenLine>();
  readonly #lastKeys = new Map<string, number>();
  readonly #results = new Map<string, FilteredResult>();
  readonly #all = mergeTracks(() => [...this.#rings.values()].map(({track}) => track));
  #nextId = 1;
  #version = 0;

  constructor(options: Partial<LogStoreOptions> = {}) {
    this.#options = {linesPerService: 5000, textPerService: 2 * 1024 * 1024, ...options};
  }

  get version(): number {
    return this.#version;
  }

  /**
   * Output as it arrives, in pieces of any size; `time` in ms (decimals welcome) is that of the whole piece. What one
   * source (`source.id`) pushes keeps its order: older output that is fetched later comes under an id of its own.
   */
  push(source: LogSource, stream: 'stdout' | 'stderr', data: Uint8Array, time: number): void {
    const key = `${source.id} ${stream}`;
    const open = this.#open.get(key) ?? {line: undefined, decoder: new StringDecoder('utf8'), text: '', dropped: 0};
    this.#open.set(key, open);
    const pieces = open.decoder.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength)).split('\n');
    for (const [index, piece] of pieces.entries()) {
      grow(open, piece);
      if (index < pieces.length - 1) this.#close(source, open, time);
    }
    if (open.text !== '') this.#show(source, open, time);
    this.#version += 1;
  }

  /** No more comes from this container: what it left without a line feed is a line. */
  end(source: LogSource): void {
    for (const stream of ['stdout', 'stderr']) {
      const key = `${source.id} ${stream}`;
      const open = this.#open.get(key);
      if (open !== undefined && open.text !== '') this.#close(source, open, open.line?.time ?? 0);
      this.#open.delete(key);
    }
    this.#lastKeys.delete(source.id);
    this.#version += 1;
  }

  /** A line of ours among those of a container. */
  note(source: LogSource, text: string, time: number): void {
    this.#add(source, this.#newLine(source, readLogText(text), time, true), true);
    this.#version += 1;
  }

  query(query: LogQuery): LogResult<LogLine> {
    if (query.service === undefined && query.filter === '' && query.search === '' && query.times === undefined)
      return this.#all;
    const key = JSON.stringify([query.service, query.number, query.filter, query.search, query.times]);
    const known = this.#results.get(key);
    this.#results.delete(key);
    const kept = known ?? this.#filtered(query);
    this.#results.set(key, kept);
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= keptResults) break;
      this.#results.delete(oldest);
    }
    return kept.result;
  }

  #filtered(query: LogQuery): FilteredResult {
    const tracks = new Map<string, LogTrack<LogLine>>();
    const accepts = testOf(query);
    for (const [service, ring] of this.#rings) {
      if (query.service !== undefined && query.service !== service) continue;
      const track = new LogTrack<LogLine>();
      for (const line of ring.track) if (accepts(line)) track.insert(line);
      tracks.set(service, track);
    }
    return {result: mergeTracks(() => [...tracks.values()]), tracks, accepts};
  }

  /** A line that has not ended is shown already (a question, a progress bar), but not searched. */
  #show(source: LogSource, open: OpenLine, time: number): void {
    if (open.line !== undefined) {
      this.#rewrite(source, open.line, open);
      return;
    }
    open.line = this.#newLine(source, textOf(open), time, false);
    this.#add(source, open.line, false);
  }

  #close(source: LogSource, open: OpenLine, time: number): void {
    if (open.line === undefined) this.#add(source, this.#newLine(source, textOf(open), time, false), true);
    else {
      this.#rewrite(source, open.line, open);
      this.#offer(open.line);
    }
    open.line = undefined;
    open.text = '';
    open.dropped = 0;
  }

  #newLine(source: LogSource, {text, colors}: LogText, time: number, note: boolean): MutableLine {
    // The lines of one container stay in the order in which it wrote them, whatever its clock does.
    const key = note ? time : Math.max(time, this.#lastKeys.get(source.id) ?? time);
    if (!note) this.#lastKeys.set(source.id, key);
    const level = note ? 'none' : logLevel(text);
    return {id: this.#nextId++, key, time, service: source.service, number: source.number, note, level, text, colors};
  }

  #rewrite(source: LogSource, line: MutableLine, open: OpenLine): void {
    const {text, colors} = textOf(open);
    const ring = this.#ringOf(source.service);
    const first = ring.track.at(0);
    // One that was pushed out meanwhile is not counted any more.
    if (first !== undefined && comparePositions(first, line) <= 0) ring.size += text.length - line.text.length;
    line.text = text;
    line.colors = colors;
    line.level = logLevel(text);
  }

  #add(source: LogSource, line: LogLine, complete: boolean): void {
    const ring = this.#ringOf(source.service);
    ring.track.insert(line);
    ring.size += line.text.length;
    if (complete) this.#offer(line);
    while (
      ring.track.length > this.#options.linesPerService ||
      (ring.size > this.#options.textPerService && ring.track.length > 1)
    ) {
      const gone = ring.track.removeFirst();
      if (gone === undefined) break;
      ring.size -= gone.text.length;
      for (const {tracks} of this.#results.values()) {
        const track = tracks.get(gone.service);
        if (track?.at(0) === gone) track.removeFirst();
      }
    }
  }

  /** To the searches and filters that are kept. */
  #offer(line: LogLine): void {
    const first = this.#rings.get(line.service)?.track.at(0);
    if (first === undefined || comparePositions(first, line) > 0) return;
    for (const {tracks, accepts} of this.#results.values()) {
      if (!accepts(line)) continue;
      const track = tracks.get(line.service) ?? new LogTrack<LogLine>();
      tracks.set(line.service, track);
      track.insert(line);
    }
  }

  #ringOf(service: string): Ring {
    const ring = this.#rings.get(service) ?? {track: new LogTrack<LogLine>(), size: 0};
    this.#rings.set(service, ring);
    return ring;
  }
}

function grow(open: OpenLine, arrived: string): void {
  const piece = withReturns(arrived);
  // What a progress bar wrote over is forgotten at once: such a line may go on for hours.
  const last = piece.replace(/\r+$/, '').lastIndexOf('\r');
  if (last >= 0 || (piece !== '' && open.text.endsWith('\r'))) {
    open.text = '';
    open.dropped = 0;
  }
  const text = last >= 0 ? piece.slice(last + 1) : piece;
  const room = Math.max(0, longestLine - open.text.length);
  open.text += text.length > room ? text.slice(0, room) : text;
  open.dropped += Math.max(0, text.length - room);
}

function textOf(open: OpenLine): LogText {
  return readLogText(open.text, open.dropped);
}

function testOf({service, number, filter, search, times}: LogQuery): (line: LogLine) => boolean {
  const matchers = [filter, search].flatMap((typed) => readMatcher(typed) ?? []);
  return (line) =>
    (service === undefined || line.service === service) &&
    (number === undefined || line.number === number) &&
    (times === undefined || times.some((window) => isWithin(line, window))) &&
    matchers.every((matcher) => !line.note && matcher.test(line));
}

function isWithin({number, time}: LogLine, window: TimeWindow): boolean {
  return number === window.number && time >= window.from && time < window.to;
}
