import {spawn} from 'node:child_process';
import {PassThrough, type Readable} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
import {controlPipe} from './control-pipe.ts';
import type {Helper} from './coprocess.ts';
import {encodeHeader, encodeOperation, type FilesOperation} from './operations.ts';
import {type Reply, replyError, splitLines} from './reply.ts';

/** What a process says once it is where the container's files are. */
export interface FilesReply {
  /** The run that it was meant for ended meanwhile: it is to be done again. */
  readonly ended?: boolean;
  readonly stat?: FileStat;
}

/** As stat(2) tells it. */
export interface FileStat {
  readonly size: number;
  readonly mode: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly linkTarget?: string;
}

export interface FilesProcess {
  readonly reply: FilesReply;
  /** What it writes; throws what went wrong, once the rest has been read. A reader that leaves ends the process. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when the process is gone, however it ended. */
  readonly gone: Promise<void>;
}

export interface FilesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Descriptor of a file that it has as its standard input. */
  readonly input?: number;
}

/** Runs one request about a container's files in a process of the helper. Resolves with its first answer, or throws it. */
export async function startFilesProcess(
  helper: Helper,
  operation: FilesOperation,
  {signal = new AbortController().signal, input}: FilesOptions = {},
): Promise<FilesProcess> {
  const [program, build, enter] = await Promise.all([helper.path(), helper.build(), helper.entrance()]);
  signal.throwIfAborted();
  const child = spawn(program, ['files'], {
    stdio: [input ?? 'ignore', 'pipe', 'ignore', 'pipe'],
    cwd: '/',
    env: {},
    signal,
    killSignal: 'SIGKILL',
  });
  // At the end of a process Node drops what nobody has begun to read by then.
  const output = (child.stdout as Readable).pipe(new PassThrough({highWaterMark: 256 * 1024}));
  const control = controlPipe(child);
  const replies: Reply[] = [];
  let onReply = () => {};
  const first = new Promise<void>((resolve) => {
    onReply = resolve;
  });
  control.on('error', () => undefined);
  control.on(
    'data',
    splitLines((line) => {
      replies.push(JSON.parse(line) as Reply);
      onReply();
    }),
  );
  const end = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, name) => {
      const last = replies.at(-1);
      if (last?.error) reject(replyError(last.error));
      else if (replies.length > 1) resolve();
      else
        reject(new TscomposeError('internal', `the native helper ended at its work (${name ?? `exit code ${code}`})`));
    });
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    // It never ran.
    child.once('error', () => child.pid ?? resolve());
  });
  // Whoever reads the output hears of it.
  end.catch(() => undefined);
  control.write(encodeHeader(build));
  if (enter) control.write(encodeOperation(enter));
  control.write(encodeOperation(operation));
  await Promise.race([first, end]);
  const [reply] = replies;
  if (reply?.error) throw replyError(reply.error);
  return {reply: reply as FilesReply, output: read(output, end, () => child.kill('SIGKILL')), gone};
}

async function* read(output: Readable, end: Promise<void>, kill: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* output;
    await end;
  } finally {
    output.destroy();
    kill();
  }
}
