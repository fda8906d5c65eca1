import {spawn} from 'node:child_process';
import {mkdir, readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
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
    socket: join(layout.run, 'keeper.sock'),
  };
  const read = async () => parseState(await readFile(paths.state, 'utf8').catch(() => ''), bootId);
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
      const [old, maps, out, adopt] = await Promise.all([read(), ids(), outbound(), monitors(layout)]);
      const child = await startProcess(program, build, {
        kind: 'keeper',
        ...paths,
        uidMap: formatMap(maps.users),
        gidMap: formatMap(maps.groups),
        newuidmap: maps.programs?.newuidmap ?? '',
        newgidmap: maps.programs?.newgidmap ?? '',
        adopt: old ? adopt.join(' ') : '',
        ...{user: old?.user ?? '', mount: old?.mount ?? '', net: old?.net ?? ''},
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

/** Processes that may be left in the namespaces of a keeper that was killed: the monitors. */
async function monitors(layout: Layout): Promise<readonly number[]> {
  const directory = join(layout.run, 'containers');
  const ids = await readdir(directory).catch(() => []);
  const pids = await Promise.all(
    ids.map(async (id) => {
      const text = await readFile(join(directory, id, 'state.json'), 'utf8').catch(() => '');
      const match = /"monitor":(\d+)/.exec(text);
      return match ? [Number(match[1])] : [];
    }),
  );
  return pids.flat();
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
  const control = child.stdio[3] as Duplex & {unref(): void};
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
