import {Docker} from '../client/docker.ts';
import {parseHost} from '../client/host.ts';
import {httpTransport} from '../client/http-transport.ts';
import type {Backend} from './backend.ts';

/** An engine behind a socket. Nothing is sent yet. */
export function openRemote(host: string): Backend {
  const docker = new Docker({transport: httpTransport(parseHost(host))});
  return {docker, kind: 'remote', close: () => docker.close()};
}
