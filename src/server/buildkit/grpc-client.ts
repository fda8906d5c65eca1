import {type ClientHttp2Session, type ClientHttp2Stream, connect, constants} from 'node:http2';
import type {Duplex} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';
import {drained} from '../drained.ts';
import {decodeStatusMessage, statusCodes, type Wire} from './grpc.ts';
import type {Message, MessageInput, MessageName} from './messages.ts';

/** One call: messages go both ways until one side has said all. */
export interface OpenCall<Q extends MessageName, A extends MessageName> {
  /** Ends with the call; throws where its status is not `ok`. */
  readonly answers: AsyncIterable<Message<A>>;
  send(message: MessageInput<Q>): Promise<void>;
  end(): void;
  cancel(): void;
}

export interface Caller {
  /** `method`: `/package.Service/Method`. */
  open<Q extends MessageName, A extends MessageName>(
    method: string,
    types: {readonly request: Q; readonly answer: A},
    headers?: Readonly<Record<string, string | readonly string[]>>,
  ): OpenCall<Q, A>;
  /** One message there, one back; without the signal it waits as long as it takes. Throws `notFound`, `unsupported`, `internal`, `unavailable` by the status. */
  call<Q extends MessageName, A extends MessageName>(
    method: string,
    types: {readonly request: Q; readonly answer: A},
    message: MessageInput<Q>,
    signal?: AbortSignal,
  ): Promise<Message<A>>;
  close(): void;
}

/** Calls the services at the other end of a connection (gRPC over HTTP/2). */
export function createCaller(socket: Duplex, wire: Wire): Caller {
  const session = connect('http://client', {createConnection: () => socket});
  session.on('error', () => socket.destroy());
  const open: Caller['open'] = (method, {request, answer}, headers = {}) => {
    const stream = startCall(session, method, headers);
    let status: {readonly code: number; readonly message: string} | undefined;
    const note = (from: {readonly [name: string]: unknown}) => {
      const code = from['grpc-status'];
      if (code !== undefined)
        status = {code: Number(code), message: decodeStatusMessage(String(from['grpc-message'] ?? ''))};
    };
    const closed = new Promise<void>((resolve) => {
      stream.once('close', () => resolve());
    });
    stream.on('response', note);
    stream.on('trailers', note);
    // Always with an error: nghttp2 does not get over an end without one while something waits to be sent.
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    const answers = async function* () {
      let isHeard = false;
      try {
        yield* wire.read(answer, stream.iterator({destroyOnReturn: false}));
        isHeard = true;
      } catch (error) {
        if (error instanceof TscomposeError) throw error;
        // A server that has said all resets what it was still sent; its status came before that.
        isHeard = true;
      } finally {
        if (!isHeard) cancel();
      }
      if (status === undefined) await closed;
      if (status?.code !== statusCodes.ok) throw failure(method, status);
    };
    return {
      answers: answers(),
      send: async (message) => {
        if (stream.destroyed) throw failure(method, status);
        if (!stream.write(wire.frame(request, message))) await drained(stream);
      },
      end: () => stream.end(),
      cancel,
    };
  };
  return {
    open,
    call: async (method, types, message, signal) => {
      signal?.throwIfAborted();
      const {answers, send, end, cancel} = open(method, types);
      signal?.addEventListener('abort', cancel, {once: true});
      let found: Message<(typeof types)['answer']> | undefined;
      try {
        await send(message);
        end();
        for await (const one of answers) found ??= one;
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
      if (found === undefined) throw new TscomposeError('internal', `${method} answered nothing`);
      return found;
    },
    close: () => session.destroy(),
  };
}

function startCall(
  session: ClientHttp2Session,
  method: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): ClientHttp2Stream {
  if (session.destroyed || session.closed) throw failure(method, undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': method,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(headers as Record<string, string | string[]>),
  });
  stream.on('error', () => {});
  return stream;
}

function failure(method: string, status: {readonly code: number; readonly message: string} | undefined): Error {
  if (status === undefined) return new TscomposeError('unavailable', `${method}: the client of the build is gone`);
  const kind =
    status.code === statusCodes.notFound
      ? 'notFound'
      : status.code === statusCodes.unimplemented
        ? 'unsupported'
        : 'internal';
  return new TscomposeError(kind, status.message || `${method}: status ${status.code}`);
}
