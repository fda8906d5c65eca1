import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {extract} from 'tar-stream';
import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {archiveSync} from '../../../src/watch/session/archive-sync.ts';
import type {FileChange} from '../../../src/watch/session/sync-archive.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

const signal = new AbortController().signal;

/** A Docker Engine as far as files need one; answers what it was asked for. */
function engine({user = '', exec = 0}: {readonly user?: string; readonly exec?: number | 'stopped'} = {}) {
  const asked: unknown[] = [];
  const container = {
    inspect: async () => ({Config: {User: user}}),
    async putArchive(archive: AsyncIterable<Uint8Array>, {path, copyUIDGID}: Readonly<Record<string, unknown>>) {
      const tar = extract();
      const fed = pipeline(Readable.from(archive), tar as unknown as NodeJS.WritableStream);
      const names: string[] = [];
      for await (const entry of tar) {
        names.push(`${entry.header.name} ${entry.header.uid}:${entry.header.gid}`);
        entry.resume();
      }
      await fed;
      asked.push({path, copyUIDGID, names});
    },
    async exec({Cmd, User}: {readonly Cmd: readonly string[]; readonly User?: string}) {
      if (exec === 'stopped') throw new TscomposeError('conflict', 'container is not running');
      asked.push([User, ...Cmd]);
      const output = (async function* () {
        if (exec !== 0) yield {data: Buffer.from('rm: read-only file system\n')};
      })();
      return {start: async () => ({stdin: {end: () => {}}, output}), inspect: async () => ({ExitCode: exec})};
    },
  };
  const docker = {getContainer: () => container} as unknown as Parameters<typeof archiveSync>[0];
  return {asked, sync: archiveSync(docker)};
}

const put = (path: string, source: string): FileChange => ({
  kind: 'put',
  path,
  source,
  entry: {kind: 'file', mode: 0o644, identity: {size: 1, mtimeMs: 0, ctimeMs: 0, ino: 1}},
});

test('deletions by rm as root, then one archive with the owner by number; a name is for the engine to look up', async () => {
  using directory = temporaryDirectory();
  directory.write('a', 'a');
  const changes: readonly FileChange[] = [put('/app/a', directory.at('a')), {kind: 'delete', path: '/app/-old'}];
  const ran: unknown[] = [];
  for (const user of ['1000:2000', '1000', 'app', '']) {
    const {asked, sync} = engine({user});
    expect(await sync.sync('c1', changes, signal)).toEqual({written: 1, deleted: 1});
    ran.push(asked);
  }
  const removal = ['0', 'rm', '-rf', '--', '/app/-old'];
  expect(ran).toEqual([
    [removal, {path: '/', copyUIDGID: false, names: ['app/a 1000:2000']}],
    [removal, {path: '/', copyUIDGID: false, names: ['app/a 1000:0']}],
    [removal, {path: '/', copyUIDGID: true, names: ['app/a 0:0']}],
    [removal, {path: '/', copyUIDGID: false, names: ['app/a 0:0']}],
  ]);
});

test('many deletions go by several commands', async () => {
  const {asked, sync} = engine();
  const changes = Array.from({length: 1_200}, (_, index): FileChange => ({kind: 'delete', path: `/app/${index}`}));
  await sync.sync('c1', changes, signal);
  expect(asked.map((words) => (words as readonly string[]).length - 4)).toEqual([500, 500, 200]);
});

test('what cannot be deleted is told with its reason, so that it is tried again', async () => {
  const changes: readonly FileChange[] = [{kind: 'delete', path: '/app/old'}];
  await expect(engine({exec: 'stopped'}).sync.sync('c1', changes, signal)).rejects.toThrow(
    'this engine deletes files only in a container that runs',
  );
  await expect(engine({exec: 1}).sync.sync('c1', changes, signal)).rejects.toThrow(
    'cannot delete files in the container: rm: read-only file system',
  );
});
