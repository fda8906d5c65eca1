import {Docker} from '../client/docker.ts';
import {type LocalTransportOptions, localTransport} from '../client/local-transport.ts';
import type {Transport} from '../client/transport.ts';
import type {Engine} from '../engine/engine.ts';
import {createServer} from '../server/handle.ts';
import type {Backend} from './backend.ts';

export interface BuiltinOptions {
  /** Of the program. */
  readonly version: string;
  /** Opens the engine; called once. */
  readonly openEngine: () => Promise<Engine>;
}

/** The engine of this program, reached through the same client and the same endpoint rows as a remote one. */
export async function openBuiltin(options: BuiltinOptions): Promise<Backend> {
  const engine = await options.openEngine();
  const docker = new Docker({transport: engineTransport(engine, {version: options.version})});
  return {docker, kind: 'builtin', close: () => docker.close()};
}

/** A transport straight to an engine's handlers. Closing it closes the engine. */
export function engineTransport(
  engine: Engine,
  options: LocalTransportOptions & {readonly version: string},
): Transport {
  // What comes next in an order (the database after what uses it) need not wait until the kernel has cleared up.
  const {stop} = engine.containers;
  const containers = {
    ...engine.containers,
    stop: (reference: string, stopping = {}) => stop(reference, {...stopping, returnAtEnd: true}),
  };
  const server = createServer({...engine, containers}, {version: options.version});
  return localTransport(
    {
      handle: server.handle,
      upgrade: server.upgrade,
      features: new Set(['files', 'sync', 'platforms', 'locks']),
      lock: (project, lockOptions) => engine.locks.acquire(project, lockOptions),
      close: () => engine.close(),
    },
    {encode: options.encode ?? false},
  );
}
