import type {CallInput, Calls, Connection, Endpoint, EndpointTable} from '../api/endpoint.ts';
import {expandPath} from '../api/path-template.ts';
import {decodeJsonLines} from '../api/stream-json.ts';
import {TscomposeError} from '../base/errors.ts';
import {abortableStream} from './abort.ts';
import {errorOfResponse} from './engine-error.ts';
import {checkedProgress} from './progress.ts';
import type {CallRequest, CallResponse, Transport} from './transport.ts';

/** What any endpoint's input looks like once its row's types are forgotten. */
interface AnyInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** One function a row of the table: sends the request and reads the answer as the row says. */
export function createCalls<T extends EndpointTable>(table: T, transport: Transport): Calls<T> {
  const calls = Object.entries(table).map(([name, endpoint]) => [
    name,
    (input: AnyInput) => send(transport, endpoint, input),
  ]);
  return Object.fromEntries(calls);
}

/** Sends the request of an upgrade row without asking for the upgrade, and waits until it is answered. */
export async function callWithoutUpgrade<E extends Endpoint>(
  transport: Transport,
  endpoint: E,
  input: CallInput<E>,
): Promise<void> {
  const request = requestOf(endpoint, input);
  const response = await transport.call(request);
  await check(response, request, [200, 204]);
  await drain(response);
}

async function send(transport: Transport, endpoint: Endpoint, input: AnyInput): Promise<unknown> {
  const request = requestOf(endpoint, input);
  if (endpoint.answer.kind === 'upgrade') return closedOnAbort(await transport.upgrade(request), input.signal);
  const response = await transport.call(request);
  await check(response, request, successOf(endpoint));
  return read(response, endpoint);
}

function closedOnAbort(connection: Connection, signal: AbortSignal | undefined): Connection {
  if (signal === undefined) return connection;
  signal.addEventListener('abort', () => connection.destroy(), {once: true});
  if (signal.aborted) connection.destroy();
  return {...connection, readable: abortableStream(signal, connection.readable)};
}

function requestOf(endpoint: Endpoint, input: AnyInput): CallRequest {
  const query: Record<string, string | readonly string[]> = {};
  for (const [name, parameter] of Object.entries(endpoint.query)) {
    const value = input.query?.[name];
    if (value !== undefined) query[name] = parameter.format(value);
  }
  const headers: Record<string, string> = {};
  for (const [name, header] of Object.entries(endpoint.headers ?? {})) {
    const value = input.headers?.[name];
    if (value !== undefined) headers[header] = value;
  }
  const body = requestBody(endpoint, input.body);
  return {
    method: endpoint.method,
    path: expandPath(endpoint.path, input.path ?? {}),
    query,
    ...(Object.keys(headers).length === 0 ? {} : {headers}),
    ...(body === undefined ? {} : {body}),
    ...(input.signal === undefined ? {} : {signal: input.signal}),
  };
}

function requestBody(endpoint: Endpoint, body: unknown): CallRequest['body'] {
  if (body === undefined || endpoint.body.kind === 'none') return undefined;
  if (endpoint.body.kind === 'json') return {json: body};
  if (!isBytes(body)) throw new TscomposeError('internal', `${endpoint.path}: the body is not a stream of bytes`);
  return {stream: body, contentType: endpoint.body.contentType};
}

function isBytes(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Engines answer 200, 201 and 204 where only one of them is written down, so each of them is a success. */
function successOf(endpoint: Endpoint): readonly number[] {
  return [endpoint.answer.status, 200, 201, 204];
}

async function check(response: CallResponse, {method, path}: CallRequest, success: readonly number[]): Promise<void> {
  if (!success.includes(response.status)) throw await errorOfResponse(response, `${method} ${path}`);
}

async function read(response: CallResponse, endpoint: Endpoint): Promise<unknown> {
  switch (endpoint.answer.kind) {
    case 'json':
      return 'json' in response.body ? response.body.json : JSON.parse(await textOf(response));
    case 'text':
      return await textOf(response);
    case 'stream':
      return {contentType: response.headers['content-type'] ?? '', bytes: bytesOf(response)};
    case 'described':
      return {
        contentType: response.headers['content-type'] ?? '',
        bytes: bytesOf(response),
        description: headerOf(response, endpoint.answer.header),
      };
    case 'header':
      await drain(response);
      return headerOf(response, endpoint.answer.header);
    case 'progress':
      return checkedProgress(decodeJsonLines(bytesOf(response)));
    default:
      await drain(response);
      return undefined;
  }
}

function headerOf(response: CallResponse, header: string): unknown {
  const value = response.headers[header];
  if (value === undefined)
    throw new TscomposeError('unavailable', `the engine answered without the header "${header}"`);
  return JSON.parse(Buffer.from(value, 'base64').toString('utf8'));
}

function bytesOf(response: CallResponse): AsyncIterable<Uint8Array> {
  return 'stream' in response.body ? response.body.stream : onePiece(response.body.json);
}

async function* onePiece(json: unknown): AsyncGenerator<Uint8Array> {
  if (json !== undefined) yield Buffer.from(JSON.stringify(json));
}

async function textOf(response: CallResponse): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf(response)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

async function drain(response: CallResponse): Promise<void> {
  if ('json' in response.body) return;
  for await (const _ of response.body.stream);
}
