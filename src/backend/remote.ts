import {Docker} from '../client/docker.ts';
import {parseHost} from '../client/host.ts';
import {lazyHttpTransport} from '../client/lazy-http-transport.ts';
import type {Backend} from './backend.ts';

/** An engine behind a socket. Nothing is sent yet. */
export function openRemote(host: string): Backend {
  const docker = new Docker({transport: lazyHttpTransport(parseHost(host))});
  return {docker, kind: 'remote', close: () => docker.close()};
}
