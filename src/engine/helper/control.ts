import {type FileHandle, open} from 'node:fs/promises';
import {connect, type Socket} from 'node:net';
import {dirname, join} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {type Frame, readFrames} from './frames.ts';
import {type ControlOperation, encodeHeader, encodeOperations} from './operations.ts';
import {type ReplyError, replyError, splitLines} from './reply.ts';

/** A line of a monitor: members by request, or an error. */
interface ControlReply {
  readonly ok?: boolean;
  readonly error?: ReplyError;
}

/** A control socket takes any build, since monitors live for months. */
const anyBuild = new Uint8Array(16);

/** sun_path of sockaddr_un holds 108 bytes with the final NUL (unix(7)). */
const longestSocketPath = 107;

/** Thrown as the cause of `notFound` when nobody listens: the monitor is gone. */
export function isMonitorGone(error: unknown): boolean {
  return error instanceof TscomposeError && error.kind === 'notFound' && error.cause === monitorGone;
}
const monitorGone = {reason: 'no monitor listens'} as const;

/** Connects to a monitor. Throws `notFound` ({@link isMonitorGone}) when none listens there. */
export async function connectControl(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= longestSocketPath) return await connectPath(path, path);
  // A longer path is reached through its directory's descriptor.
  let directory: FileHandle;
  try {
    directory = await open(dirname(path), 'r');
  } catch (error) {
    throw explain(error, path);
  }
  try {
    return await connectPath(join('/proc/self/fd', String(directory.fd), path.slice(dirname(path).length + 1)), path);
  } finally {
    // Not waited for: the connection may end meanwhile, which its caller would never hear of.
    void directory.close();
  }
}

function connectPath(address: string, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({path: address, allowHalfOpen: true});
    socket.once('error', (error) => reject(explain(error, path)));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      // A monitor that ends resets its connections: for a reader that is the end.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function explain(error: unknown, path: string): TscomposeError {
  const code = (error as NodeJS.ErrnoException).code;
  // A monitor that closes its socket resets who is just connecting.
  if (code !== undefined && ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTDIR'].includes(code)) {
    return new TscomposeError('notFound', `no monitor listens at ${path}`, {cause: monitorGone});
  }
  // So many wait already: it accepts nobody.
  if (code === 'EAGAIN') return noAnswer(path);
  if (code === 'EACCES')
    return new TscomposeError('forbidden', `cannot connect to ${path}: permission denied`, {cause: error});
  return toTscomposeError(error, `cannot connect to ${path}`);
}

function send(socket: Socket, operation: ControlOperation): void {
  socket.write(Buffer.concat([encodeHeader(anyBuild), encodeOperations([operation])]));
}

/** Much longer than a monitor needs, on a busy machine too. */
const answerMs = 30_000;

export interface CallOptions {
  /** Infinity: what is asked for may take any time. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * One request, one line back. Throws the monitor's error, `notFound` ({@link isMonitorGone}) when it is or goes away, `timeout`
 * when it does not answer.
 */
export async function callMonitor<T extends object>(
  path: string,
  operation: ControlOperation,
  {timeoutMs = answerMs, signal}: CallOptions = {},
): Promise<T> {
  const socket = await connectControl(path);
  const limit = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : undefined;
  const ends = [limit, signal].filter((end) => end !== undefined);
  const abort = () => socket.destroy();
  for (const end of ends) end.addEventListener('abort', abort, {once: true});
  try {
    for (const end of ends) end.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      socket.on(
        'data',
        splitLines((line) => settle(line, resolve as (reply: ControlReply) => void, reject)),
      );
      socket.once('close', () => reject(gone(path)));
      socket.once('end', () => reject(gone(path)));
      send(socket, operation);
    });
  } catch (error) {
    throw limit?.aborted === true ? noAnswer(path) : error;
  } finally {
    for (const end of ends) end.removeEventListener('abort', abort);
    socket.destroy();
  }
}

function noAnswer(path: string): TscomposeError {
  return new TscomposeError('timeout', `the monitor at ${path} does not answer`, {
    hint: 'stop the container: that ends a monitor that hangs',
  });
}

function settle(line: string, resolve: (reply: ControlReply) => void, reject: (error: Error) => void): void {
  const reply = JSON.parse(line) as ControlReply;
  if (reply.error !== undefined && typeof reply.error === 'object') reject(replyError(reply.error));
  else resolve(reply);
}

function gone(path: string): TscomposeError {
  return new TscomposeError('notFound', `no monitor listens at ${path}`, {cause: monitorGone});
}

/**
 * The state now and at every change, until the monitor ends (then the iteration ends) or the signal (then it throws
 * `canceled`). Throws `notFound` ({@link isMonitorGone}) when none listens.
 */
export async function* watchMonitor<T>(path: string, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  const socket = await connectControl(path);
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort, {once: true});
  try {
    // Given while the connection was made.
    signal?.throwIfAborted();
    send(socket, {kind: 'watch'});
    const lines: string[] = [];
    const split = splitLines((line) => lines.push(line));
    for await (const chunk of readUntilClosed(socket)) {
      split(chunk);
      for (const line of lines.splice(0)) yield JSON.parse(line) as T;
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** Resolves when the monitor has ended, or at the signal. Meanwhile this program may end. */
export async function whenMonitorEnds(path: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const socket = await connectControl(path).catch(() => undefined);
  if (socket === undefined) return;
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, {once: true});
  if (signal.aborted) end();
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.once('end', end);
    send(socket, {kind: 'watch'});
    socket.unref();
    socket.resume();
  });
  signal.removeEventListener('abort', end);
}

/** A destroyed or reset connection ends the iteration; it is no error here. */
export async function* readUntilClosed(socket: Socket): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of socket) yield chunk as Uint8Array;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (
      code !== 'ECONNRESET' &&
      code !== 'EPIPE' &&
      code !== 'ERR_STREAM_PREMATURE_CLOSE' &&
      code !== 'ERR_STREAM_DESTROYED'
    )
      throw error;
  }
}

/** A connection that carries frames after the first line: attach and exec. */
export interface FrameConnection<T> {
  /** The members of the first line. */
  readonly first: T;
  readonly frames: AsyncIterable<Frame>;
  write(frame: Uint8Array): Promise<void>;
  /** Ends the connection; the process goes on. */
  destroy(): void;
  /** The connection alone does not keep this program alive. */
  unref(): void;
}

/** Throws the monitor's error when it refuses (a program that is not there, for example), `timeout` when it does not answer. */
export async function openFrames<T extends object>(
  path: string,
  operation: ControlOperation,
): Promise<FrameConnection<T>> {
  const socket = await connectControl(path);
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    socket.destroy();
  }, answerMs);
  try {
    send(socket, operation);
    const {first, rest} = await readFirstLine(socket, path);
    const reply = await new Promise<ControlReply>((resolve, reject) => settle(first, resolve, reject));
    return {
      first: reply as T,
      frames: readFrames(readUntilClosed(socket), rest),
      write: (frame) =>
        new Promise((resolve, reject) => {
          if (socket.destroyed || socket.writableEnded) return resolve();
          // A process that closed its input, or ended, is no error of the writer.
          socket.write(frame, (error) => (error && !isClosed(error) ? reject(error) : resolve()));
        }),
      destroy: () => socket.destroy(),
      unref: () => void socket.unref(),
    };
  } catch (error) {
    socket.destroy();
    throw late ? noAnswer(path) : error;
  } finally {
    clearTimeout(limit);
  }
}

function isClosed(error: Error): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

/** Reads up to the first line feed by hand, so that what follows it stays for the frames. */
function readFirstLine(socket: Socket, path: string): Promise<{readonly first: string; readonly rest: Uint8Array}> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const stop = () => {
      socket.off('readable', read);
      socket.off('end', end);
      socket.off('close', end);
    };
    const end = () => {
      stop();
      reject(gone(path));
    };
    const read = () => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const at = seen.indexOf(10);
        if (at < 0) continue;
        stop();
        resolve({first: seen.subarray(0, at).toString(), rest: seen.subarray(at + 1)});
        return;
      }
    };
    socket.on('readable', read);
    socket.once('end', end);
    socket.once('close', end);
  });
}
