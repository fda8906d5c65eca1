import {type Duplex, duplexPair} from 'node:stream';
import type {Connection} from '../../api/endpoint.ts';
import {drained} from '../drained.ts';

/** A connection that an upgraded request becomes, and its other end. */
export function connectionPair(contentType: string): {readonly connection: Connection; readonly socket: Duplex} {
  const [far, socket] = duplexPair();
  for (const end of [far, socket]) end.on('error', () => {});
  return {
    connection: {
      contentType,
      readable: far,
      write: async (data) => {
        if (!far.write(data)) await drained(far);
      },
      closeWrite: async () => {
        far.end();
      },
      destroy: () => {
        far.destroy();
        socket.destroy();
      },
    },
    socket,
  };
}
