import {type Duplex, duplexPair} from 'node:stream';
import {hasKind} from '../../base/errors.ts';
import type {BuildClient} from '../../engine/engine.ts';
import {drained} from '../drained.ts';
import type {Caller} from './grpc-client.ts';

/**
 * What a client serves beside its files: logins, secrets, agents for keys. One that serves none of a kind has none; one that
 * never answers is waited for until the signal.
 */
export function sessionClient(caller: Caller, signal: AbortSignal): Omit<BuildClient, 'contexts'> {
  return {
    async credentials(registry) {
      const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
      const types = {request: 'CredentialsRequest', answer: 'CredentialsResponse'} as const;
      const found = await optional(caller.call('/moby.filesync.v1.Auth/Credentials', types, {host}, signal));
      if (found === undefined || found.secret === '') return {};
      // A token for refreshing has no user.
      return found.username === '' ? {identitytoken: found.secret} : {username: found.username, password: found.secret};
    },
    async secret(id) {
      const types = {request: 'GetSecretRequest', answer: 'GetSecretResponse'} as const;
      return (await optional(caller.call('/moby.buildkit.secrets.v1.Secrets/GetSecret', types, {id}, signal)))?.data;
    },
    async agent(id) {
      const types = {request: 'CheckAgentRequest', answer: 'CheckAgentResponse'} as const;
      const found = await optional(caller.call('/moby.sshforward.v1.SSH/CheckAgent', types, {id}, signal));
      return found === undefined ? undefined : () => forward(caller, id);
    },
  };
}

async function optional<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (hasKind(error, 'notFound', 'unsupported')) return undefined;
    throw error;
  });
}

/** A connection to the client's agent. */
function forward(caller: Caller, id: string): Duplex {
  const [near, far] = duplexPair();
  const types = {request: 'BytesMessage', answer: 'BytesMessage'} as const;
  const call = openForward();
  far.on('error', () => {});
  if (call === undefined) {
    near.destroy();
    return near;
  }
  const there = async () => {
    for await (const data of far.iterator({destroyOnReturn: false})) await call.send({data: data as Uint8Array});
    call.end();
  };
  const back = async () => {
    for await (const {data} of call.answers) if (!far.write(data)) await drained(far);
    far.end();
  };
  for (const way of [there, back]) way().catch(() => near.destroy());
  near.once('close', () => call.cancel());
  return near;

  /** Undefined where the client is gone: whoever asks for the connection is at the other end of a socket, and catches nothing. */
  function openForward() {
    try {
      return caller.open('/moby.sshforward.v1.SSH/ForwardAgent', types, {'buildkit.ssh.id': id});
    } catch {
      return undefined;
    }
  }
}
