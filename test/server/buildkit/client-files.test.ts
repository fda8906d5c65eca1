import {extract} from 'tar-stream';
import {describe, expect, it} from 'vitest';
import {archiveOf} from '../../../src/server/buildkit/client-archive.ts';
import {readClientFiles, receiveFiles} from '../../../src/server/buildkit/client-files.ts';
import type {Caller} from '../../../src/server/buildkit/grpc-client.ts';
import {method} from '../../../src/server/buildkit/grpc-server.ts';
import {packets} from '../../../src/server/buildkit/packets.ts';
import {type ClientFile, callerOf, fileSync, type Sent} from './client.ts';

const never = new AbortController().signal;
const file = (path: string, content: string, more = {}): ClientFile => ({
  stat: {path, mode: 0o644, size: content.length, ...more},
  content,
});

async function contentsOf(caller: Caller, wanted = {}): Promise<readonly (readonly [string, string])[]> {
  const seen: [string, string][] = [];
  for await (const {stat, content} of receiveFiles(
    {directory: 'context', caller: async () => caller, ...wanted},
    never,
  )) {
    let text = '';
    for await (const data of content) text += Buffer.from(data).toString();
    seen.push([stat.path, text]);
  }
  return seen;
}

describe('files of a client', () => {
  it('come in order, however many there are and however they are mixed', async () => {
    const files = Array.from({length: 300}, (_, index) => file(`f${index}`, `${index},`.repeat(index * 7)));
    const caller = await callerOf([fileSync(() => files)]);
    expect(await contentsOf(caller)).toEqual(files.map(({stat, content}) => [stat.path, content]));
    caller.close();
  });

  it('are asked for by what is wanted of them', async () => {
    const sent: Sent[] = [];
    const caller = await callerOf([fileSync(() => [file('a', 'x')], sent)]);
    await contentsOf(caller, {exclude: ['*.log', 'sub/é'], only: ['a']});
    expect(sent[0]?.headers).toMatchObject({
      'dir-name': 'context',
      'exclude-patterns': '*.log, sub%2F%C3%A9',
      'exclude-patterns-encoded': '1',
      followpaths: 'a',
    });
    caller.close();
  });

  it('that are longer or shorter than was said are refused', async () => {
    for (const size of [1, 3]) {
      const caller = await callerOf([fileSync(() => [file('lie', 'xx', {size})])]);
      await expect(contentsOf(caller)).rejects.toMatchObject({
        kind: 'conflict',
        message: '"lie" changed while it was sent',
      });
      caller.close();
    }
  });

  it('that cannot be read are told of with the words of the client', async () => {
    const caller = await callerOf([
      method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* () {
        yield {type: packets.error, data: Buffer.from('open x: permission denied')};
      }),
    ]);
    await expect(contentsOf(caller)).rejects.toMatchObject({message: 'open x: permission denied'});
    caller.close();
  });

  it('end with a client that goes away', async () => {
    const caller = await callerOf([
      method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* () {
        yield {type: packets.stat, stat: {path: 'a', mode: 0o644, size: 5}};
      }),
    ]);
    await expect(contentsOf(caller)).rejects.toMatchObject({kind: 'unavailable'});
    caller.close();
  });

  it('that were not asked for are not held', async () => {
    const caller = await callerOf([
      method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* () {
        yield {type: packets.stat, stat: {path: 'a', mode: 0o644, size: 5}};
        yield {type: packets.stat};
        yield {type: packets.data, id: 7, data: Buffer.from('surplus')};
      }),
    ]);
    await expect(contentsOf(caller)).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the client sent file 7, which was not asked for',
    });
    caller.close();
  });

  it('of a client that goes away in the middle of one fail where they are read, and nowhere else', async () => {
    const vanishing = method('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet', async function* (messages) {
      yield {type: packets.stat, stat: {path: 'a', mode: 0o644, size: 5_000_000}};
      yield {type: packets.stat};
      for await (const {id} of messages) {
        for (let piece = 0; piece < 8; piece++) yield {type: packets.data, id, data: Buffer.alloc(32 * 1024)};
        return;
      }
    });
    const caller = await callerOf([vanishing]);
    const archive = archiveOf(receiveFiles({directory: 'context', caller: async () => caller}, never));
    const read = async () => {
      for await (const _ of archive);
    };
    // What is told to nobody who listens is an uncaught error, which fails the run.
    await expect(read()).rejects.toMatchObject({kind: 'unavailable'});
    caller.close();
  });

  it('have a size that a Dockerfile may have', async () => {
    const caller = await callerOf([fileSync(() => [file('Dockerfile', 'x', {size: 5_000_000})])]);
    const wanted = {directory: 'dockerfile', caller: async () => caller};
    await expect(readClientFiles(wanted, never)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('too large'),
    });
    caller.close();
  });

  it('are an archive with what each of them is', async () => {
    const directory = 2 ** 31 + 0o755;
    const files: readonly ClientFile[] = [
      {stat: {path: 'd', mode: directory, modTime: 1_700_000_000_000_000_000}},
      file('d/one', 'one', {mode: 2 ** 23 + 0o755, xattrs: {'user.a': Buffer.from('é')}}),
      {stat: {path: 'd/same', mode: 0o755, size: 3, linkname: 'd/one'}},
      {stat: {path: 'link', mode: 2 ** 27 + 0o777, linkname: '../outside'}},
      {stat: {path: 'pipe', mode: 2 ** 25 + 0o600}},
      {stat: {path: 'socket', mode: 2 ** 24 + 0o600}},
    ];
    const caller = await callerOf([fileSync(() => files)]);
    const archive = extract();
    const heads: unknown[] = [];
    archive.on('entry', ({name, type, mode, linkname, mtime, pax}, content, next) => {
      heads.push({
        name,
        type,
        mode,
        linkname,
        time: mtime?.getTime(),
        attributes: (pax as Record<string, string> | null)?.['SCHILY.xattr.user.a'],
      });
      content.on('end', next);
      content.resume();
    });
    for await (const data of archiveOf(receiveFiles({directory: 'context', caller: async () => caller}, never)))
      archive.write(data);
    archive.end(null);
    expect(heads).toMatchObject([
      {name: 'd/', type: 'directory', mode: 0o755, time: 1_700_000_000_000},
      {name: 'd/one', type: 'file', mode: 0o4755, attributes: 'é'},
      {name: 'd/same', type: 'link', linkname: 'd/one'},
      {name: 'link', type: 'symlink', linkname: '../outside'},
      {name: 'pipe', type: 'fifo'},
    ]);
    caller.close();
  });
});
