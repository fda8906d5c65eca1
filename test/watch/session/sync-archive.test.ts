import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {extract} from 'tar-stream';
import {afterAll, expect, test} from 'vitest';
import type {TreeEntry} from '../../../src/watch/files/types.ts';
import {isWhiteoutName, syncArchive} from '../../../src/watch/session/sync-archive.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsc-archive-'));
afterAll(() => rmSync(directory, {recursive: true}));

const identity = {size: 0, mtimeMs: 0, ctimeMs: 0, ino: 1};
const file = (mode = 0o644): TreeEntry => ({kind: 'file', mode, identity});

async function read(archive: AsyncIterable<Uint8Array>): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const entries: Record<string, unknown>[] = [];
  const tar = extract();
  const fed = pipeline(Readable.from(archive), tar as unknown as NodeJS.WritableStream);
  // Its failure is the archive's too, which is what is looked at.
  fed.catch(() => {});
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const {name, type, mode, linkname} = entry.header;
    entries.push({name, type, mode, linkname, content: Buffer.concat(chunks)});
  }
  return entries;
}

test('deletions come first, as whiteouts; then files, directories and links with their modes', async () => {
  const long = `/${'deep/'.repeat(60)}ü.txt`;
  writeFileSync(join(directory, 'small'), 'content');
  writeFileSync(join(directory, 'empty'), '');
  const entries = await read(
    syncArchive([
      {kind: 'put', path: '/app/dir', source: directory, entry: {kind: 'directory', mode: 0o750}},
      {kind: 'put', path: '/app/dir/small', source: join(directory, 'small'), entry: file(0o600)},
      {kind: 'put', path: long, source: join(directory, 'empty'), entry: file()},
      {kind: 'put', path: '/app/link', source: '', entry: {kind: 'link', target: 'dir/small'}},
      {kind: 'delete', path: '/app/old'},
      {kind: 'delete', path: '/top'},
    ]),
  );
  expect(entries.map(({name, type, mode, linkname, content}) => [name, type, mode, linkname, String(content)])).toEqual(
    [
      ['app/.wh.old', 'file', 0o600, null, ''],
      ['.wh.top', 'file', 0o600, null, ''],
      ['app/dir/', 'directory', 0o750, null, ''],
      ['app/dir/small', 'file', 0o600, null, 'content'],
      [long.slice(1), 'file', 0o644, null, ''],
      ['app/link', 'symlink', 0o777, 'dir/small', ''],
    ],
  );
});

test('a file of several pieces is whole', async () => {
  const content = Buffer.alloc(3_500_000, 'abcdefg');
  writeFileSync(join(directory, 'large'), content);
  const [entry] = await read(
    syncArchive([{kind: 'put', path: '/large', source: join(directory, 'large'), entry: file()}]),
  );
  expect(Buffer.compare(entry?.['content'] as Buffer, content)).toBe(0);
});

test('a file that is gone breaks the archive off, and so does a reader that ends early', async () => {
  const gone = syncArchive([{kind: 'put', path: '/gone', source: join(directory, 'gone'), entry: file()}]);
  await expect(read(gone)).rejects.toThrow('ENOENT');
  writeFileSync(join(directory, 'large'), Buffer.alloc(5_000_000));
  for await (const _chunk of syncArchive([
    {kind: 'put', path: '/large', source: join(directory, 'large'), entry: file()},
  ]))
    break;
});

test('names that could only mean a deletion are known', () => {
  expect(['/a/.wh.b', '/a/wh.b', '/.wh..wh..opq'].map(isWhiteoutName)).toEqual([true, false, true]);
});
