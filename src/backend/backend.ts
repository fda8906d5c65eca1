import type {Docker} from '../client/docker.ts';
import {type BuiltinOptions, openBuiltin} from './builtin.ts';
import {openRemote} from './remote.ts';

/** An engine that is ready to be used, and the way to let go of it. */
export interface Backend {
  readonly docker: Docker;
  /** `builtin`: the engine of this program. `remote`: a Docker Engine, or another tscompose that serves the API. */
  readonly kind: 'builtin' | 'remote';
  /** Lets go of locks and connections; containers go on. */
  close(): Promise<void>;
}

export interface BackendOptions extends BuiltinOptions {
  /** Address of a remote engine: `unix:///run/docker.sock`, `tcp://host:2375`. Absent or empty: the built-in one. */
  readonly host?: string | undefined;
}

/** Throws `invalid` or `unsupported` for a host that cannot be used; whether it answers is seen at the first call. */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  const {host, ...builtin} = options;
  return host === undefined || host === '' ? openBuiltin(builtin) : openRemote(host);
}
