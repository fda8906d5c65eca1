import type {ByteStream, Connection, DescribedBytes, Endpoint} from '../api/endpoint.ts';
import {encodeJsonLine} from '../api/stream-json.ts';
import {ownHeaders} from '../api/version.ts';
import {onePiece} from '../base/byte-streams.ts';
import {errorLine} from './error-response.ts';
import type {ServerResponse} from './request.ts';

/** The response to a request whose handler answered `output`, as the row's kind of answer says. */
export async function responseOf(
  endpoint: Endpoint,
  output: unknown,
  context: {readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal},
): Promise<ServerResponse> {
  const {answer} = endpoint;
  const headers = endpoint.path === '/_ping' ? {...context.headers, ...pingHeaders} : context.headers;
  const typed = (type: string) => ({...headers, 'content-type': type});
  const {status} = answer;
  switch (answer.kind) {
    case 'none':
      return {status, headers, body: {json: undefined}};
    case 'text':
      return {
        status,
        headers: typed('text/plain; charset=utf-8'),
        body: {stream: onePiece(Buffer.from(String(output)))},
      };
    case 'json': {
      const body = answer.early ? (output as {readonly later: Promise<unknown>}) : {json: output};
      return {status, headers: typed('application/json'), body};
    }
    case 'stream': {
      const {contentType, bytes} = output as ByteStream;
      return {status, headers: typed(contentType), body: {stream: bytes}};
    }
    case 'described': {
      const {contentType, bytes, description} = output as DescribedBytes<unknown>;
      return {
        status,
        headers: {...typed(contentType), [answer.header]: headerValue(description)},
        body: {stream: bytes},
      };
    }
    case 'header':
      return {status, headers: {...headers, [answer.header]: headerValue(output)}, body: {json: undefined}};
    case 'progress': {
      const stream = await progressLines(output as AsyncIterable<unknown>, answer.early);
      return {status, headers: typed('application/json'), body: {stream}};
    }
    case 'upgrade':
      return plainOutput(output as Connection | undefined, headers, context.signal);
  }
}

function headerValue(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

/** Clients negotiate with these: no cache may answer in our place. */
const pingHeaders = {
  'builder-version': '1',
  'docker-experimental': 'false',
  swarm: 'inactive',
  'cache-control': 'no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  [ownHeaders.features]: 'files,sync,platforms',
};

/**
 * Lines of a progress stream. The first value is awaited before anything is answered, so that what fails at once fails
 * with a status of its own; an `early` stream, which may stay silent for long, is answered now.
 */
async function progressLines(values: AsyncIterable<unknown>, early: boolean): Promise<AsyncIterable<Uint8Array>> {
  const iterator = values[Symbol.asyncIterator]();
  const first = iterator.next();
  if (early) first.catch(() => {});
  else await first;
  return encodeLines(first, iterator);
}

async function* encodeLines(
  first: Promise<IteratorResult<unknown>>,
  iterator: AsyncIterator<unknown>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) yield encodeJsonLine(next.value);
  } catch (error) {
    yield encodeJsonLine(errorLine(error));
  } finally {
    await iterator.return?.();
  }
}

/** A client that did not ask for an upgrade reads the output as a plain answer, and has no input. */
function plainOutput(
  connection: Connection | undefined,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): ServerResponse {
  if (connection === undefined) return {status: 200, headers, body: {json: undefined}};
  signal.addEventListener('abort', () => connection.destroy(), {once: true});
  if (signal.aborted) connection.destroy();
  const stream = readToEnd(connection);
  return {status: 200, headers: {...headers, 'content-type': connection.contentType}, body: {stream}};
}

async function* readToEnd(connection: Connection): AsyncGenerator<Uint8Array> {
  try {
    yield* connection.readable;
  } finally {
    connection.destroy();
  }
}
