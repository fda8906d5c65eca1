import type {IncomingMessage} from 'node:http';
import {STATUS_CODES} from 'node:http';
import type {Socket} from 'node:net';
import type {Connection} from '../api/endpoint.ts';
import {contentTypes} from '../api/framing.ts';
import {toTscomposeError} from '../base/errors.ts';
import {drained} from './drained.ts';
import {errorResponse} from './error-response.ts';
import type {Server} from './handle.ts';
import {plainHijack} from './peek-head.ts';
import type {ServerResponse} from './request.ts';
import {requestOf} from './request-of.ts';
import {readUpgradeBody} from './upgrade-body.ts';

/** How long a client may keep its side open once everything has been sent. */
const lingerMs = 1000;

/** Answers a request that turns its connection into a raw stream; never rejects. */
export async function hijack(server: Server, message: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => {});
  socket.once('close', () => gone.abort());
  try {
    const body = await readUpgradeBody(socket, head, message.headers);
    const contentType = message.headers['content-type'] ?? '';
    const stream = (async function* () {
      if (body.length > 0) yield body;
    })();
    const answer = await server.upgrade({...requestOf(message), body: {stream, contentType}, signal: gone.signal});
    if ('response' in answer) return await refuse(socket, answer.response);
    socket.write(
      grant(answer.connection.contentType, message.headers[plainHijack] === undefined, message.headers.upgrade),
    );
    connect(socket, answer.connection);
  } catch (error) {
    await refuse(socket, errorResponse(toTscomposeError(error), {}));
  }
}

/** Clients compare this answer by its words, so they are the ones that Docker writes: without an upgrade always "raw". */
function grant(contentType: string, upgraded: boolean, protocol = 'tcp'): string {
  return upgraded
    ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: ${/^[\w./-]+$/.test(protocol) ? protocol : 'tcp'}\r\n\r\n`
    : `HTTP/1.1 200 OK\r\nContent-Type: ${contentTypes.raw}\r\n\r\n`;
}

/** Passes bytes both ways. The client's half-close ends the input only; the end of the output ends the connection. */
function connect(socket: Socket, connection: Connection): void {
  socket.once('close', () => connection.destroy());
  // Gone while the answer was made: its end is not told again.
  if (socket.destroyed) {
    connection.destroy();
    return;
  }
  const input = async () => {
    // Without this option the end of the input would take the output with it.
    for await (const data of socket.iterator({destroyOnReturn: false})) await connection.write(data);
    await connection.closeWrite();
  };
  const output = async () => {
    for await (const data of connection.readable) {
      if (socket.destroyed) return;
      if (!socket.write(data)) await drained(socket);
    }
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
  // A process that no longer reads its input is no failure of the connection.
  input().catch(() => socket.resume());
  output().catch(() => socket.destroy());
}

async function refuse(socket: Socket, response: ServerResponse): Promise<void> {
  const json =
    'later' in response.body ? await response.body.later : 'json' in response.body ? response.body.json : undefined;
  const body = json === undefined ? '' : JSON.stringify(json);
  const headers = {
    ...response.headers,
    ...(body === '' ? {} : {'content-type': 'application/json'}),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = response.status === 304 ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  socket.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? 'Error'}\r\n${lines.join('')}${length}\r\n${body}`,
  );
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
