import {type ChildProcess, spawn} from 'node:child_process';
import type {Readable} from 'node:stream';
import {TscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';

/** The machine's git, as it is run for builds. */
export interface GitProgram {
  /** What it wrote. Throws `GitFailure` where it fails, `exhausted` where it writes more than `most` bytes. */
  text(words: readonly string[], most?: number): Promise<string>;
  /** The same while it is written; throws at its end. A reader that leaves ends the program. */
  stream(words: readonly string[]): AsyncGenerator<Uint8Array>;
}

export interface GitRun {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Bytes that one file which it writes may have. */
  readonly fileMost: number;
  /** Begins messages: `cannot fetch https://…`. */
  readonly what: string;
}

/** Git ended without success. */
export class GitFailure extends TscomposeError {
  /** What it wrote to standard error, in English. */
  readonly told: string;

  constructor(what: string, told: string) {
    super(kindOf(told), `${what}: ${reasonOf(told)}`, {hint: hintOf(told)});
    this.told = told;
  }
}

const toldMost = 16 * 1024;
const textMost = 64 * 1024 * 1024;

/**
 * A shell sets what Node cannot: whom the files may be read by, and how long one may get (setrlimit(2)). Its script is
 * always the same, the words are its arguments.
 */
const script = 'umask 022; ulimit -f "$1" || exit 1; shift; exec git "$@"';

/** Units of `ulimit -f` (POSIX). */
const fileUnit = 512;

/** What no repository, and no configuration of anybody, is to decide. */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=',
  'core.attributesFile=/dev/null',
  'protocol.version=2',
  'fetch.unpackLimit=1',
  'fetch.recurseSubmodules=false',
  'transfer.bundleURI=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'tar.umask=0022',
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=60',
].flatMap((setting) => ['-c', setting]);

export function createGit(run: GitRun): GitProgram {
  return {
    async text(words, most = textMost) {
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of runGit(run, words)) {
        bytes += piece.length;
        if (bytes > most) throw new TscomposeError('exhausted', `${run.what}: git tells more than ${most} bytes`);
        pieces.push(piece);
      }
      return Buffer.concat(pieces).toString('utf8');
    },
    stream: (words) => runGit(run, words),
  };
}

async function* runGit(run: GitRun, words: readonly string[]): AsyncGenerator<Uint8Array> {
  const {environment, signal, fileMost, what} = run;
  signal.throwIfAborted();
  const limit = String(Math.ceil(fileMost / fileUnit));
  const all = ['-c', script, 'sh', limit, '--no-pager', '--literal-pathspecs', ...settings, ...words];
  const child = spawn('/bin/sh', all, {stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', env: environment, detached: true});
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-toldMost);
  });
  const ended = new Promise<{readonly code: number | null; readonly signal: string | null}>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, name) => resolve({code, signal: name}));
  });
  ended.catch(() => undefined);
  const stop = () => killGroup(child);
  signal.addEventListener('abort', stop, {once: true});
  let isWhole = false;
  try {
    yield* child.stdout as Readable as AsyncIterable<Uint8Array>;
    const {code} = await ended;
    isWhole = true;
    signal.throwIfAborted();
    if (code === 127) throw missing(what);
    if (code !== 0) throw new GitFailure(what, told);
  } finally {
    signal.removeEventListener('abort', stop);
    if (!isWhole) {
      stop();
      await ended.catch(() => undefined);
    }
  }
}

/** With the programs that it started. */
function killGroup({pid}: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

function missing(what: string): TscomposeError {
  return new TscomposeError('unavailable', `${what}: git is not installed on this machine`, {
    hint: 'install it (Debian, Ubuntu: apt-get install git), or clone the repository elsewhere and name the directory',
  });
}

/** The last lines that say what is wrong, in one. */
function reasonOf(told: string): string {
  const lines = redactUrls(told)
    .split(/\r?\n|\r/)
    .map((line) => line.replace(/^(?:fatal|error|remote|ERROR): */, '').trim())
    .filter((line) => line !== '' && !/^@+$/.test(line));
  // Of ssh's failures git only says that there was one: after what ssh says of them that tells nothing.
  const telling = lines.filter((line) => !general.test(line));
  return printable((telling.length > 0 ? telling : lines).slice(-3).join('; ')) || 'git gave no reason';
}

const general =
  /^(?:Could not read from remote repository\.|Please make sure you have the correct access rights|and the repository exists\.)$/;

/** What a server says may have anything in it. */
function printable(text: string): string {
  return [...text]
    .map((character) => (character < ' ' || (character >= '\x7f' && character < '\xa0') ? '?' : character))
    .join('')
    .slice(0, 500);
}

const denied =
  /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied/i;
const absent = /repository .*not found|does not (?:exist|appear to be a git repository)|couldn't find remote ref/i;

function kindOf(told: string): 'unauthorized' | 'notFound' | 'unavailable' {
  if (denied.test(told)) return 'unauthorized';
  return absent.test(told) ? 'notFound' : 'unavailable';
}

function hintOf(told: string): string | undefined {
  const key = hostKeyHint(told);
  if (key !== undefined) return key;
  if (/requested URL returned error: 30[1278]/i.test(told))
    return 'the server sends on to another address, where a login is not sent: name that address itself';
  if (/Permission denied \(/.test(told))
    return 'the server takes no key of the agent: ssh-add -l lists them; name another agent with --ssh default=SOCKET';
  if (!denied.test(told)) return undefined;
  return 'give a token with --secret id=GIT_AUTH_TOKEN, an agent with --ssh default, or configure a credential helper of git';
}

/** What ssh calls a host: with its port in brackets, where that is another than the usual one. */
function hostKeyHint(told: string): string | undefined {
  if (!/Host key verification failed/i.test(told)) return undefined;
  const named = /(?:host key is known for|Host key for) (\S+) /.exec(told)?.[1] ?? 'HOST';
  if (/IDENTIFICATION HAS CHANGED/.test(told))
    return `its key is another than the one that is known: find out why; then forget the old one: ssh-keygen -R '${named}'`;
  const [, host = named, port] = /^\[(.+)\]:(\d+)$/.exec(named) ?? [];
  const words = port === undefined ? host : `-p ${port} ${host}`;
  return `make its key known first: ssh-keyscan ${words} >> ~/.ssh/known_hosts`;
}
