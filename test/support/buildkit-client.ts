import {request} from 'node:http';
import type {Duplex} from 'node:stream';
import {loadWire} from '../../src/server/buildkit/grpc.ts';
import {type Caller, createCaller} from '../../src/server/buildkit/grpc-client.ts';
import {type Method, serveGrpc} from '../../src/server/buildkit/grpc-server.ts';

/** A client of BuildKit at the socket of an engine: what it calls, and what it is called for. */
export interface BuildkitClient extends AsyncDisposable {
  readonly caller: Caller;
}

export async function openBuildkitClient(
  socketPath: string,
  session: string,
  methods: readonly (readonly [string, Method])[],
  sharedKey = '',
): Promise<BuildkitClient> {
  const wire = await loadWire();
  const served = await upgrade(socketPath, '/session', {
    'X-Docker-Expose-Session-Uuid': session,
    'X-Docker-Expose-Session-Sharedkey': sharedKey,
  });
  serveGrpc(served, new Map(methods), wire);
  const calling = await upgrade(socketPath, '/grpc', {});
  const caller = createCaller(calling, wire);
  return {
    caller,
    async [Symbol.asyncDispose]() {
      caller.close();
      calling.destroy();
      served.destroy();
    },
  };
}

function upgrade(socketPath: string, path: string, headers: Readonly<Record<string, string>>): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      path,
      method: 'POST',
      headers: {...headers, Connection: 'Upgrade', Upgrade: 'h2c'},
    });
    asked.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('response', ({statusCode}) => reject(new Error(`${path}: status ${statusCode}`)));
    asked.once('error', reject);
    asked.end();
  });
}
