import {engineTransport} from '../../../src/backend/builtin.ts';
import {Docker} from '../../../src/client/docker.ts';
import {createEngine} from '../../../src/engine/create-engine.ts';

/** What the bench compares, both through the same client: the built-in engine in this process, and an engine behind a socket. */
export async function openBuiltin(options: {
  readonly root: string;
  readonly run: string;
  readonly cgroupParent: string;
  readonly helperPath: string;
}): Promise<Docker> {
  const engine = await createEngine({...options, version: '0.0.0', nodePath: process.execPath, now: () => Date.now()});
  return new Docker({transport: engineTransport(engine, {version: '0.0.0'})});
}

export function openSocket(socketPath: string): Docker {
  return new Docker({socketPath});
}
