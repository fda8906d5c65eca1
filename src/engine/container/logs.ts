import {type FSWatcher, watch} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError} from '../../base/errors.ts';
import {monotonicMilliseconds, parseNanoseconds, secondsToNanoseconds, unixNanoseconds} from '../clock.ts';
import type {LogChunk, LogOptions} from '../engine.ts';
import {watchMonitor} from '../helper/control.ts';
import type {ContainerContext} from './context.ts';
import {hasReadableLog} from './log-config.ts';
import {type LogFile, openLogFiles, openNextLogFile} from './log-file.ts';
import {findContainer} from './reference.ts';
import {observe} from './state.ts';

/** A line of a json-file log. */
interface LogLine {
  readonly log: string;
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly attrs?: Readonly<Record<string, string>>;
}

/** A log is read at most this often. */
const gatherMs = 50;

/**
 * A container's log from where the options say; with `follow` until it stops, the signal, or `until`. What is there is read
 * many lines at a time. Throws `notFound`, `invalid`, `unsupported`.
 */
export async function* readLogs(
  context: ContainerContext,
  reference: string,
  options: LogOptions,
  signal?: AbortSignal,
): AsyncGenerator<readonly LogChunk[], void, undefined> {
  if (!options.stdout && !options.stderr) {
    throw new TscomposeError('invalid', 'Bad parameters: you must choose at least one stream');
  }
  const {id, record} = await findContainer(context.layout, reference);
  if (!hasReadableLog(record)) throw unreadableLog();
  const {log: path, directory, control} = context.layout.container(id);
  const until = options.until === undefined ? undefined : secondsToNanoseconds(options.until);
  const wanted = selectLines(options, until);
  // Asked before the first read: what is written until it ends is then read for sure.
  const observation = await observe(context, id);
  // One that has just ended may have said more than its file has yet: that is waited for, whoever asks.
  const isBeingWritten = observation.kind === 'exited' && observation.ending;
  const follow = isBeingWritten || (options.follow === true && observation.kind === 'live');
  const remainingMs = until === undefined ? undefined : Number(until - unixNanoseconds(context.now)) / 1e6;
  using wakes = follow ? watchLog({directory, control, remainingMs, signal}) : undefined;
  await using files = await openTail(path, options.tail);
  for (;;) {
    const wake = wakes?.next();
    const readAt = monotonicMilliseconds();
    const over = wakes === undefined || wakes.ended() || signal?.aborted === true;
    for await (const lines of files.lines()) {
      const {chunks, over: tooLate} = wanted(lines);
      if (chunks.length > 0) yield chunks;
      if (tooLate) return;
      if (signal?.aborted) break;
    }
    if (over) break;
    await wake;
    // The first line of many comes at once; those after it are read together, not one by one.
    const early = readAt + gatherMs - monotonicMilliseconds();
    if (early > 0 && !wakes.ended()) await delay(early);
  }
  signal?.throwIfAborted();
}

export function unreadableLog(): TscomposeError {
  return new TscomposeError('unsupported', 'configured logging driver does not support reading');
}

/** `over`: everything after these is too late. */
interface Selected {
  readonly chunks: readonly LogChunk[];
  readonly over: boolean;
}

function selectLines(options: LogOptions, until: bigint | undefined): (lines: readonly string[]) => Selected {
  const since = options.since === undefined ? undefined : secondsToNanoseconds(options.since);
  return (lines) => {
    const chunks: LogChunk[] = [];
    for (const text of lines) {
      const line = parseLine(text);
      if (line === undefined || !options[line.stream]) continue;
      if (since !== undefined || until !== undefined) {
        const time = parseNanoseconds(line.time) ?? 0n;
        if (since !== undefined && time < since) continue;
        if (until !== undefined && time > until) return {chunks, over: true};
      }
      const {stream, log, time, attrs} = line;
      chunks.push({stream, data: Buffer.from(log, 'utf8'), time, ...(attrs === undefined ? {} : {attributes: attrs})});
    }
    return {chunks, over: false};
  };
}

/** A line torn by a power loss is skipped. */
function parseLine(text: string): LogLine | undefined {
  try {
    const line = JSON.parse(text) as LogLine;
    return typeof line.log === 'string' && (line.stream === 'stdout' || line.stream === 'stderr') ? line : undefined;
  } catch {
    return undefined;
  }
}

interface LogFiles extends AsyncDisposable {
  /** What was not read yet, in all files up to the newest. */
  lines(): AsyncGenerator<readonly string[], void, undefined>;
}

async function openTail(path: string, tail: number | undefined): Promise<LogFiles> {
  let files = await openLogFiles(path);
  if (tail !== undefined && tail >= 0) {
    let missing = tail;
    const kept: LogFile[] = [];
    for (const file of files.reverse()) {
      if (missing > 0 || kept.length === 0) {
        missing -= await file.seekTail(missing);
        kept.unshift(file);
      } else {
        await file.close();
      }
    }
    files = kept;
  }
  return {
    async *lines() {
      for (;;) {
        const [oldest] = files;
        if (oldest === undefined) {
          files = await openLogFiles(path);
          if (files.length === 0) return;
          continue;
        }
        yield* oldest.lines();
        if (files.length === 1) {
          const next = await openNextLogFile(path, oldest.inode);
          if (next === undefined) return;
          files.push(next);
          // What was written to it before it was rotated.
          yield* oldest.lines();
        }
        await oldest.close();
        files = files.slice(1);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const file of files) await file.close();
    },
  };
}

interface LogWatch extends Disposable {
  next(): Promise<void>;
  /** The container stopped, or time is over. */
  ended(): boolean;
}

interface Watched {
  readonly directory: string;
  readonly control: string;
  readonly remainingMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The directory tells of new lines, the monitor of their end. */
function watchLog({directory, control, remainingMs, signal}: Watched): LogWatch {
  let wake: () => void = () => undefined;
  let ended = false;
  let poll: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const stop = new AbortController();
  const end = () => {
    ended = true;
    wake();
  };
  // Watches are a limited resource of the machine (inotify(7)); without one the file is looked at now and then.
  const fallBack = () => {
    poll ??= setInterval(() => wake(), 250);
  };
  try {
    watcher = watch(directory, () => wake());
    watcher.on('error', fallBack);
  } catch {
    fallBack();
  }
  const timer =
    remainingMs === undefined ? undefined : setTimeout(end, Math.min(Math.max(remainingMs, 0), 2 ** 31 - 1));
  signal?.addEventListener('abort', end, {once: true});
  void untilAllIsLogged(control, stop.signal).then(end);
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    ended: () => ended,
    [Symbol.dispose]() {
      stop.abort();
      watcher?.close();
      clearInterval(poll);
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    },
  };
}

/** Which the monitor says before it clears up; one of an earlier version ends without a word. */
async function untilAllIsLogged(control: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const {logged} of watchMonitor<{readonly logged?: boolean}>(control, signal))
      if (logged === true) return;
  } catch {
    // Gone already, or we are.
  }
}
