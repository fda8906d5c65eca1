import {type ChildProcess, spawn} from 'node:child_process';
import type {Duplex} from 'node:stream';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Keeper} from '../rootless/keeper.ts';
import {controlPipe} from './control-pipe.ts';
import {locateHelper, readHelperBuild} from './locate.ts';
import {encodeHeader, encodeOperation, encodeOperations, type Operation, type requestOperations} from './operations.ts';
import {helperFailure, type Reply, type ReplyError, replyError, splitLines} from './reply.ts';

export type RequestName = keyof typeof requestOperations;

/** A request without its number: the coprocess counts them. */
export type HelperRequest<K extends RequestName = RequestName> = {[N in K]: Omit<Operation<N>, 'request'>}[K];

/** What comes back, by request (docs/native.md). */
export interface HelperReplies {
  hello: {readonly version: number; readonly build: string; readonly pid: number};
  lock: {readonly lock: number};
  tryLock: {readonly lock: number} | {readonly held: true};
  unlock: object;
  cancel: object;
  netlink: {readonly messages: string; readonly errors?: readonly NetlinkError[]};
  launch: {readonly pid: number; readonly monitor: number};
  removeTree: {readonly entries: number};
  measureTree: {readonly bytes: number; readonly entries: number};
  copyUp: {readonly entries: number};
  volumeMount: object;
  volumeUnmount: object;
  topDirectory: {readonly marked: boolean};
  sync: SyncReply;
  syncUndo: SyncReply;
}

export interface SyncReply {
  readonly written: number;
  readonly deleted: number;
  /** The run that it was meant for ended meanwhile: it is to be done again. */
  readonly ended: boolean;
  /** It failed when some of it was in its place already. */
  readonly partial?: {readonly error: ReplyError};
}

export interface NetlinkError {
  /** Which message of the batch. */
  readonly index: number;
  readonly errno: string;
  readonly code: number;
}

export interface LockOptions {
  readonly mode?: 'shared' | 'exclusive';
  readonly signal?: AbortSignal;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
}

/** The native helper as the engine uses it: one process, started with the first request. */
export interface Helper {
  /** The program's path. */
  path(): Promise<string>;
  /** The build id that its streams start with. */
  build(): Promise<Uint8Array>;
  /** What any other process of the helper has to enter first; undefined: nothing. The namespaces last as long as this helper. */
  entrance(): Promise<Operation<'enter'> | undefined>;
  /** Throws what the helper answered, see `helperFailure`. */
  request<K extends RequestName>(operation: HelperRequest<K>): Promise<HelperReplies[K]>;
  /** Waits for its turn. Disposing it frees the lock; so does the end of this process. */
  lock(path: string, options?: LockOptions): Promise<AsyncDisposable>;
  /** Undefined when another process holds the lock. */
  tryLock(path: string, mode?: 'shared' | 'exclusive'): Promise<AsyncDisposable | undefined>;
  /** Ends the helper, and with it every lock. */
  close(): Promise<void>;
}

export interface HelperOptions {
  /** TSCOMPOSE_HELPER, where given. */
  readonly helperPath?: string | undefined;
  /** Where the helper is made from its sources when the package has none for this machine. */
  readonly buildDirectory?: string | undefined;
  /** Without root: who holds the namespaces that helpers enter first. */
  readonly keeper?: Pick<Keeper, 'current' | 'start'> | undefined;
  /** They stay in the machine's network namespace (a container that shares it is launched from there). */
  readonly outsideNetwork?: boolean | undefined;
  /** Taken shared before anything else and held until the end; then `check` decides whether the helper may be used. */
  readonly rootLock?: {readonly path: string; readonly check: () => Promise<void>} | undefined;
}

export function createHelper(options: HelperOptions = {}): Helper {
  let located: Promise<string> | undefined;
  let learned: Promise<Uint8Array> | undefined;
  let started: Promise<Connection> | undefined;
  let closed = false;
  let entered: Operation<'enter'> | undefined;

  const path = (): Promise<string> => (located ??= locateHelper(options.helperPath, options.buildDirectory));
  const build = (): Promise<Uint8Array> => (learned ??= path().then(readHelperBuild));
  const connection = (): Promise<Connection> => {
    if (closed) return Promise.reject(new TscomposeError('canceled', 'the engine is closed'));
    started ??= start();
    return started;
  };

  const start = async () => {
    const [program, id] = await Promise.all([path(), build()]);
    const link = await (options.keeper ? enterKept(program, id, options.keeper) : connect(program, id, undefined));
    if (options.rootLock) {
      try {
        await link.request({kind: 'lock', path: options.rootLock.path, mode: 'shared'});
        await options.rootLock.check();
      } catch (error) {
        // Nobody else knows of it.
        await link.close();
        throw error;
      }
    }
    return link;
  };

  /** A keeper that ended just now, or was killed, is started again; so often in a row nobody is that unlucky. */
  const enterKept = async (program: string, id: Uint8Array, keeper: Pick<Keeper, 'current' | 'start'>) => {
    for (let attempt = 1; ; attempt += 1) {
      const known = attempt === 1 ? await keeper.current() : undefined;
      using started = known ? undefined : await keeper.start(program, id);
      const enter = known ?? started?.enter;
      if (enter === undefined && attempt < keeperAttempts) continue;
      if (enter === undefined)
        throw new TscomposeError(
          'unavailable',
          'the process that holds the namespaces of this user ends again and again',
        );
      const entering: Operation<'enter'> = {kind: 'enter', ...enter, ...(options.outsideNetwork ? {net: ''} : {})};
      const link = connect(program, id, entering);
      try {
        await link.request({kind: 'hello'});
        entered = entering;
        return link;
      } catch (error) {
        await link.close();
        const gone = helperFailure(error)?.errno === 'ENOENT' || hasKind(error, 'notFound');
        if (!gone || attempt === keeperAttempts) throw error;
      }
    }
  };

  return {
    path,
    build,
    async entrance() {
      if (!options.keeper) return undefined;
      await connection();
      return entered;
    },
    request: async (operation) => (await (await connection()).request(operation as HelperRequest)) as never,

    async lock(file, {mode = 'exclusive', signal, onWait} = {}) {
      signal?.throwIfAborted();
      const link = await connection();
      let canceled: Promise<void> | undefined;
      let cancel: (() => void) | undefined;
      try {
        const reply = await link.request({kind: 'lock', path: file, mode}, (number) => {
          cancel = () => {
            canceled ??= link.cancel(number);
            // A helper that died fails the request itself, too.
            canceled.catch(() => undefined);
          };
          onWait?.();
          if (signal?.aborted) cancel();
          else signal?.addEventListener('abort', cancel, {once: true});
        });
        if (canceled !== undefined) {
          // It was granted at the same moment; giving it up frees it all the same.
          await canceled;
          throw gaveUp();
        }
        return heldLock(link, (reply as HelperReplies['lock']).lock);
      } finally {
        if (cancel) signal?.removeEventListener('abort', cancel);
      }
    },

    async tryLock(file, mode = 'exclusive') {
      const link = await connection();
      const reply = (await link.request({kind: 'tryLock', path: file, mode})) as HelperReplies['tryLock'];
      return 'lock' in reply ? heldLock(link, reply.lock) : undefined;
    },

    async close() {
      closed = true;
      const link = await started?.catch(() => undefined);
      await link?.close();
    },
  };
}

const keeperAttempts = 10;

function heldLock(link: Connection, lock: number): AsyncDisposable {
  let held = true;
  return {
    async [Symbol.asyncDispose]() {
      if (!held) return;
      held = false;
      // A helper that ended has freed it.
      if (!link.alive()) return;
      await link.request({kind: 'unlock', lock}).catch((error: unknown) => {
        if (link.alive()) throw error;
      });
    },
  };
}

function gaveUp(): TscomposeError {
  return new TscomposeError('canceled', 'gave up waiting for a lock');
}

/** What the machine has run out of is no fault of the program. */
function explainSpawn(program: string, error: Error): TscomposeError {
  const reason = toTscomposeError(error, `${program} does not run`);
  return reason.kind === 'exhausted' ? reason : new TscomposeError('unavailable', reason.message, {cause: error});
}

interface Connection {
  request(operation: HelperRequest, onWait?: (request: number) => void): Promise<object>;
  /** Gives up a lock that waits: its request ends with `canceled`, unless it was granted in the meantime. */
  cancel(request: number): Promise<void>;
  alive(): boolean;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (reply: object) => void;
  readonly reject: (error: TscomposeError) => void;
  onWait: ((request: number) => void) | undefined;
}

/** Node makes `pipe` a stream socket pair, so descriptor 3 goes both ways. */
function connect(program: string, build: Uint8Array, enter: Operation<'enter'> | undefined): Connection {
  const child: ChildProcess = spawn(program, ['serve'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: {},
    // A session of its own: Ctrl-C at the terminal is for the command, which still needs the helper to clean up.
    detached: true,
  });
  const socket = controlPipe(child) as Duplex & {ref(): void; unref(): void};
  const pending = new Map<number, Pending>();
  let next = 1;
  let failure: TscomposeError | undefined;
  let closing = false;

  const fail = (error: TscomposeError) => {
    failure ??= error;
    for (const {reject} of pending.values()) reject(failure);
    pending.clear();
    socket.destroy();
  };
  const ended = new Promise<void>((resolve) => {
    // Not at `exit`: what it answered before its end may still be in the socket.
    child.once('close', (code, signal) => {
      fail(new TscomposeError('internal', `the native helper ended unexpectedly (${signal ?? `exit code ${code}`})`));
      resolve();
    });
    child.once('error', (error) => {
      fail(explainSpawn(program, error));
      resolve();
    });
  });
  socket.on('error', () => undefined);
  socket.on(
    'data',
    splitLines((line) => {
      const reply = JSON.parse(line) as Reply;
      // Without a number it is about the stream itself, which is refused: everything fails for that reason.
      if (reply.request === undefined && reply.error) fail(replyError(reply.error));
      else answer(pending, reply, () => idle());
    }),
  );
  socket.write(encodeHeader(build));
  if (enter) socket.write(encodeOperation(enter));

  // An idle helper does not keep the command alive; one whose end is waited for does, whatever it still answers.
  const idle = () => {
    if (pending.size === 0 && !closing) {
      socket.unref();
      child.unref();
    }
  };
  idle();

  const request: Connection['request'] = (operation, onWait) => {
    if (failure) return Promise.reject(failure);
    const number = next++;
    return new Promise((resolve, reject) => {
      if (pending.size === 0) {
        socket.ref();
        child.ref();
      }
      pending.set(number, {resolve, reject, onWait});
      socket.write(encodeOperations([{...operation, request: number} as Operation<RequestName>]));
    });
  };

  return {
    request,
    alive: () => failure === undefined,
    async cancel(canceled) {
      await request({kind: 'cancel', canceled});
      // Replies come in order: what was not granted by now never will be.
      pending.get(canceled)?.reject(gaveUp());
      pending.delete(canceled);
      idle();
    },
    async close() {
      closing = true;
      child.ref();
      socket.ref();
      failure ??= new TscomposeError('canceled', 'the engine is closed');
      socket.end();
      await ended;
    },
  };
}

function answer(pending: Map<number, Pending>, reply: Reply, settled: () => void): void {
  const entry = reply.request === undefined ? undefined : pending.get(reply.request);
  if (reply.request === undefined || !entry) return;
  if (reply.waiting === true) {
    const {onWait} = entry;
    entry.onWait = undefined;
    onWait?.(reply.request);
    return;
  }
  pending.delete(reply.request);
  if (reply.error) entry.reject(replyError(reply.error));
  else entry.resolve(reply);
  settled();
}
