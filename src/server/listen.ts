import {unlink} from 'node:fs/promises';
import {createServer as createHttpServer, type IncomingMessage, type ServerResponse as Outgoing} from 'node:http';
import {
  connect,
  createServer as createNetServer,
  type ListenOptions,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Server} from './handle.ts';
import {hijack} from './hijack.ts';
import {largestHead, peekHead, withUpgrade} from './peek-head.ts';
import {requestOf} from './request-of.ts';
import {sendResponse} from './send-response.ts';

/** Where to listen. A socket is made with mode 0600: who can open it has the machine. */
export type ListenAddress = {readonly socketPath: string} | {readonly host: string; readonly port: number};

export interface Listener {
  /** The port that was taken, where a TCP address was given. */
  readonly port: number | undefined;
  /** Ends every connection; containers go on. */
  close(): Promise<void>;
}

/**
 * Serves the Engine API on a socket. Throws `conflict` where something else listens there; a socket that nothing listens
 * on any more is replaced.
 */
export async function listen(server: Server, address: ListenAddress): Promise<Listener> {
  const http = createHttpServer({maxHeaderSize: largestHead, requestTimeout: 0}, (message, outgoing) => {
    void respond(server, message, outgoing);
  });
  http.on(
    'upgrade',
    (message: IncomingMessage, socket: Socket, head: Buffer) => void hijack(server, message, socket, head),
  );
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket));

  const open = new Set<Socket>();
  const front = createNetServer({allowHalfOpen: true}, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {});
    void accept(socket).then(() => {
      if (!socket.destroyed) http.emit('connection', socket);
    });
  });
  await bind(front, address);
  const bound = front.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : undefined,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function accept(socket: Socket): Promise<void> {
  const head = await peekHead(socket);
  if (head !== undefined) socket.unshift(withUpgrade(head));
}

async function respond(server: Server, message: IncomingMessage, outgoing: Outgoing): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  message.on('error', () => {});
  outgoing.on('error', () => {});
  const contentType = message.headers['content-type'] ?? '';
  const body = {stream: message.iterator({destroyOnReturn: false}) as AsyncIterable<Uint8Array>, contentType};
  const response = await server.handle({...requestOf(message), body, signal: gone.signal});
  await sendResponse(outgoing, response).catch(() => outgoing.destroy());
  // What was not read of the body must not keep the connection open.
  message.resume();
}

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return;
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const body = JSON.stringify({
    message: tooLarge ? 'the head of the request is too large' : 'the request is not valid HTTP',
  });
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function bind(server: NetServer, address: ListenAddress): Promise<void> {
  const name = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
  try {
    await bindOnce(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      throw toTscomposeError(error, `cannot listen at ${name}`);
    if (!('socketPath' in address) || (await isAlive(address.socketPath))) {
      throw new TscomposeError('conflict', `cannot listen at ${name}: something else listens there`, {cause: error});
    }
    await unlink(address.socketPath);
    await bindOnce(server, address);
  }
}

function bindOnce(server: NetServer, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const bound = () => {
      server.off('error', reject);
      resolve();
    };
    const options: ListenOptions =
      'socketPath' in address ? {path: address.socketPath} : {host: address.host, port: address.port};
    // A unix socket is bound within this call: at no moment may others open it.
    const mask = process.umask(0o177);
    try {
      server.listen(options, bound);
    } finally {
      process.umask(mask);
    }
  });
}

function isAlive(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
