import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import type {Writable} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
import {controlPipe} from '../helper/control-pipe.ts';
import type {Helper} from '../helper/coprocess.ts';
import {encodeHeader, encodeOperation, type Operation} from '../helper/operations.ts';
import {type ReplyError, replyError} from '../helper/reply.ts';
import {writeChunk} from './back-pressure.ts';
import type {BlobSource} from './blob-source.ts';
import {type Compression, decompress} from './compression.ts';

export interface UnpackRequest {
  readonly archive: BlobSource;
  readonly compression: Compression;
  /** An empty directory. */
  readonly destination: string;
  /** Layers below, top first. */
  readonly lowers: readonly string[];
}

export interface UnpackResult {
  /** Digest of the uncompressed archive; of an archive that is not compressed the caller knows it already. */
  readonly diffId: string | undefined;
  readonly bytes: number;
  readonly entries: number;
  /** Things that only the layers below could tell (owner of directories without an entry). */
  readonly implied: number;
}

/**
 * Unpacks an archive by a process of the helper. A whole and uncompressed one the process reads itself; any other it is fed
 * from here, and the content hashed on the way.
 */
export async function unpackArchive(
  helper: Helper,
  request: UnpackRequest,
  signal: AbortSignal,
): Promise<UnpackResult> {
  const [program, build, enter] = await Promise.all([helper.path(), helper.build(), helper.entrance()]);
  signal.throwIfAborted();
  const {archive} = request;
  const isFile = request.compression === 'none' && archive.isWhole && archive.path !== undefined;
  const file = isFile ? await open(archive.path, 'r') : undefined;
  try {
    return await run({program, build, enter}, request, file?.fd ?? 'pipe', signal);
  } finally {
    await file?.close();
  }
}

interface Start {
  readonly program: string;
  readonly build: Uint8Array;
  readonly enter: Operation<'enter'> | undefined;
}

async function run(
  {program, build, enter}: Start,
  request: UnpackRequest,
  input: number | 'pipe',
  signal: AbortSignal,
): Promise<UnpackResult> {
  const child = spawn(program, ['unpack'], {
    stdio: [input, 'ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: {},
    signal,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<{readonly code: number | null; readonly signal: string | null}>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, name) => resolve({code, signal: name}));
  });
  // Awaited below, after the input.
  ended.catch(() => undefined);
  const control = controlPipe(child);
  let answer = '';
  control.on('error', () => undefined);
  control.on('data', (chunk: Buffer) => {
    answer += chunk.toString('utf8');
  });
  const {destination, lowers} = request;
  control.write(encodeHeader(build));
  if (enter) control.write(encodeOperation(enter));
  control.write(
    encodeOperation({kind: 'unpack', destination, whiteouts: 'overlay', xattrs: enter ? 'user' : 'trusted', lowers}),
  );
  const diffId = child.stdin
    ? await feed(request, child.stdin, signal).catch((error) => ({error: error as unknown}))
    : undefined;
  const end = await ended;
  // What the process says is nearer to the cause than the pipe that broke.
  const reply = parseAnswer(answer, end);
  if (reply.error && !isError(diffId)) throw replyError(reply.error);
  if (isError(diffId)) throw diffId.error;
  return {diffId, bytes: reply.bytes ?? 0, entries: reply.entries ?? 0, implied: reply.implied ?? 0};
}

function isError(value: string | {readonly error: unknown} | undefined): value is {readonly error: unknown} {
  return typeof value === 'object';
}

interface Answer {
  readonly ok?: boolean;
  readonly error?: ReplyError;
  readonly bytes?: number;
  readonly entries?: number;
  readonly implied?: number;
}

function parseAnswer(text: string, end: {readonly code: number | null; readonly signal: string | null}): Answer {
  const line = text.split('\n', 1)[0] ?? '';
  if (line !== '' && text.includes('\n')) return JSON.parse(line) as Answer;
  throw new TscomposeError(
    'internal',
    `the native helper ended while it unpacked (${end.signal ?? `exit code ${end.code}`})`,
  );
}

/** Answers the digest of what went through. A process that stopped reading has an answer why. */
async function feed(
  {archive, compression}: UnpackRequest,
  stdin: Writable,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  // A process that ended has said why.
  stdin.on('error', () => undefined);
  try {
    for await (const chunk of decompress(archive.read(signal), compression)) {
      hash.update(chunk);
      if (!(await writeChunk(stdin, chunk))) return undefined;
    }
    return `sha256:${hash.digest('hex')}`;
  } finally {
    stdin.end();
  }
}

/** Digest of an archive's content. */
export async function contentDigest(
  archive: BlobSource,
  compression: Compression,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of decompress(archive.read(signal), compression)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
