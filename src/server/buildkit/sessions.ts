import type {Duplex} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError} from '../../base/errors.ts';
import {connectionPair} from './duplex.ts';
import type {Wire} from './grpc.ts';
import {type Caller, createCaller} from './grpc-client.ts';
import type {Message, MessageInput} from './messages.ts';

export interface SessionName {
  readonly id: string;
  /** What the sessions of a client have in common that sends the same files in each; may be nothing. */
  readonly sharedKey: string;
}

/** Clients of builds that serve their files, secrets and logins to the builds that name their session. */
export interface Sessions {
  /** One that is called on a connection. Throws `invalid` without a name. */
  open(name: SessionName, socket: Duplex, wire: Wire): void;
  /** One whose connection goes through messages. */
  tunnel(
    name: SessionName,
    messages: AsyncIterable<Message<'BytesMessage'>>,
  ): AsyncGenerator<MessageInput<'BytesMessage'>>;
  /** Waits for one that is about to connect. Throws `notFound`. */
  find(id: string, signal: AbortSignal): Promise<Caller>;
  /** That of one that is connected. */
  sharedKey(id: string): string;
}

/** How long a build waits for its client, as BuildKit does. */
const waitMs = 5000;

export function createSessions(wire: () => Promise<Wire>): Sessions {
  const callers = new Map<string, Caller>();
  const sharedKeys = new Map<string, string>();
  const waiting = new Map<string, Set<(caller: Caller) => void>>();
  const open: Sessions['open'] = ({id, sharedKey}, socket, loaded) => {
    const caller = createCaller(socket, loaded);
    callers.set(id, caller);
    sharedKeys.set(id, sharedKey);
    socket.once('close', () => {
      if (callers.get(id) !== caller) return;
      callers.delete(id);
      sharedKeys.delete(id);
    });
    for (const tell of waiting.get(id) ?? []) tell(caller);
    waiting.delete(id);
  };
  return {
    open,
    sharedKey: (id) => sharedKeys.get(id) ?? '',
    async *tunnel(name, messages) {
      const {connection, socket} = connectionPair('application/grpc');
      open(name, socket, await wire());
      const input = async () => {
        for await (const {data} of messages) await connection.write(data);
        await connection.closeWrite();
      };
      input().catch(() => connection.destroy());
      try {
        for await (const data of connection.readable) yield {data};
      } finally {
        connection.destroy();
      }
    },
    async find(id, signal) {
      const known = callers.get(id);
      if (known !== undefined) return known;
      const listeners = waiting.get(id) ?? new Set();
      waiting.set(id, listeners);
      let tell: ((caller: Caller) => void) | undefined;
      const connected = new Promise<Caller>((resolve) => {
        tell = resolve;
        listeners.add(resolve);
      });
      const over = new AbortController();
      try {
        const stopped = AbortSignal.any([signal, over.signal]);
        const found = await Promise.race([connected, delay(waitMs, undefined, {signal: stopped, ref: false})]);
        if (found !== undefined) return found;
        throw new TscomposeError('notFound', `no active session for ${id}`);
      } finally {
        over.abort();
        if (tell !== undefined) listeners.delete(tell);
        if (listeners.size === 0 && waiting.get(id) === listeners) waiting.delete(id);
      }
    },
  };
}
