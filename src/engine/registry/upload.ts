import {backoffDelays} from '../../base/backoff.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Descriptor} from '../image/descriptors.ts';
import {type Connection, resolveLocation} from './connection.ts';
import type {HttpResponse} from './http.ts';
import {isPassing, pause, retryDelays} from './retry.ts';
import {errorOfResponse} from './status.ts';

export interface UploadRequest {
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** The content from a byte on, as often as it is asked for. */
  readonly read: (from: number) => AsyncIterable<Uint8Array>;
  /** Another repository of the same registry that has it. */
  readonly mountFrom?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
  readonly onRetry?: (error: TscomposeError) => void;
}

/** How a blob got there. */
export type UploadOutcome = 'exists' | 'mounted' | 'uploaded';

const attemptsMax = 100;

/**
 * Puts a blob into a repository, unless it is there: taken over from another repository where that is possible, else sent,
 * and gone on with after a connection has broken. Throws what connections throw.
 */
export async function uploadBlob(connection: Connection, request: UploadRequest): Promise<UploadOutcome> {
  if (await blobExists(connection, request)) return 'exists';
  const started = await start(connection, request);
  if (started === 'mounted') return 'mounted';
  await sendContent(connection, request, started);
  return 'uploaded';
}

function scopesOf({repository, mountFrom}: UploadRequest): readonly string[] {
  const own = `repository:${repository}:pull,push`;
  return mountFrom === undefined ? [own] : [own, `repository:${mountFrom}:pull`];
}

async function blobExists(connection: Connection, request: UploadRequest): Promise<boolean> {
  const {repository, descriptor, signal} = request;
  const response = await connection.send({
    method: 'HEAD',
    target: `/v2/${repository}/blobs/${descriptor.digest}`,
    scopes: [`repository:${repository}:pull,push`],
    signal,
  });
  response.discard();
  if (response.status !== 200) return false;
  const length = response.headers['content-length'];
  if (length === undefined || Number(length) === descriptor.size) return true;
  throw new TscomposeError(
    'invalid',
    `registry ${connection.endpoint.registry}: blob ${descriptor.digest} is there with ${length} bytes, not ${descriptor.size}`,
  );
}

async function start(connection: Connection, request: UploadRequest): Promise<URL | 'mounted'> {
  const {repository, descriptor, mountFrom, signal} = request;
  const mount =
    mountFrom === undefined ? '' : `?${new URLSearchParams({mount: descriptor.digest, from: mountFrom}).toString()}`;
  const response = await connection.send({
    method: 'POST',
    target: `/v2/${repository}/blobs/uploads/${mount}`,
    scopes: scopesOf(request),
    headers: {'content-length': '0'},
    signal,
  });
  if (response.status === 201) {
    response.discard();
    return 'mounted';
  }
  // Some registries refuse a mount that they could have answered with a place to upload to.
  if (response.status !== 202 && mountFrom !== undefined) {
    response.discard();
    return await start(connection, {...request, mountFrom: undefined});
  }
  if (response.status !== 202) throw await refusal(response, connection, request);
  response.discard();
  return locationOf(response);
}

function locationOf(response: HttpResponse): URL {
  const location = response.headers['location'];
  if (location === undefined) {
    throw new TscomposeError('invalid', `registry ${response.url.host} takes an upload, but does not say where to`);
  }
  return resolveLocation(location, response.url);
}

/** Sends in one piece, from wherever the registry has it. A broken connection is gone on with where it stopped. */
async function sendContent(connection: Connection, request: UploadRequest, first: URL): Promise<void> {
  const {signal, descriptor} = request;
  let place = {url: first, offset: 0};
  let delays = backoffDelays(retryDelays);
  for (let attempt = 1; ; attempt += 1) {
    const before = place.offset;
    try {
      if (place.offset < descriptor.size || descriptor.size === 0) place = await patch(connection, request, place);
      await finish(connection, request, place.url);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || attempt === attemptsMax) throw error;
      place = await whereItIs(connection, request, place.url);
      if (place.offset > before) delays = backoffDelays(retryDelays);
      const next = delays.next();
      if (next.done === true) throw error;
      request.onRetry?.(error as TscomposeError);
      await pause(next.value, signal);
    }
  }
}

interface Place {
  readonly url: URL;
  readonly offset: number;
}

async function patch(connection: Connection, request: UploadRequest, {url, offset}: Place): Promise<Place> {
  const {descriptor, signal, read, onProgress} = request;
  const length = descriptor.size - offset;
  const response = await connection.send({
    method: 'PATCH',
    target: url,
    scopes: scopesOf(request),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(length),
      ...(offset === 0 ? {} : {'content-range': `${offset}-${descriptor.size - 1}`}),
    },
    body: () => counted(read(offset), offset, onProgress),
    signal,
    once: true,
  });
  if (response.status >= 500 || response.status === 416) {
    response.discard();
    throw new TscomposeError(
      'unavailable',
      `registry ${connection.endpoint.registry}: the upload of blob ${descriptor.digest} ended with status ${response.status}`,
    );
  }
  if (response.status !== 202 && response.status !== 204) throw await refusal(response, connection, request);
  response.discard();
  return {url: locationOf(response), offset: descriptor.size};
}

async function finish(connection: Connection, request: UploadRequest, url: URL): Promise<void> {
  const {descriptor, signal} = request;
  const target = new URL(url);
  target.searchParams.append('digest', descriptor.digest);
  const headers = {'content-length': '0', 'content-type': 'application/octet-stream'};
  const response = await connection.send({
    method: 'PUT',
    ...{target, headers, signal, scopes: scopesOf(request)},
  });
  if (response.status === 404 && (await blobExists(connection, request))) {
    // It was asked before, and its answer was lost.
    response.discard();
    return;
  }
  if (response.status !== 201 && response.status !== 204) throw await refusal(response, connection, request);
  response.discard();
  const stored = response.headers['docker-content-digest'];
  if (stored === undefined || stored === descriptor.digest) return;
  throw new TscomposeError(
    'invalid',
    `registry ${connection.endpoint.registry}: blob ${descriptor.digest} was stored as ${stored}`,
  );
}

/** Asks how far an upload has come; one that is forgotten is begun again. */
async function whereItIs(connection: Connection, request: UploadRequest, url: URL): Promise<Place> {
  const response = await connection.send({
    method: 'GET',
    target: url,
    scopes: scopesOf(request),
    signal: request.signal,
  });
  response.discard();
  const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers['range'] ?? '')?.[1];
  if (response.status === 204 && last !== undefined) {
    const location = response.headers['location'];
    // A registry that has nothing says 0-0, as it does for one byte: from one byte nobody goes on.
    const offset = last === '0' ? 0 : Number(last) + 1;
    if (offset > 0 && offset <= request.descriptor.size) {
      return {url: location === undefined ? url : resolveLocation(location, response.url), offset};
    }
  }
  const again = await start(connection, {...request, mountFrom: undefined});
  if (again === 'mounted') throw new TscomposeError('internal', 'an upload was answered as a mount');
  return {url: again, offset: 0};
}

async function refusal(
  response: HttpResponse,
  connection: Connection,
  {descriptor, repository}: UploadRequest,
): Promise<TscomposeError> {
  const what = `cannot push blob ${descriptor.digest} to ${repository}`;
  return await errorOfResponse(response, {what, registry: connection.endpoint.registry});
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  from: number,
  onProgress: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let sent = from;
  for await (const chunk of content) {
    yield chunk;
    sent += chunk.length;
    onProgress?.(sent);
  }
}
