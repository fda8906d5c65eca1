import {Agent, type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions} from 'node:http';
import type {Socket} from 'node:net';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {apiVersion, compareVersions, oldestUsedVersion, ownHeaders} from '../api/version.ts';
import {type ErrorKind, TscomposeError, toTscomposeError} from '../base/errors.ts';
import {canceled} from './abort.ts';
import {errorOfResponse} from './engine-error.ts';
import {type EngineAddress, formatAddress} from './host.ts';
import {socketConnection} from './socket-connection.ts';
import type {CallRequest, CallResponse, Feature, Transport, Upgraded} from './transport.ts';

/** The way to an engine behind a unix socket or a TCP address. The first call agrees on a version of the API. */
export function httpTransport(address: EngineAddress): Transport {
  const agent = new Agent({keepAlive: true});
  let greeting: Promise<Greeting> | undefined;
  const greet = (): Promise<Greeting> => {
    greeting ??= askGreeting(address, agent).catch((error: unknown) => {
      // A later call may find the engine up.
      greeting = undefined;
      throw error;
    });
    return greeting;
  };
  const prefix = async (path: string) =>
    path === '/_ping' ? '' : `/v${address.options.version ?? (await greet()).version}`;
  return {
    call: async (request) => readResponse(await exchange(address, agent, request, await prefix(request.path)), request),
    upgrade: async (request) => upgradeRequest(address, request, await prefix(request.path)),
    features: async () => (await greet()).features,
    close: async () => agent.destroy(),
  };
}

interface Greeting {
  readonly version: string;
  readonly features: ReadonlySet<Feature>;
}

async function askGreeting(address: EngineAddress, agent: Agent): Promise<Greeting> {
  const response = await readResponse(await exchange(address, agent, {method: 'HEAD', path: '/_ping'}, ''), {
    method: 'HEAD',
    path: '/_ping',
  });
  const offered = response.headers['api-version'];
  if (offered === undefined) {
    throw new TscomposeError('unavailable', `what listens at ${formatAddress(address)} is not a container engine`);
  }
  if (address.options.version === undefined && compareVersions(offered, oldestUsedVersion) < 0) {
    const reason = `it speaks version ${offered} of the API, at least ${oldestUsedVersion} is needed`;
    throw new TscomposeError('unsupported', `cannot use the engine at ${formatAddress(address)}: ${reason}`);
  }
  const words = (response.headers[ownHeaders.features] ?? '').split(',').map((word) => word.trim());
  return {
    version: compareVersions(offered, apiVersion) < 0 ? offered : apiVersion,
    features: new Set(words.filter((word): word is Feature => ['files', 'sync', 'platforms'].includes(word))),
  };
}

/** Sends a request and waits for the head of its answer. */
async function exchange(
  address: EngineAddress,
  agent: Agent,
  request: CallRequest,
  prefix: string,
): Promise<IncomingMessage> {
  const sent = httpRequest({...requestOptions(address, request, prefix), agent});
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', (error) => reject(connectionError(error, address, request.signal)));
  });
  limitConnecting(sent, address);
  const body = request.body;
  if (body !== undefined && 'stream' in body) return upload(body.stream, sent, answered);
  sent.end(jsonBytes(request));
  return answered;
}

/** Sends a body. An engine may answer before it has read everything: then its answer counts, not the broken pipe. */
async function upload(
  stream: AsyncIterable<Uint8Array>,
  sent: ClientRequest,
  answered: Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  let failure: TscomposeError | undefined;
  const source = async function* () {
    try {
      yield* stream;
    } catch (error) {
      failure = toTscomposeError(error);
      throw error;
    }
  };
  const uploaded = pipeline(Readable.from(source(), {objectMode: false}), sent);
  try {
    return await Promise.race([answered, uploaded.then(() => answered)]);
  } catch {
    // The connection broke because there was nothing more to send: the reason is the caller's.
    if (failure !== undefined) throw failure;
    return await answered;
  }
}

async function upgradeRequest(address: EngineAddress, request: CallRequest, prefix: string): Promise<Upgraded> {
  const options = requestOptions(address, request, prefix);
  const sent = httpRequest({
    ...options,
    agent: false,
    headers: {...options.headers, Connection: 'Upgrade', Upgrade: 'tcp'},
  });
  const answered = new Promise<Upgraded>((resolve, reject) => {
    sent.once('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socketConnection(socket, response.headers['content-type'] ?? ''));
    });
    sent.once('response', (response: IncomingMessage) => {
      readResponse(response, request)
        .then((answer) => errorOfResponse(answer, `${request.method} ${request.path}`))
        .then(reject, reject);
    });
    sent.on('error', (error) => reject(connectionError(error, address, request.signal)));
  });
  limitConnecting(sent, address);
  sent.end(jsonBytes(request));
  return answered;
}

function requestOptions(
  address: EngineAddress,
  request: CallRequest,
  prefix: string,
): RequestOptions & {headers: Record<string, string>} {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const one of typeof value === 'string' ? [value] : value) query.append(name, one);
  }
  const text = query.toString();
  const headers: Record<string, string> = {...address.options.headers, ...request.headers};
  if (request.body !== undefined)
    headers['Content-Type'] = 'json' in request.body ? 'application/json' : request.body.contentType;
  return {
    ...(address.kind === 'unix' ? {socketPath: address.socketPath} : {host: address.host, port: address.port}),
    method: request.method,
    path: `${prefix}${request.path}${text === '' ? '' : `?${text}`}`,
    headers,
    ...(request.signal === undefined ? {} : {signal: request.signal}),
  };
}

/** Given to `end` in one piece, so that Node states its length. */
function jsonBytes(request: CallRequest): Buffer | undefined {
  return request.body !== undefined && 'json' in request.body
    ? Buffer.from(JSON.stringify(request.body.json))
    : undefined;
}

function limitConnecting(sent: ClientRequest, address: EngineAddress): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timeoutMs = address.options.connectionTimeout ?? 10_000;
    const timer = setTimeout(
      () => sent.destroy(new TscomposeError('timeout', `no connection within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const clear = () => clearTimeout(timer);
    socket.once('connect', clear);
    socket.once('close', clear);
  });
}

async function readResponse(message: IncomingMessage, request: CallRequest): Promise<CallResponse> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {status: message.statusCode ?? 0, headers, body: {stream: bodyStream(message, request.signal)}};
}

async function* bodyStream(message: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* message;
  } catch (error) {
    if (signal?.aborted === true) throw canceled(error);
    throw new TscomposeError('unavailable', 'the engine closed the connection in the middle of an answer', {
      cause: error,
    });
  }
}

const reasons: Readonly<Record<string, {readonly kind: ErrorKind; readonly reason: string; readonly hint: string}>> = {
  ENOENT: {
    kind: 'unavailable',
    reason: 'there is no such socket',
    hint: 'check the address (--host or TSCOMPOSE_HOST), and that the engine runs',
  },
  ECONNREFUSED: {
    kind: 'unavailable',
    reason: 'nothing listens there',
    hint: 'check the address (--host or TSCOMPOSE_HOST), and that the engine runs',
  },
  EACCES: {
    kind: 'forbidden',
    reason: 'no permission to use the socket',
    hint: 'run as root or as a member of the group that owns it',
  },
  ENOTFOUND: {kind: 'unavailable', reason: 'the host name is not known', hint: 'check the address'},
};

function connectionError(error: unknown, address: EngineAddress, signal: AbortSignal | undefined): TscomposeError {
  if (signal?.aborted === true) return canceled(error);
  const subject = `cannot reach the engine at ${formatAddress(address)}`;
  if (error instanceof TscomposeError)
    return new TscomposeError(error.kind, `${subject}: ${error.message}`, {cause: error});
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = reasons[code];
  if (known !== undefined)
    return new TscomposeError(known.kind, `${subject}: ${known.reason}`, {hint: known.hint, cause: error});
  return new TscomposeError('unavailable', `${subject}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
