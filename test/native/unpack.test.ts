import {execFileSync} from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {makeTar, paxRecord, type RawEntry} from '../support/archive.ts';
import {type UnpackOptions, unpack} from './helper-process.ts';

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'tscompose-unpack-'));
  target = join(base, 'target');
});

afterEach(() => rmSync(base, {recursive: true, force: true}));

const entries = (list: readonly RawEntry[], options?: UnpackOptions) => unpack(makeTar(list), target, options);
const mode = (path: string) => lstatSync(join(target, path)).mode & 0o7777;
const xattr = (path: string, name: string) =>
  execFileSync('getfattr', ['--only-values', '-h', '-n', name, join(target, path)], {encoding: 'utf8', stdio: 'pipe'});

describe('ordinary archives', () => {
  test('files, links, devices, owners, modes and times', async () => {
    const answer = await entries([
      {name: './', type: '5', mode: 0o751},
      {name: 'bin/', type: '5', mode: 0o700, uid: 7, gid: 8, mtime: 1_000_000_000},
      {name: 'bin/su', mode: 0o4755, uid: 1, gid: 2, mtime: 1_111_111_111, data: 'program'},
      {name: 'bin/again', type: '1', link: 'bin/su'},
      {name: 'bin/link', type: '2', link: '../../../etc/passwd', uid: 5, mtime: 1_222_222_222},
      {name: 'null', type: '3', major: 1, minor: 3, mode: 0o666},
      {name: 'pipe', type: '6', mode: 0o640},
      {name: 'empty'},
    ]);
    expect(answer).toEqual({ok: true, bytes: 7, entries: 8, implied: 0, skipped: 0, unowned: 0});
    expect(mode('.')).toBe(0o751);
    expect(lstatSync(join(target, 'bin'))).toMatchObject({uid: 7, gid: 8, mtimeMs: 1_000_000_000_000});
    expect(mode('bin/su')).toBe(0o4755);
    expect(lstatSync(join(target, 'bin/su'))).toMatchObject({uid: 1, gid: 2, nlink: 2, mtimeMs: 1_111_111_111_000});
    expect(lstatSync(join(target, 'bin/again')).ino).toBe(lstatSync(join(target, 'bin/su')).ino);
    expect(readlinkSync(join(target, 'bin/link'))).toBe('../../../etc/passwd');
    expect(lstatSync(join(target, 'bin/link'))).toMatchObject({uid: 5, mtimeMs: 1_222_222_222_000});
    expect(lstatSync(join(target, 'null'))).toMatchObject({rdev: 0x103});
    expect(lstatSync(join(target, 'pipe')).isFIFO()).toBe(true);
    expect(readFileSync(join(target, 'empty'), 'utf8')).toBe('');
  });

  test('extended headers: long names, attributes of both kinds, fractions of a second, large numbers', async () => {
    const long = `${'d/'.repeat(60)}${'f'.repeat(200)}`;
    const answer = await entries([
      {
        name: 'short',
        data: 'x',
        pax: {
          path: long,
          mtime: '1500000000.123456789',
          uid: '3000000',
          'SCHILY.xattr.user.plain': 'a=b\nc',
          'LIBARCHIVE.xattr.user%2eencoded': Buffer.from('bytes').toString('base64'),
          'SCHILY.xattr.trusted.overlay.redirect': '/etc',
          'SCHILY.xattr.user.overlay.opaque': 'y',
        },
      },
      {
        name: 'cap',
        pax: {'SCHILY.xattr.security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex')},
        uid: 9,
      },
    ]);
    expect(answer.ok).toBe(true);
    expect(answer.implied).toBe(60);
    expect(statSync(join(target, long), {bigint: true})).toMatchObject({
      uid: 3_000_000n,
      mtimeNs: 1_500_000_000_123_456_789n,
    });
    expect(xattr(long, 'user.plain')).toBe('a=b\nc');
    expect(xattr(long, 'user.encoded')).toBe('bytes');
    expect(() => xattr(long, 'trusted.overlay.redirect')).toThrow();
    expect(() => xattr(long, 'user.overlay.opaque')).toThrow();
    expect(
      execFileSync('getfattr', ['-e', 'hex', '-n', 'security.capability', join(target, 'cap')], {encoding: 'utf8'}),
    ).toContain('0x01000002000400');
  });

  test('what GNU tar writes: long names, base-256 numbers', async () => {
    const source = join(base, 'source');
    const name = `${'n'.repeat(150)}/${'m'.repeat(150)}`;
    mkdirSync(join(source, 'n'.repeat(150)), {recursive: true});
    writeFileSync(join(source, name), 'content');
    symlinkSync('t'.repeat(180), join(source, 'link'));
    execFileSync('tar', ['--format=gnu', '--owner=4000000000', '-cf', join(base, 'a.tar'), '-C', source, '.']);
    expect((await unpack(readFileSync(join(base, 'a.tar')), target)).ok).toBe(true);
    expect(readFileSync(join(target, name), 'utf8')).toBe('content');
    expect(lstatSync(join(target, name)).uid).toBe(4_000_000_000);
    expect(readlinkSync(join(target, 'link'))).toBe('t'.repeat(180));
  });

  test.each([
    ['gnu', []],
    ['pax', ['--sparse-version=0.0']],
    ['pax', ['--sparse-version=0.1']],
    ['pax', ['--sparse-version=1.0']],
  ])('sparse files of format %s %j keep their holes', async (format, options) => {
    const source = join(base, 'sparse');
    execFileSync('truncate', ['-s', '40M', source]);
    for (const offset of [0, 5_000_000, 12_345_678, 30_000_000, 31_000_000, 39_000_000]) {
      execFileSync('dd', [`of=${source}`, 'bs=1', `seek=${offset}`, 'conv=notrunc', 'status=none'], {
        input: `data at ${offset}`,
      });
    }
    execFileSync('tar', [`--format=${format}`, ...options, '-Scf', join(base, 'a.tar'), '-C', base, 'sparse']);
    expect(await unpack(readFileSync(join(base, 'a.tar')), target)).toMatchObject({ok: true, bytes: 40 * 1024 * 1024});
    execFileSync('cmp', [source, join(target, 'sparse')]);
    expect(lstatSync(join(target, 'sparse')).blocks).toBeLessThan(2000);
  });

  test('a later entry takes the place of an earlier one', async () => {
    const answer = await entries([
      {name: 'a', data: 'first'},
      {name: 'a', data: 'second'},
      {name: 'd/', type: '5'},
      {name: 'd/inner'},
      {name: 'd', type: '2', link: 'elsewhere'},
      {name: 'e', type: '2', link: 'a'},
      {name: 'e/', type: '5', mode: 0o711},
      {name: 'e/f'},
    ]);
    expect(answer.ok).toBe(true);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('second');
    expect(readlinkSync(join(target, 'd'))).toBe('elsewhere');
    expect(mode('e')).toBe(0o711);
    expect(readdirSync(join(target, 'e'))).toEqual(['f']);
  });

  test('archives without the second block of zeros, and old ones whose directories are files with a slash', async () => {
    const archive = makeTar([
      {name: 'old/', old: true},
      {name: 'old/file', old: true, data: 'x'},
    ]);
    expect((await unpack(archive.subarray(0, archive.length - 1024), target)).ok).toBe(true);
    expect(lstatSync(join(target, 'old')).isDirectory()).toBe(true);
  });
});

describe('hostile archives', () => {
  const outside = () => join(base, 'outside');
  const nothingOutside = () =>
    expect(readdirSync(base).sort()).toEqual(existsSync(outside()) ? ['outside', 'target'] : ['target']);

  test.each(['../pwn', 'a/../../pwn', '/../pwn', '..', 'a/b/../../../pwn'])(
    'a name that leads out is refused: %s',
    async (name) => {
      expect((await entries([{name, data: 'x'}])).error).toMatchObject({kind: 'invalid', step: `unpack ${name}`});
      nothingOutside();
    },
  );

  test('an absolute name is taken as one inside', async () => {
    expect((await entries([{name: `${outside()}/pwn`, data: 'x'}])).ok).toBe(true);
    nothingOutside();
    expect(readFileSync(join(target, outside(), 'pwn'), 'utf8')).toBe('x');
  });

  test.each([
    ['absolute', (path: string) => path],
    ['relative', () => '../outside'],
    ['up to the root', () => `${'../'.repeat(30)}tmp`],
  ])('a file through a link that leads out (%s) stays inside', async (_name, link) => {
    mkdirSync(outside());
    const answer = await entries([
      {name: 'way', type: '2', link: link(outside())},
      {name: 'way/pwn', data: 'x'},
    ]);
    expect(answer.error?.kind ?? 'inside').toMatch(/^(inside|invalid)$/);
    expect(readdirSync(outside())).toEqual([]);
    expect(existsSync('/tmp/pwn')).toBe(false);
  });

  test('a file does not write through a link of the same name', async () => {
    writeFileSync(outside(), 'untouched');
    expect(
      (
        await entries([
          {name: 'f', type: '2', link: outside()},
          {name: 'f', data: 'written'},
        ])
      ).ok,
    ).toBe(true);
    expect(readFileSync(outside(), 'utf8')).toBe('untouched');
    expect(readFileSync(join(target, 'f'), 'utf8')).toBe('written');
  });

  test('a directory entry does not change what a link points to', async () => {
    mkdirSync(outside(), {mode: 0o700});
    expect(
      (
        await entries([
          {name: 'd', type: '2', link: outside()},
          {name: 'd', type: '5', mode: 0o777},
        ])
      ).ok,
    ).toBe(true);
    expect(lstatSync(outside()).mode & 0o777).toBe(0o700);
  });

  test('a hard link outside is refused, also by way of a symbolic link', async () => {
    writeFileSync(outside(), 'secret');
    const through = [
      {name: 'way', type: '2', link: base},
      {name: 'got', type: '1', link: 'way/outside'},
    ];
    for (const list of [
      [{name: 'got', type: '1', link: '../outside'}],
      [{name: 'got', type: '1', link: outside()}],
      through,
    ]) {
      rmSync(target, {recursive: true, force: true});
      expect((await entries(list)).error?.kind).toMatch(/^(invalid|unsupported)$/);
    }
    expect(lstatSync(outside()).nlink).toBe(1);
  });

  test('a hard link to a symbolic link links the link', async () => {
    expect(
      (
        await entries([
          {name: 'l', type: '2', link: '/etc/passwd'},
          {name: 'h', type: '1', link: 'l'},
        ])
      ).ok,
    ).toBe(true);
    expect(lstatSync(join(target, 'h')).isSymbolicLink()).toBe(true);
  });

  test('a device through a link stays inside', async () => {
    mkdirSync(outside());
    await entries([
      {name: 'd', type: '2', link: outside()},
      {name: 'd/disk', type: '4', major: 8, minor: 0},
    ]);
    expect(readdirSync(outside())).toEqual([]);
  });

  test('links that lead to each other are refused', async () => {
    const answer = await entries([
      {name: 'a', type: '2', link: 'b'},
      {name: 'b', type: '2', link: 'a'},
      {name: 'a/file', data: 'x'},
    ]);
    expect(answer.error).toMatchObject({kind: 'invalid', errno: 'ELOOP'});
  });

  test.each(['.wh.', '.wh..', '.wh...', 'd/.wh...', '.wh.x/file'])(
    'a whiteout of nothing is refused: %s',
    async (name) => {
      expect((await entries([{name}])).error?.kind).toBe('invalid');
      nothingOutside();
    },
  );

  test('an opaque mark goes to a directory inside, not to what a link leads to', async () => {
    mkdirSync(outside());
    await entries([{name: 'd', type: '2', link: outside()}, {name: 'd/.wh..wh..opq'}]);
    expect(execFileSync('getfattr', ['-d', '-m', '-', outside()], {encoding: 'utf8'})).toBe('');
  });

  test('a cut-off archive is refused, wherever it is cut', async () => {
    const archive = makeTar([
      {name: 'a', data: 'x'.repeat(3000), pax: {comment: 'y'.repeat(600)}},
      {name: 'b', data: 'z'},
    ]);
    for (const length of [100, 512, 700, 1100, 1600, 2100, 2700, 5000]) {
      rmSync(target, {recursive: true, force: true});
      expect((await unpack(archive.subarray(0, length), target)).error, String(length)).toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('cut off'),
      });
    }
  });

  test('damaged headers, names and numbers are refused', async () => {
    const damaged = makeTar([{name: 'a', data: 'x'}]);
    damaged[3] = 0x41;
    expect((await unpack(damaged, target)).error).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('checksum'),
    });
    for (const entry of [
      {name: 'a', pax: {path: 'n'.repeat(5000)}},
      {name: 'n'.repeat(10), pax: {path: `${'n'.repeat(300)}`}},
      {name: 'a', pax: {uid: '-1'}},
      {name: 'a', pax: {uid: '4294967295'}},
      {name: 'a', pax: {path: 'a\0b'}},
      {name: 'a', pax: {'GNU.sparse.map': '0,10,5,10', 'GNU.sparse.size': '15'}, data: 'x'.repeat(20)},
      {name: 'a', pax: {'GNU.sparse.map': '0,1000', 'GNU.sparse.size': '1000'}, data: 'x'},
      {name: '', data: 'x'},
      {name: 'a', pax: {'GNU.sparse.numbytes': '1'}, data: 'x'},
    ]) {
      rmSync(target, {recursive: true, force: true});
      expect((await entries([entry])).error?.kind, JSON.stringify(entry).slice(0, 60)).toBe('invalid');
    }
    expect((await entries([{name: 'x', type: 'x', data: '999999 path=a\n'}])).error?.kind).toBe('invalid');
    expect(
      (await entries([{name: 'x', type: 'x', data: paxRecord('path', Buffer.from('a')).subarray(1)}])).error?.kind,
    ).toBe('invalid');
    expect((await entries([{name: 'x', type: 'M', data: ''}])).error?.kind).toBe('unsupported');
    // Half a segment for all files, the other half for one.
    const half = paxRecord('GNU.sparse.offset', Buffer.from('0'));
    const other = {name: 'a', pax: {'GNU.sparse.numbytes': '1'}, data: 'x'};
    expect((await entries([{name: 'x', type: 'g', data: half}, other])).error?.kind).toBe('invalid');
  });

  test('an extended header of many megabytes is refused before it is read', async () => {
    expect((await entries([{name: 'x', type: 'x', data: Buffer.alloc(3_000_000, '0')}])).error).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('too long'),
    });
  });

  test('a destination that is not empty is left alone', async () => {
    mkdirSync(target);
    writeFileSync(join(target, 'mine'), '');
    expect((await entries([{name: 'a'}])).error).toMatchObject({kind: 'conflict', errno: 'ENOTEMPTY'});
    expect(readdirSync(target)).toEqual(['mine']);
  });
});

describe('layers', () => {
  const isWhiteout = (path: string) =>
    lstatSync(join(target, path)).isCharacterDevice() && lstatSync(join(target, path)).rdev === 0;
  const isOpaque = (path: string) => xattr(path, 'trusted.overlay.opaque') === 'y';

  test('whiteouts become overlay marks, and speak of lower layers only', async () => {
    const answer = await entries([
      {name: 'd/', type: '5'},
      {name: 'd/.wh.gone'},
      {name: 'd/kept', data: 'x'},
      {name: 'd/.wh.kept'},
      {name: 'd/.wh.later'},
      {name: 'd/later', data: 'y'},
      {name: 'd/.wh.dir'},
      {name: 'd/dir/', type: '5'},
      {name: 'o/', type: '5'},
      {name: 'o/mine'},
      {name: 'o/.wh..wh..opq'},
      {name: '.wh..wh.plnk/1.2', data: 'of AUFS'},
      {name: 'd/.wh.replaced'},
      {name: 'd/replaced/file', data: 'z'},
    ]);
    expect(answer.ok).toBe(true);
    expect(isWhiteout('d/gone')).toBe(true);
    expect(readFileSync(join(target, 'd/kept'), 'utf8')).toBe('x');
    expect(readFileSync(join(target, 'd/later'), 'utf8')).toBe('y');
    expect(isOpaque('d/dir')).toBe(true);
    expect(isOpaque('o')).toBe(true);
    expect(isOpaque('d/replaced')).toBe(true);
    expect(readdirSync(join(target, 'o'))).toEqual(['mine']);
    expect(readdirSync(target).sort()).toEqual(['d', 'o']);
  });

  test('a plain tree has no whiteouts', async () => {
    expect((await entries([{name: '.wh.x'}], {whiteouts: 'none'})).error?.kind).toBe('invalid');
    expect((await entries([{name: 'x', type: '3'}], {whiteouts: 'none'})).error?.kind).toBe('invalid');
  });

  test('what needs the layers below is told without them, and done with them', async () => {
    const lower = join(base, 'lower');
    mkdirSync(join(lower, 'tmp/deep'), {recursive: true});
    mkdirSync(join(lower, 'usr/lib'), {recursive: true});
    execFileSync('chmod', ['1777', join(lower, 'tmp')]);
    execFileSync('chown', ['12:13', join(lower, 'tmp/deep')]);
    symlinkSync('usr/lib', join(lower, 'lib'));
    writeFileSync(join(lower, 'usr/lib/original'), 'content', {mode: 0o640});
    execFileSync('mknod', [join(lower, 'hidden'), 'c', '0', '0']);
    const list = [
      {name: 'tmp/deep/file', data: 'x'},
      {name: 'lib/new', data: 'in usr'},
      {name: 'hidden/file', data: 'h'},
      {name: 'usr/lib/other', type: '1', link: 'usr/lib/original'},
    ];
    expect((await entries(list)).error).toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('layers below'),
    });
    rmSync(target, {recursive: true});
    expect(await entries(list.slice(0, 3))).toMatchObject({ok: true, implied: 4});
    rmSync(target, {recursive: true});

    expect(await entries(list, {lowers: [lower]})).toMatchObject({ok: true, implied: 1});
    expect(mode('tmp')).toBe(0o1777);
    expect(lstatSync(join(target, 'tmp/deep'))).toMatchObject({uid: 12, gid: 13});
    expect(existsSync(join(target, 'lib'))).toBe(false);
    expect(readFileSync(join(target, 'usr/lib/new'), 'utf8')).toBe('in usr');
    expect(lstatSync(join(target, 'usr/lib/original'))).toMatchObject({nlink: 2});
    expect(mode('usr/lib/other')).toBe(0o640);
    expect(lstatSync(join(lower, 'usr/lib/original')).nlink).toBe(1);
    expect(mode('hidden')).toBe(0o755);
  });

  test('several layers below are seen merged; an opaque top hides each of their names', async () => {
    const [low, high] = [join(base, 'low'), join(base, 'high')];
    mkdirSync(join(low, 'a'), {recursive: true, mode: 0o700});
    execFileSync('chmod', ['711', join(low, 'a')]);
    mkdirSync(join(high, 'b'), {recursive: true});
    expect((await entries([{name: 'a/x'}, {name: '.wh..wh..opq'}], {lowers: [high, low]})).ok).toBe(true);
    expect(mode('a')).toBe(0o711);
    expect(isWhiteout('b')).toBe(true);
    expect(isOpaque('a')).toBe(true);
  });
});
