import type {Connection, Endpoint, HandlerInput, Handlers} from '../api/endpoint.ts';
import {type Endpoints, endpoints} from '../api/endpoints.ts';
import {apiVersion} from '../api/version.ts';
import {TscomposeError} from '../base/errors.ts';
import type {Engine} from '../engine/engine.ts';
import {errorResponse} from './error-response.ts';
import {buildHandlers} from './handlers/build.ts';
import {containerHandlers} from './handlers/containers.ts';
import {execHandlers} from './handlers/execs.ts';
import {imageHandlers} from './handlers/images.ts';
import {networkHandlers} from './handlers/networks.ts';
import {registryHandlers} from './handlers/registry.ts';
import {syncHandlers} from './handlers/sync.ts';
import {systemHandlers} from './handlers/system.ts';
import {volumeHandlers} from './handlers/volumes.ts';
import {readInput} from './read-input.ts';
import type {ServerRequest, ServerResponse, UpgradeAnswer} from './request.ts';
import {responseOf} from './response-of.ts';
import {createRouter} from './router.ts';

/** The Engine API over a built-in engine: request in, response out, no sockets. Never rejects. */
export interface Server {
  handle(request: ServerRequest): Promise<ServerResponse>;
  /** For a request that asks for an upgrade: a connection, or the response it is declined with. */
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
    ...registryHandlers(engine),
    ...systemHandlers(engine),
    ...syncHandlers(engine),
    ...buildHandlers(engine, options.version),
  };
  // That each handler fits its row is checked by the type above; from here on they are all alike.
  const byName = new Map(Object.entries(handlers) as [string, Handler][]);
  const route = createRouter(endpoints);
  const headers = {'api-version': apiVersion, ostype: 'linux', server: `tscompose/${options.version} (linux)`};

  const run = async (request: ServerRequest): Promise<Ran> => {
    const found = route(request.method, request.path);
    const handler = byName.get(found.name);
    if (handler === undefined) throw new TscomposeError('internal', `no handler for ${found.name}`);
    const signal = request.signal ?? new AbortController().signal;
    return {endpoint: found.endpoint, output: await handler(await readInput(found, request, signal)), signal};
  };
  const respond = ({endpoint, output, signal}: Ran) => responseOf(endpoint, output, {headers, signal});
  return {
    handle: (request) =>
      run(request)
        .then(respond)
        .catch((error: unknown) => errorResponse(error, headers)),
    upgrade: async (request) => {
      try {
        const ran = await run(request);
        const granted = ran.endpoint.answer.kind === 'upgrade' && ran.output !== undefined;
        return granted ? {connection: ran.output as Connection} : {response: await respond(ran)};
      } catch (error) {
        return {response: errorResponse(error, headers)};
      }
    },
  };
}

type Handler = (input: HandlerInput<Endpoint>) => Promise<unknown>;

interface Ran {
  readonly endpoint: Endpoint;
  readonly output: unknown;
  readonly signal: AbortSignal;
}
