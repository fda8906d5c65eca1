import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {extractLocal} from '../../../src/cli/copy/extract-local.ts';
import {makeTar, type RawEntry} from '../../support/archive.ts';

let base: string;
let into: string;
let outside: string;
let skipped: string[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'tsc-extract-'));
  into = join(base, 'into');
  outside = join(base, 'outside');
  skipped = [];
  mkdirSync(into);
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), 'as it was');
});
afterEach(() => rmSync(base, {recursive: true}));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function unpack(root: string, name: string, ...entries: readonly RawEntry[]): Promise<void> {
  return extractLocal(once(makeTar(entries)), {
    root,
    place: {directory: into, name},
    onSkipped: (entry) => skipped.push(entry),
  });
}

const files = () => (readdirSync(into, {recursive: true}) as string[]).toSorted();
const untouched = () =>
  expect({files: readdirSync(outside), kept: readFileSync(join(outside, 'kept'), 'utf8')}).toEqual({
    files: ['kept'],
    kept: 'as it was',
  });

it('unpacks under another name, with modes and times but without set-user-ID bits', async () => {
  const mtime = 1_000_000_000;
  await unpack(
    'd',
    'new',
    {name: 'd/', type: '5', mode: 0o2750, mtime},
    {name: 'd/f', data: 'content', mode: 0o6755, mtime, uid: 4242, gid: 4242},
    {name: 'd/again', type: '1', link: 'd/f'},
    {name: 'd/l', type: '2', link: '../../anywhere'},
    {name: 'd/pipe', type: '6'},
    {name: 'd/null', type: '3', major: 1, minor: 3},
  );
  expect(files()).toEqual(['new', 'new/again', 'new/f', 'new/l']);
  const stat = (name: string) => lstatSync(join(into, name));
  expect((stat('new').mode & 0o7777).toString(8)).toBe('750');
  expect((stat('new/f').mode & 0o7777).toString(8)).toBe('755');
  expect([stat('new').mtimeMs, stat('new/f').mtimeMs]).toEqual([mtime * 1000, mtime * 1000]);
  expect(stat('new/f').uid).toBe(process.getuid?.());
  expect(stat('new/again').ino).toBe(stat('new/f').ino);
  expect(readlinkSync(join(into, 'new/l'))).toBe('../../anywhere');
  expect(skipped).toEqual(['d/pipe', 'd/null']);
});

it('unpacks the content of a directory into one that is there', async () => {
  writeFileSync(join(into, 'old'), 'old');
  writeFileSync(join(into, 'both'), 'old');
  await unpack(
    '.',
    '',
    {name: './', type: '5', mode: 0o700},
    {name: './both', data: 'new'},
    {name: './a/b', data: 'x'},
  );
  expect(files()).toEqual(['a', 'a/b', 'both', 'old']);
  expect(readFileSync(join(into, 'both'), 'utf8')).toBe('new');
  expect(lstatSync(into).mode & 0o7777).not.toBe(0o700);
});

it('replaces a link, not what it leads to', async () => {
  symlinkSync(join(outside, 'kept'), join(into, 'f'));
  await unpack('f', 'f', {name: 'f', data: 'new'});
  expect(lstatSync(join(into, 'f')).isFile()).toBe(true);
  untouched();
});

const hostile: readonly [string, readonly RawEntry[], RegExp][] = [
  ['climbs', [{name: 'd/../../outside/kept', data: 'x'}], /leads out of the archive/],
  ['is absolute', [{name: '/outside/kept', data: 'x'}], /does not belong to "d"/],
  ['is another', [{name: 'other', data: 'x'}], /does not belong to "d"/],
  [
    'goes through a link of the archive',
    [
      {name: 'd/l', type: '2', link: '../../outside'},
      {name: 'd/l/kept', data: 'x'},
    ],
    /"l" is there already, and is no directory/,
  ],
  [
    'makes a directory of a link',
    [
      {name: 'd/l', type: '2', link: '../../outside'},
      {name: 'd/l/', type: '5', mode: 0o777},
    ],
    /"l" is there already, and is no directory/,
  ],
  ['links to a file outside', [{name: 'd/h', type: '1', link: 'd/../../outside/kept'}], /leads out of the archive/],
  [
    'links through a link',
    [
      {name: 'd/l', type: '2', link: '../../outside'},
      {name: 'd/h', type: '1', link: 'd/l/kept'},
    ],
    /"l" is there already, and is no directory/,
  ],
  [
    'takes the place of a directory',
    [
      {name: 'd/sub/', type: '5'},
      {name: 'd/sub', data: 'x'},
    ],
    /there is a directory of that name/,
  ],
];
it.each(hostile)('refuses an entry that %s', async (_, entries, message) => {
  await expect(unpack('d', 'd', {name: 'd/', type: '5'}, ...entries)).rejects.toThrow(message);
  untouched();
  expect(existsSync(join(into, 'd/h'))).toBe(false);
});

it('refuses a link that was there in the place of a directory', async () => {
  symlinkSync('../outside', join(into, 'd'));
  await expect(unpack('d', 'd', {name: 'd/', type: '5'}, {name: 'd/kept', data: 'x'})).rejects.toThrow(
    /is no directory/,
  );
  untouched();
});

it('leaves what was there where an archive breaks off', async () => {
  writeFileSync(join(into, 'f'), 'old');
  const whole = makeTar([{name: 'f', data: 'x'.repeat(3000)}]);
  const extraction = {root: 'f', place: {directory: into, name: 'f'}, onSkipped: () => {}};
  await expect(extractLocal(once(whole.subarray(0, 1500)), extraction)).rejects.toMatchObject({kind: 'invalid'});
  expect(files()).toEqual(['f']);
  expect(readFileSync(join(into, 'f'), 'utf8')).toBe('old');
});
