import {abortable, abortableStream} from './abort.ts';
import {errorOfResponse} from './engine-error.ts';
import type {CallRequest, CallResponse, Feature, Transport, Upgraded} from './transport.ts';

/** What answers requests in this process. */
export interface LocalEngine {
  handle(request: CallRequest): Promise<LocalResponse>;
  /** Answers a connection, or the response that a request was refused with. */
  upgrade(request: CallRequest): Promise<{readonly connection: Upgraded} | {readonly response: LocalResponse}>;
  readonly features: ReadonlySet<Feature>;
  lock(
    project: string,
    options?: {readonly signal?: AbortSignal; readonly onWait?: () => void},
  ): Promise<AsyncDisposable>;
  close(): Promise<void>;
}

/** `later`: the value of an answer whose headers go out early. */
export interface LocalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CallResponse['body'] | {readonly later: Promise<unknown>};
  /** The error itself, where the response tells of one. */
  readonly cause?: unknown;
}

export interface LocalTransportOptions {
  /** Bodies pass through JSON as they would on a wire: shows what a wire would lose. */
  readonly encode?: boolean;
}

/** The way to an engine in this process: no socket, and JSON bodies pass as values. */
export function localTransport(engine: LocalEngine, options: LocalTransportOptions = {}): Transport {
  const encode = options.encode === true ? throughJson : (value: unknown) => value;
  const prepare = (request: CallRequest): CallRequest =>
    request.body !== undefined && 'json' in request.body
      ? {...request, body: {json: encode(request.body.json)}}
      : request;
  const settle = async (response: LocalResponse, signal?: AbortSignal): Promise<CallResponse> => {
    const {status, headers, body, cause} = response;
    if ('stream' in body) return {status, headers, body: {stream: abortableStream(signal, body.stream)}};
    return {status, headers, body: {json: encode('later' in body ? await body.later : body.json)}, cause};
  };
  return {
    call: (request) =>
      abortable(request.signal, async () => settle(await engine.handle(prepare(request)), request.signal)),
    upgrade: (request) =>
      abortable(request.signal, async () => {
        const answer = await engine.upgrade(prepare(request));
        if ('connection' in answer) {
          // Nobody is there any more to take it.
          if (request.signal?.aborted === true) answer.connection.destroy();
          return answer.connection;
        }
        throw await errorOfResponse(await settle(answer.response), `${request.method} ${request.path}`);
      }),
    features: async () => engine.features,
    lock: (project, lockOptions) => engine.lock(project, lockOptions),
    close: () => engine.close(),
  };
}

function throughJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
