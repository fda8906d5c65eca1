import {spawn} from 'node:child_process';
import {mkdir, readdir, readFile, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
import {controlPipe} from '../helper/control-pipe.ts';
import {encodeHeader, encodeOperation, type Operation} from '../helper/operations.ts';
import {helperFailure, type Reply, replyError} from '../helper/reply.ts';
import type {Layout} from '../layout.ts';
import {formatMap, type IdMaps} from './ids.ts';
import {type OutboundProgram, outboundWords} from './outbound.ts';

/** What the keeper writes when it is ready (native/src/keeper.c). */
export interface KeeperState {
  /** The process in the namespaces. */
  readonly pid: number;
  readonly boot: string;
  /** `user:[4026532241]` and the like: by these they are known again when their keeper was killed. */
  readonly user: string;
  readonly mount: string;
  readonly net: string;
  /** There is a way out. */
  readonly outbound: boolean;
}

export type Enter = Omit<Operation<'enter'>, 'kind'>;

/** What is started and waits: to be let go once its namespaces were entered. */
export interface StartedKeeper extends Disposable {
  readonly enter: Enter | undefined;
}

/** The namespaces of a user, as helpers enter them (docs/rootless.md). */
export interface Keeper {
  /** Where it listens for those who need a socket outside. */
  readonly socket: string;
  /** Undefined where nothing is written of one; whether it lives is found out by entering. */
  current(): Promise<Enter | undefined>;
  /** Starts one, or waits for one that another command starts. */
  start(program: string, build: Uint8Array): Promise<StartedKeeper>;
  state(): Promise<KeeperState | undefined>;
}

export interface KeeperOptions {
  readonly layout: Layout;
  readonly bootId: string;
  readonly ids: () => Promise<IdMaps>;
  readonly outbound: () => Promise<OutboundProgram | undefined>;
}

export function createKeeper({layout, bootId, ids, outbound}: KeeperOptions): Keeper {
  const paths = {
    use: join(layout.run, 'keeper-use.lock'),
    lock: join(layout.run, 'keeper.lock'),
    state: join(layout.run, 'keeper.json'),
    oldState: join(layout.run, 'keeper-old.json'),
    socket: join(layout.run, 'keeper.sock'),
  };
  const readState = async (path: string) => parseState(await readFile(path, 'utf8').catch(() => ''), bootId);
  const read = () => readState(paths.state);
  const current = async (): Promise<Enter | undefined> => {
    const state = await read();
    if (!state) return undefined;
    const namespace = (name: string) => `/proc/${state.pid}/ns/${name}`;
    return {
      ...{user: namespace('user'), mount: namespace('mnt'), net: namespace('net')},
      ...{use: paths.use, keeper: paths.lock},
    };
  };
  return {
    socket: paths.socket,
    current,
    state: read,
    async start(program, build) {
      await mkdir(layout.run, {recursive: true, mode: 0o700});
      const [maps, out, old] = await Promise.all([ids(), outbound(), read()]);
      const before = old ?? (await readState(paths.oldState));
      const adopt = before ? await processesIn(before.net) : [];
      const child = await startProcess(program, build, {
        kind: 'keeper',
        ...paths,
        uidMap: formatMap(maps.users),
        gidMap: formatMap(maps.groups),
        newuidmap: maps.programs?.newuidmap ?? '',
        newgidmap: maps.programs?.newgidmap ?? '',
        adopt: adopt.join(' '),
        ...{user: before?.user ?? '', mount: before?.mount ?? '', net: before?.net ?? ''},
        outbound: out ? outboundWords(out) : [],
      });
      // Undefined: it was another command's, and is ending already.
      const enter = await current();
      return {enter, [Symbol.dispose]: () => child[Symbol.dispose]()};
    },
  };
}

function parseState(text: string, bootId: string): KeeperState | undefined {
  try {
    const state = JSON.parse(text) as KeeperState;
    return state.boot === bootId ? state : undefined;
  } catch {
    // None, or one that was torn by the end of the machine.
    return undefined;
  }
}

/**
 * Processes that are left in the network namespace of a keeper that was killed: monitors, and helpers of commands that are
 * under way, which may be about to start the first monitor.
 */
async function processesIn(net: string): Promise<readonly number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const link = await readlink(`/proc/${name}/ns/net`).catch(() => undefined);
      return link === net ? [Number(name)] : [];
    }),
  );
  return found.flat();
}

/** Resolves when it is ready. It goes on; disposing tells it that whoever started it has entered, or will not. */
async function startProcess(program: string, build: Uint8Array, operation: Operation<'keeper'>): Promise<Disposable> {
  const child = spawn(program, ['keeper'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: {},
    // A session of its own: it is not the terminal's.
    detached: true,
  });
  const control = controlPipe(child) as Duplex & {unref(): void};
  control.on('error', () => undefined);
  const answered = new Promise<string>((resolve, reject) => {
    let text = '';
    control.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text);
    });
    control.once('close', () => resolve(text));
    child.once('error', reject);
  });
  control.write(encodeHeader(build));
  control.write(encodeOperation(operation));
  const reply = parseReply(await answered);
  if (reply.error) throw explainStart(replyError(reply.error));
  child.unref();
  control.unref();
  return {[Symbol.dispose]: () => void control.destroy()};
}

function parseReply(text: string): Reply {
  if (text.includes('\n')) return JSON.parse(text.split('\n', 1)[0] ?? '') as Reply;
  throw new TscomposeError('internal', 'the process that holds the namespaces of this user ended without an answer');
}

function explainStart(error: TscomposeError): TscomposeError {
  if (helperFailure(error)?.step !== 'make a user namespace') return error;
  return new TscomposeError('forbidden', `cannot run containers without root: ${error.message}`, {
    hint: 'run "tscompose doctor", it says which setting of the machine forbids user namespaces',
    cause: error,
  });
}
