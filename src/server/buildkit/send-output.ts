import {createReadStream} from 'node:fs';
import {lstat, mkdtemp, readdir, readlink, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {type EntryHead, statOf} from './file-mode.ts';
import type {Caller} from './grpc-client.ts';
import {packets} from './packets.ts';

/** What a build left in a directory of this machine, for the client. */
export interface SentOutput extends AsyncDisposable {
  readonly path: string;
  /** `exporter`: which of the outputs that were asked for it is. */
  send(caller: Caller, exporter: number): Promise<void>;
}

export async function openOutput(kind: 'local' | 'tar'): Promise<SentOutput> {
  const directory = await mkdtemp(join(tmpdir(), 'tscompose-output-'));
  const path = join(directory, 'output');
  return {
    path,
    send: (caller, exporter) => (kind === 'tar' ? sendFile(path, caller, exporter) : sendTree(path, caller, exporter)),
    [Symbol.asyncDispose]: () => rm(directory, {recursive: true, force: true}),
  };
}

const method = '/moby.filesync.v1.FileSend/DiffCopy';
const headersOf = (exporter: number) => ({'buildkit-attachable-exporter-id': String(exporter)});

async function sendFile(path: string, caller: Caller, exporter: number): Promise<void> {
  const call = caller.open(method, {request: 'BytesMessage', answer: 'BytesMessage'}, headersOf(exporter));
  for await (const data of createReadStream(path, {highWaterMark: pieceBytes})) await call.send({data});
  call.end();
  for await (const _ of call.answers);
}

/** Pieces of files as fsutil sends them. */
const pieceBytes = 32 * 1024;

/** Sends a tree as fsutil does: first what there is, in order, then the content of what the other side asks for. */
async function sendTree(root: string, caller: Caller, exporter: number): Promise<void> {
  const call = caller.open(method, {request: 'Packet', answer: 'Packet'}, headersOf(exporter));
  const paths: string[] = [];
  for await (const head of entriesOf(root, '')) {
    paths.push(head.name);
    await call.send({type: packets.stat, stat: statOf(head)});
  }
  await call.send({type: packets.stat});
  for await (const {type, id, data} of call.answers) {
    if (type === packets.error) throw new TscomposeError('conflict', Buffer.from(data).toString('utf8'));
    if (type === packets.end) {
      await call.send({type: packets.end});
      call.end();
    } else if (type === packets.request) {
      for await (const piece of createReadStream(join(root, paths[id] ?? ''), {highWaterMark: pieceBytes}))
        await call.send({type: packets.data, id, data: piece});
      await call.send({type: packets.data, id});
    }
  }
}

/** In the order that the other side checks: a directory, and then what is in it. */
async function* entriesOf(root: string, directory: string): AsyncGenerator<EntryHead, void, undefined> {
  const names = await readdir(join(root, directory));
  for (const name of names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))) {
    const path = join(directory, name);
    const status = await lstat(join(root, path));
    const {uid, gid, size, mtime} = status;
    const common = {name: path, mode: status.mode & 0o7777, uid, gid, mtime};
    if (status.isDirectory()) {
      yield {...common, type: 'directory'};
      yield* entriesOf(root, path);
    } else if (status.isSymbolicLink()) {
      yield {...common, type: 'symlink', linkname: await readlink(join(root, path))};
    } else if (status.isFile()) yield {...common, type: 'file', size};
  }
}
