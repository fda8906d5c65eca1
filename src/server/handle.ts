import type {Connection, Endpoint, HandlerInput, Handlers} from '../api/endpoint.ts';
import {type Endpoints, endpoints} from '../api/endpoints.ts';
import {encodeJsonLine} from '../api/stream-json.ts';
import {apiVersion, ownHeaders} from '../api/version.ts';
import {TscomposeError} from '../base/errors.ts';
import type {Engine} from '../engine/engine.ts';
import {errorLine, errorResponse} from './error-response.ts';
import {containerHandlers} from './handlers/containers.ts';
import {execHandlers} from './handlers/execs.ts';
import {imageHandlers} from './handlers/images.ts';
import {networkHandlers} from './handlers/networks.ts';
import {systemHandlers} from './handlers/system.ts';
import {volumeHandlers} from './handlers/volumes.ts';
import {readInput} from './read-input.ts';
import type {ServerRequest, ServerResponse, UpgradeAnswer} from './request.ts';
import {createRouter} from './router.ts';

/** The Engine API over a built-in engine: request in, response out, no sockets. Never rejects. */
export interface Server {
  handle(request: ServerRequest): Promise<ServerResponse>;
  upgrade(request: ServerRequest): Promise<UpgradeAnswer>;
}

export interface ServerOptions {
  /** Of the program, for the `Server` header. */
  readonly version: string;
}

export function createServer(engine: Engine, options: ServerOptions): Server {
  const handlers: Handlers<Endpoints> = {
    ...containerHandlers(engine),
    ...execHandlers(engine),
    ...networkHandlers(engine),
    ...volumeHandlers(engine),
    ...imageHandlers(engine),
    ...systemHandlers(engine),
  };
  // Which handler belongs to which row the type above has checked.
  const byName = new Map<string, Handler>(Object.entries(handlers) as [string, Handler][]);
  const route = createRouter(endpoints);
  const headers = {'api-version': apiVersion, ostype: 'linux', server: `tscompose/${options.version} (linux)`};

  const answer = async (request: ServerRequest, wantsUpgrade: boolean): Promise<UpgradeAnswer> => {
    try {
      const found = route(request.method, request.path);
      const handler = byName.get(found.name);
      if (handler === undefined) throw new TscomposeError('internal', `no handler for ${found.name}`);
      const input = await readInput(found, request, request.signal ?? new AbortController().signal);
      return await respond(found.endpoint, await handler(input), headers, wantsUpgrade);
    } catch (error) {
      return {response: errorResponse(error, headers)};
    }
  };
  return {
    handle: async (request) => {
      const answered = await answer(request, false);
      return 'response' in answered ? answered.response : streamOf(answered.connection, headers);
    },
    upgrade: (request) => answer(request, true),
  };
}

type Handler = (input: HandlerInput<Endpoint>) => Promise<unknown>;

async function respond(
  endpoint: Endpoint,
  output: unknown,
  common: Readonly<Record<string, string>>,
  wantsUpgrade: boolean,
): Promise<UpgradeAnswer> {
  const response = (
    type: string | undefined,
    body: ServerResponse['body'],
    more: Readonly<Record<string, string>> = {},
  ): UpgradeAnswer => ({
    response: {
      status: endpoint.answer.status,
      headers: {...common, ...more, ...(type === undefined ? {} : {'content-type': type})},
      body,
    },
  });
  const {answer} = endpoint;
  switch (answer.kind) {
    case 'none':
      return response(undefined, {json: undefined}, endpoint.path === '/_ping' ? pingHeaders : {});
    case 'text':
      return response('text/plain; charset=utf-8', {stream: once(Buffer.from(String(output)))}, pingHeaders);
    case 'json':
      return response(
        'application/json',
        answer.early ? (output as {readonly later: Promise<unknown>}) : {json: output},
      );
    case 'stream': {
      const {contentType, bytes} = output as {readonly contentType: string; readonly bytes: AsyncIterable<Uint8Array>};
      return response(contentType, {stream: bytes});
    }
    case 'progress':
      return response('application/json', {
        stream: await progressLines(output as AsyncIterable<unknown>, answer.early),
      });
    case 'upgrade':
      if (output === undefined) return {response: {status: 200, headers: common, body: {json: undefined}}};
      if (wantsUpgrade) return {connection: output as Connection};
      return {response: streamOf(output as Connection, common)};
  }
}

/** Clients negotiate with these: no cache may answer in our place. */
const pingHeaders = {
  'builder-version': '1',
  'docker-experimental': 'false',
  swarm: 'inactive',
  'cache-control': 'no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  [ownHeaders.features]: 'files',
};

/**
 * Lines of a progress stream. The first value is awaited before anything is answered, so that what fails at once fails
 * with a status of its own; an `early` stream is answered now, and subscribed now.
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
function streamOf(connection: Connection, common: Readonly<Record<string, string>>): ServerResponse {
  return {
    status: 200,
    headers: {...common, 'content-type': connection.contentType},
    body: {stream: readToEnd(connection)},
  };
}

async function* readToEnd(connection: Connection): AsyncGenerator<Uint8Array> {
  try {
    yield* connection.readable;
  } finally {
    connection.destroy();
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
