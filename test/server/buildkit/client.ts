import {duplexPair} from 'node:stream';
import {loadWire} from '../../../src/server/buildkit/grpc.ts';
import {type Caller, createCaller} from '../../../src/server/buildkit/grpc-client.ts';
import {type Method, method, serveGrpc} from '../../../src/server/buildkit/grpc-server.ts';
import type {MessageInput} from '../../../src/server/buildkit/messages.ts';
import {packets} from '../../../src/server/buildkit/packets.ts';

/** Who calls these methods, over a connection in this process. */
export async function callerOf(methods: readonly (readonly [string, Method])[]): Promise<Caller> {
  const wire = await loadWire();
  const [near, far] = duplexPair();
  serveGrpc(far, new Map(methods), wire);
  return createCaller(near, wire);
}

export interface ClientFile {
  readonly stat: MessageInput<'Stat'>;
  readonly content?: string;
}

export interface Sent {
  readonly headers: Readonly<Record<string, unknown>>;
  /** Numbers of the files whose content was asked for. */
  readonly asked: number[];
}

/** Serves files as fsutil does; contents that were asked for at the same time are sent in turns, as its senders do. */
export function fileSync(
  filesOf: (directory: string) => readonly ClientFile[],
  sent: Sent[] = [],
): readonly [string, Method] {
  return method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* (messages, {headers}) {
    const seen: Sent = {headers, asked: []};
    sent.push(seen);
    const files = filesOf(String(headers['dir-name']));
    for (const {stat} of files) yield {type: packets.stat, stat};
    yield {type: packets.stat};
    let open: {readonly id: number; rest: string}[] = [];
    const turn = function* () {
      for (const one of open) {
        yield {type: packets.data, id: one.id, data: Buffer.from(one.rest.slice(0, 1000))};
        one.rest = one.rest.slice(1000);
      }
      const ended = open.filter(({rest}) => rest === '');
      open = open.filter(({rest}) => rest !== '');
      for (const {id} of ended) yield {type: packets.data, id};
    };
    for await (const {type, id} of messages) {
      if (type === packets.end) {
        yield {type: packets.end};
        return;
      }
      seen.asked.push(id);
      open.push({id, rest: files[id]?.content ?? ''});
      if (open.length >= 3 || id === lastWithContent(files)) while (open.length > 0) yield* turn();
    }
  });
}

/** The same, each content at once when it is asked for, and without waiting for others. `onAsked` is waited for before. */
export function plainFileSync(
  filesOf: (directory: string) => readonly ClientFile[],
  sent: Sent[] = [],
  onAsked: (path: string) => Promise<void> = async () => {},
): readonly [string, Method] {
  return method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* (messages, {headers}) {
    const seen: Sent = {headers, asked: []};
    sent.push(seen);
    const files = filesOf(String(headers['dir-name']));
    for (const {stat} of files) yield {type: packets.stat, stat};
    yield {type: packets.stat};
    for await (const {type, id} of messages) {
      if (type === packets.end) {
        yield {type: packets.end};
        return;
      }
      seen.asked.push(id);
      await onAsked(files[id]?.stat.path ?? '');
      yield {type: packets.data, id, data: Buffer.from(files[id]?.content ?? '')};
      yield {type: packets.data, id};
    }
  });
}

function lastWithContent(files: readonly ClientFile[]): number {
  return files.reduce((last, {content = ''}, id) => (content === '' ? last : id), -1);
}
