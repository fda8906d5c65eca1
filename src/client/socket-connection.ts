import type {Socket} from 'node:net';
import {TscomposeError} from '../base/errors.ts';
import type {Upgraded} from './transport.ts';

/** A socket as an upgraded connection: each direction is closed on its own. */
export function socketConnection(socket: Socket, contentType: string): Upgraded {
  // Errors reach the reader and the writers; without a listener they would end the process.
  socket.on('error', () => {});
  return {
    contentType,
    readable: readSocket(socket),
    write: (data) =>
      new Promise((resolve, reject) => {
        socket.write(data, (error) => (error === null || error === undefined ? resolve() : reject(lost(error))));
      }),
    closeWrite: () =>
      new Promise((resolve) => {
        if (socket.writableEnded || socket.destroyed) resolve();
        else socket.end(resolve);
      }),
    destroy: () => void socket.destroy(),
  };
}

async function* readSocket(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* socket;
  } catch (error) {
    // Closed by ourselves: the reader sees an end.
    if (socket.errored === null) return;
    throw lost(error);
  }
}

function lost(error: unknown): TscomposeError {
  return new TscomposeError('unavailable', 'the connection to the engine was lost', {cause: error});
}
