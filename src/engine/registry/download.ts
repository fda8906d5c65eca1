import {backoffDelays} from '../../base/backoff.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Descriptor} from '../image/descriptors.ts';
import type {Connection} from './connection.ts';
import type {HttpResponse} from './http.ts';
import {isPassing, pause, retryDelays} from './retry.ts';
import {errorOfResponse} from './status.ts';

/** Where a blob is put: what came earlier stays, and the next byte is the one after it. */
export interface BlobSink {
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Forgets what came earlier. */
  restart(): Promise<void>;
}

export interface DownloadRequest {
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly sink: BlobSink;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
  /** The connection broke, and it goes on from where it was. */
  readonly onRetry?: (error: TscomposeError) => void;
}

/** A connection that breaks again and again is given up, however little came each time. */
const attemptsMax = 100;

/**
 * Brings the content of a blob into its sink, from where an earlier download stopped, and goes on after a connection has
 * broken. No more is taken than the descriptor says; the content is for the sink to check. Throws `notFound`, `invalid`,
 * and what connections throw.
 */
export async function downloadBlob(connection: Connection, request: DownloadRequest): Promise<void> {
  const {descriptor, sink, signal} = request;
  let delays = backoffDelays(retryDelays);
  for (let attempt = 1; ; attempt += 1) {
    const before = sink.offset;
    try {
      await receive(connection, request);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || attempt === attemptsMax) throw error;
      if (sink.offset > before) delays = backoffDelays(retryDelays);
      const next = delays.next();
      if (next.done === true) throw error;
      request.onRetry?.(error as TscomposeError);
      if (sink.offset === descriptor.size) return;
      await pause(next.value, signal);
    }
  }
}

async function receive(connection: Connection, request: DownloadRequest): Promise<void> {
  const {descriptor, sink, repository, signal} = request;
  const {digest, size} = descriptor;
  if (size === 0 || sink.offset === size) return;
  const from = sink.offset;
  const response = await connection.send({
    method: 'GET',
    target: `/v2/${repository}/blobs/${digest}`,
    scopes: [`repository:${repository}:pull`],
    headers: from === 0 ? {} : {range: `bytes=${from}-`},
    signal,
  });
  const what = `blob ${digest}`;
  const {registry} = connection.endpoint;
  if (response.status === 416 && from > 0) {
    response.discard();
    await sink.restart();
    throw new TscomposeError('unavailable', `registry ${registry}: ${what}: it cannot go on from byte ${from}`);
  }
  if (response.status !== 200 && response.status !== 206) throw await errorOfResponse(response, {what, registry});
  const skip = skipOf(response, from, `registry ${registry}: ${what}`);
  checkLength(response, size - from + skip, `registry ${registry}: ${what}`);
  await write(response, request, skip);
  if (sink.offset < size) {
    throw new TscomposeError(
      'unavailable',
      `registry ${registry}: ${what} ended after ${sink.offset} of ${size} bytes`,
    );
  }
}

/** How much of what comes is there already: everything before, where the registry starts from the beginning. */
function skipOf(response: HttpResponse, from: number, what: string): number {
  if (response.status === 200) return from;
  const start = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(response.headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) === from) return 0;
  response.discard();
  throw new TscomposeError(
    'invalid',
    `${what}: asked for what comes after byte ${from}, it sends "${response.headers['content-range'] ?? ''}"`,
  );
}

function checkLength(response: HttpResponse, expected: number, what: string): void {
  const length = response.headers['content-length'];
  if (length === undefined || Number(length) === expected) return;
  response.discard();
  throw new TscomposeError('invalid', `${what}: it has ${length} bytes to send where ${expected} were promised`);
}

async function write(response: HttpResponse, request: DownloadRequest, skip: number): Promise<void> {
  const {sink, descriptor, onProgress, signal} = request;
  let toSkip = skip;
  for await (const piece of response.body) {
    signal.throwIfAborted();
    const chunk = piece.subarray(Math.min(toSkip, piece.length));
    toSkip -= piece.length - chunk.length;
    if (chunk.length === 0) continue;
    if (sink.offset + chunk.length > descriptor.size) {
      throw new TscomposeError(
        'invalid',
        `registry ${response.url.host}: blob ${descriptor.digest} has more than the ${descriptor.size} bytes it should have`,
      );
    }
    await sink.write(chunk);
    onProgress?.(sink.offset);
  }
}
