import {createReadStream} from 'node:fs';
import {lstat, readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {type EntryHead, statOf} from './file-mode.ts';
import type {Caller, OpenCall} from './grpc-client.ts';
import type {MessageName} from './messages.ts';
import {packets} from './packets.ts';

/** What a build left on this machine, for the client. */
export interface BuiltFiles {
  readonly kind: 'local' | 'tar';
  readonly path: string;
}

/** `exporter`: which of the outputs that were asked for it is. One that takes no more is waited for until the signal. */
export async function sendOutput(
  {kind, path}: BuiltFiles,
  {caller, exporter, signal}: {readonly caller: Caller; readonly exporter: number; readonly signal: AbortSignal},
): Promise<void> {
  const send = kind === 'tar' ? sendFile : sendTree;
  await send(path, (types) => {
    signal.throwIfAborted();
    const call = caller.open(method, types, headersOf(exporter));
    signal.addEventListener('abort', call.cancel, {once: true});
    return call;
  });
}

type Open = <N extends MessageName>(types: {readonly request: N; readonly answer: N}) => OpenCall<N, N>;

const method = '/moby.filesync.v1.FileSend/DiffCopy';
const headersOf = (exporter: number) => ({'buildkit-attachable-exporter-id': String(exporter)});

async function sendFile(path: string, open: Open): Promise<void> {
  const call = open({request: 'BytesMessage', answer: 'BytesMessage'});
  for await (const data of createReadStream(path, {highWaterMark: pieceBytes})) await call.send({data});
  call.end();
  for await (const _ of call.answers);
}

/** Pieces of files as fsutil sends them. */
const pieceBytes = 32 * 1024;

/** Sends a tree as fsutil does: first what there is, in order, then the content of what the other side asks for. */
async function sendTree(root: string, open: Open): Promise<void> {
  const call = open({request: 'Packet', answer: 'Packet'});
  // Nothing else is read: what was built may have links in it that lead anywhere.
  const files = new Map<number, string>();
  let count = 0;
  for await (const head of entriesOf(root, '', new Map())) {
    if (head.type === 'file' && head.linkname === undefined) files.set(count, head.name);
    count += 1;
    await call.send({type: packets.stat, stat: statOf(head)});
  }
  await call.send({type: packets.stat});
  for await (const {type, id, data} of call.answers) {
    if (type === packets.error) throw new TscomposeError('conflict', Buffer.from(data).toString('utf8'));
    if (type === packets.end) {
      await call.send({type: packets.end});
      call.end();
    } else if (type === packets.request) {
      const path = files.get(id);
      if (path === undefined) throw new TscomposeError('invalid', `the client asked for file ${id}, which is none`);
      for await (const piece of createReadStream(join(root, path), {highWaterMark: pieceBytes}))
        await call.send({type: packets.data, id, data: piece});
      await call.send({type: packets.data, id});
    }
  }
}

/**
 * In the order that the other side checks: a directory, and then what is in it. A file that has other names is sent once, under
 * the first of them. `named`: the first names of such files.
 */
async function* entriesOf(
  root: string,
  directory: string,
  named: Map<number, string>,
): AsyncGenerator<EntryHead, void, undefined> {
  const names = await readdir(join(root, directory));
  for (const name of names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))) {
    const path = join(directory, name);
    const status = await lstat(join(root, path));
    const {uid, gid, size, mtime} = status;
    const common = {name: path, mode: status.mode & 0o7777, uid, gid, mtime};
    if (status.isDirectory()) {
      yield {...common, type: 'directory'};
      yield* entriesOf(root, path, named);
    } else if (status.isSymbolicLink()) {
      yield {...common, type: 'symlink', linkname: await readlink(join(root, path))};
    } else if (status.isFile()) {
      const linkname = status.nlink > 1 ? named.get(status.ino) : undefined;
      if (linkname !== undefined) yield {...common, type: 'file', size: 0, linkname};
      else {
        if (status.nlink > 1) named.set(status.ino, path);
        yield {...common, type: 'file', size};
      }
    }
  }
}
