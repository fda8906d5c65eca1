import type {Connection} from '../../api/endpoint.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {BuildClient} from '../../engine/engine.ts';
import {connectionPair} from './duplex.ts';
import {loadWire} from './grpc.ts';
import {serveGrpc} from './grpc-server.ts';
import {createServices, type ServicesOptions} from './services.ts';
import {sessionClient} from './session-client.ts';
import {createSessions} from './sessions.ts';

/** The two connections of a client of BuildKit: one that it calls on, one that it is called on. */
export interface BuildkitDoor {
  grpc(): Promise<Connection>;
  /** `sharedKey`: what the sessions of a client have in common. Throws `invalid` for a session without a name. */
  session(named: {readonly id?: string | undefined; readonly sharedKey?: string | undefined}): Promise<Connection>;
  /** Who serves a session, for a build that has its files already. Throws `notFound`. */
  client(id: string, signal: AbortSignal): Promise<BuildClient>;
}

export function createBuildkitDoor(options: Omit<ServicesOptions, 'sessions'>): BuildkitDoor {
  const sessions = createSessions(loadWire);
  const services = createServices({...options, sessions});
  return {
    async grpc() {
      const {connection, socket} = connectionPair('application/grpc');
      serveGrpc(socket, services, await loadWire());
      return connection;
    },
    async session({id, sharedKey = ''}) {
      if (id === undefined || id === '')
        throw new TscomposeError('invalid', 'the session has no name: header X-Docker-Expose-Session-Uuid is missing');
      const {connection, socket} = connectionPair('application/grpc');
      sessions.open({id, sharedKey}, socket, await loadWire());
      return connection;
    },
    async client(id, signal) {
      return {...sessionClient(await sessions.find(id, signal), signal), contexts: new Map()};
    },
  };
}
