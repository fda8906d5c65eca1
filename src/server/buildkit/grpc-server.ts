import {type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream} from 'node:http2';
import type {Duplex} from 'node:stream';
import {renderDiagnostic} from '../../base/diagnostic.ts';
import {type ErrorKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {drained} from '../drained.ts';
import {encodeStatusMessage, statusCodes, type Wire} from './grpc.ts';
import type {Message, MessageInput, MessageName} from './messages.ts';

/** One method of a service: messages there, messages back. */
export interface Method<Q extends MessageName = MessageName, A extends MessageName = MessageName> {
  readonly request: Q;
  readonly answer: A;
  readonly handle: (messages: AsyncIterable<Message<Q>>, call: Call) => AsyncIterable<MessageInput<A>>;
}

/** A row of a table of methods. */
export function method<Q extends MessageName, A extends MessageName>(
  path: string,
  request: Q,
  answer: A,
  handle: Method<Q, A>['handle'],
): readonly [string, Method] {
  return [path, {request, answer, handle} as unknown as Method];
}

/** A method that is sent one message. */
export function unary<Q extends MessageName, A extends MessageName>(
  path: string,
  request: Q,
  answer: A,
  handle: (message: Message<Q>, call: Call) => AsyncIterable<MessageInput<A>>,
): readonly [string, Method] {
  return method(path, request, answer, async function* (messages, call) {
    for await (const message of messages) {
      yield* handle(message, call);
      return;
    }
    throw new TscomposeError('invalid', `${path} was sent nothing`);
  });
}

export interface Call {
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** By `/package.Service/Method`. */
export type Methods = ReadonlyMap<string, Method>;

/** Answers the calls of one connection (gRPC over HTTP/2) until it ends. */
export function serveGrpc(socket: Duplex, methods: Methods, wire: Wire): void {
  const session = performServerHandshake(socket);
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    void answer(stream, {headers, methods, wire});
  });
  session.on('error', () => socket.destroy());
  session.on('close', () => socket.destroy());
}

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly methods: Methods;
  readonly wire: Wire;
}

async function answer(stream: ServerHttp2Stream, {headers, methods, wire}: Asked): Promise<void> {
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  const path = headers[':path'] ?? '';
  const found = methods.get(path);
  if (found === undefined) return end(stream, {code: statusCodes.unimplemented, message: `unknown method ${path}`});
  try {
    const messages = wire.read(found.request, stream.iterator({destroyOnReturn: false}));
    for await (const message of found.handle(messages, {headers, signal: gone.signal})) {
      if (gone.signal.aborted) return;
      begin(stream);
      if (!stream.write(wire.frame(found.answer, message))) await drained(stream);
    }
    end(stream, {code: statusCodes.ok, message: ''});
  } catch (error) {
    end(stream, statusOf(error));
  }
}

function begin(stream: ServerHttp2Stream): void {
  if (!stream.headersSent)
    stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true});
}

interface Status {
  readonly code: number;
  readonly message: string;
}

/** What went wrong is told in the trailers, which come after everything else. */
function end(stream: ServerHttp2Stream, {code, message}: Status): void {
  if (stream.destroyed || stream.closed) return;
  begin(stream);
  stream.once('wantTrailers', () =>
    stream.sendTrailers({
      'grpc-status': String(code),
      ...(message === '' ? {} : {'grpc-message': encodeStatusMessage(message)}),
    }),
  );
  stream.end();
}

/** Characters: a header has its limits, and what a step printed before it failed may be part of an error. */
const longestMessage = 8 * 1024;

function statusOf(error: unknown): Status {
  const {kind, message, hint, diagnostics} = toTscomposeError(error);
  const places = diagnostics.map((diagnostic) => renderDiagnostic(diagnostic));
  const isTold = diagnostics.some((diagnostic) => diagnostic.message === message);
  const parts = [...(isTold ? [] : [message]), ...places, ...(hint === undefined ? [] : [hint])];
  return {code: codes[kind] ?? statusCodes.unknown, message: parts.join('\n').slice(0, longestMessage)};
}

const codes: Partial<Readonly<Record<ErrorKind, number>>> = {
  canceled: statusCodes.canceled,
  invalid: statusCodes.invalidArgument,
  notFound: statusCodes.notFound,
  conflict: statusCodes.failedPrecondition,
  unsupported: statusCodes.unimplemented,
  internal: statusCodes.internal,
};
