import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Helper} from '../../src/engine/helper/coprocess.ts';
import {encodeHeader, encodeOperation} from '../../src/engine/helper/operations.ts';
import {startHelper} from './helper-process.ts';

let directory: string;
let helper: Helper;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-native-'));
  helper = startHelper();
});

afterEach(async () => {
  await helper.close();
  // It complains about links and devices.
  spawnSync('chattr', ['-R', '-i', directory], {stdio: 'ignore'});
  rmSync(directory, {recursive: true, force: true});
});

test('says who it is', async () => {
  const reply = await helper.request({kind: 'hello'});
  expect(reply).toMatchObject({ok: true, version: 1, build: Buffer.from(await helper.build()).toString('hex')});
  expect(reply.pid).toBeGreaterThan(0);
});

describe('streams that are refused', () => {
  const talk = async (...bytes: readonly Uint8Array[]) => {
    const child = spawn(await helper.path(), ['serve'], {stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: {}});
    const socket = child.stdio[3] as Duplex;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    for (const part of bytes) socket.write(part);
    const code = await new Promise((resolve) => child.once('close', resolve));
    return {code, error: (JSON.parse(text) as {error: {kind: string; message: string}}).error};
  };
  const hello = encodeOperation({kind: 'hello', request: 1});

  test('of another build, or none at all', async () => {
    expect((await talk(encodeHeader(new Uint8Array(16)))).error).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('another build'),
    });
    expect((await talk(Buffer.alloc(64, 'x'))).error).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('not an operation stream'),
    });
  });

  test('with unknown operations, those of another verb, wrong counts, sizes and end marks', async () => {
    const header = encodeHeader(await helper.build());
    const change = (offset: number, value: number) => {
      const copy = Buffer.from(hello);
      copy[offset] = value;
      return copy;
    };
    const broken = [
      change(4, 99),
      encodeOperation({kind: 'hostname', name: 'a'}),
      change(6, 2),
      change(8, 200),
      change(13, 1),
      change(0, 3),
      change(3, 0x7f),
    ];
    for (const record of broken) expect((await talk(header, record)).error.kind).toBe('invalid');
  });
});

describe('locks', () => {
  const file = () => join(directory, 'a.lock');

  test('are private files and exclude each other, also within one process', async () => {
    const lock = await helper.lock(file());
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(await helper.tryLock(file())).toBeUndefined();
    await lock[Symbol.asyncDispose]();
    const again = await helper.tryLock(file());
    expect(again).toBeDefined();
    await again?.[Symbol.asyncDispose]();
  });

  test('are shared by readers, and waited for in turn', async () => {
    const readers = await Promise.all([helper.lock(file(), {mode: 'shared'}), helper.lock(file(), {mode: 'shared'})]);
    let granted = false;
    const writer = helper.lock(file()).then((lock) => {
      granted = true;
      return lock;
    });
    await readers[0][Symbol.asyncDispose]();
    await helper.request({kind: 'hello'});
    expect(granted).toBe(false);
    await readers[1][Symbol.asyncDispose]();
    await (await writer)[Symbol.asyncDispose]();
  });

  test('are free when their holder was killed, whatever it was doing', async () => {
    const other = startHelper();
    await other.lock(file());
    const waiting = helper.lock(file());
    const {pid} = await other.request({kind: 'hello'});
    process.kill(pid, 'SIGKILL');
    await (await waiting)[Symbol.asyncDispose]();
    await other.close();
  });

  test('can be given up while they are waited for', async () => {
    const held = await helper.lock(file());
    const controller = new AbortController();
    const waiting = helper.lock(file(), {signal: controller.signal, onWait: () => controller.abort()});
    await expect(waiting).rejects.toMatchObject({kind: 'canceled'});
    await held[Symbol.asyncDispose]();
    expect(await helper.tryLock(file())).toBeDefined();
  });

  test('are taken anew when the holder removed the file', async () => {
    const first = await helper.lock(file());
    const waiting = helper.lock(file());
    await helper.request({kind: 'hello'});
    rmSync(file());
    await first[Symbol.asyncDispose]();
    const second = await waiting;
    expect(existsSync(file())).toBe(true);
    expect(await helper.tryLock(file())).toBeUndefined();
    await second[Symbol.asyncDispose]();
  });

  test('are never kept from anybody by who only tries', async () => {
    const others = [startHelper(), startHelper()] as const;
    for (let round = 0; round < 200; round += 1) {
      const held = await helper.lock(file());
      const early = others[0].tryLock(file());
      await held[Symbol.asyncDispose]();
      const locks = [await others[1].tryLock(file()), await early].filter((lock) => lock !== undefined);
      expect(locks).toHaveLength(1);
      await locks[0]?.[Symbol.asyncDispose]();
    }
    for (const other of others) await other.close();
  });

  test('are refused on links and what is no file', async () => {
    symlinkSync('/etc/passwd', file());
    await expect(helper.lock(file())).rejects.toMatchObject({kind: 'invalid'});
    await expect(helper.lock(directory)).rejects.toMatchObject({kind: 'invalid'});
    await expect(helper.lock(join(directory, 'none/x'))).rejects.toMatchObject({kind: 'notFound'});
  });
});

describe('removeTree', () => {
  const remove = (path: string) => helper.request({kind: 'removeTree', root: directory, path});

  test('removes a tree with links, immutable and unreadable parts, and nothing that links lead to', async () => {
    const outside = join(directory, 'outside');
    writeFileSync(outside, 'stays');
    mkdirSync(join(directory, 'tree/locked'), {recursive: true});
    symlinkSync(outside, join(directory, 'tree/link'));
    symlinkSync(directory, join(directory, 'tree/up'));
    writeFileSync(join(directory, 'tree/locked/file'), '');
    chmodSync(join(directory, 'tree/locked'), 0o000);
    execFileSync('chattr', ['+i', join(directory, 'tree/locked/file'), join(directory, 'tree/locked')]);
    expect((await remove('tree')).entries).toBe(5);
    expect(existsSync(join(directory, 'tree'))).toBe(false);
    expect(existsSync(outside)).toBe(true);
  });

  test('removes a tree that is deeper than any path can name', async () => {
    const before = process.cwd();
    process.chdir(directory);
    try {
      mkdirSync('deep');
      process.chdir('deep');
      for (let level = 0; level < 500; level++) {
        mkdirSync('dddddddddd');
        process.chdir('dddddddddd');
        writeFileSync('file', '');
      }
    } finally {
      process.chdir(before);
    }
    expect((await remove('deep')).entries).toBe(1001);
    expect(existsSync(join(directory, 'deep'))).toBe(false);
  });

  test('removes many entries, a lone file, a link itself, and nothing where nothing is', async () => {
    mkdirSync(join(directory, 'many'));
    for (let index = 0; index < 1000; index++) writeFileSync(join(directory, 'many', `file ${index}`), '');
    expect((await remove('many')).entries).toBe(1001);
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('file', join(directory, 'link'));
    expect((await remove('link')).entries).toBe(1);
    expect(readdirSync(directory)).toEqual(['file']);
    expect((await remove('missing/too')).entries).toBe(0);
  });

  test('stops at mounts', async () => {
    mkdirSync(join(directory, 'tree/mounted'), {recursive: true});
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(directory, 'tree/mounted')]);
    try {
      writeFileSync(join(directory, 'tree/mounted/kept'), '');
      await expect(remove('tree')).rejects.toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining('mount point'),
      });
      await expect(remove('tree/mounted')).rejects.toMatchObject({kind: 'conflict'});
      expect(existsSync(join(directory, 'tree/mounted/kept'))).toBe(true);
    } finally {
      execFileSync('umount', [join(directory, 'tree/mounted')]);
    }
    await remove('tree');
  });

  test('does not leave its root', async () => {
    mkdirSync(join(directory, 'root'));
    writeFileSync(join(directory, 'kept'), '');
    symlinkSync('..', join(directory, 'root/up'));
    for (const path of ['../kept', '..', '.', '', '/', 'up/kept', 'a/..']) {
      const error = await helper.request({kind: 'removeTree', root: join(directory, 'root'), path}).then(
        () => undefined,
        (thrown: {kind: string}) => thrown.kind,
      );
      expect(error, path).toBe('invalid');
    }
    expect(readdirSync(directory).sort()).toEqual(['kept', 'root']);
  });
});

test('a launch with a plan that says nothing is refused, and leaves no process', async () => {
  await expect(helper.request({kind: 'launch', plan: new Uint8Array()})).rejects.toMatchObject({
    kind: expect.stringMatching(/^(invalid|internal)$/),
  });
  await expect(helper.request({kind: 'launch', plan: Buffer.from('no operations')})).rejects.toMatchObject({
    kind: 'invalid',
  });
  const {pid} = await helper.request({kind: 'hello'});
  await expect.poll(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')).toBe('');
});

test('topDirectory is a hint, for file systems that take it', async () => {
  const hint = (path: string) => helper.request({kind: 'topDirectory', path});
  const isMarked = () => /^\S*T\S* /.test(execFileSync('lsattr', ['-d', directory], {encoding: 'utf8'}));
  const {marked} = await hint(directory);
  expect(marked).toBe(statfsSync(directory).type === 0xef53);
  if (marked) expect(isMarked()).toBe(true);
  expect(await hint('/proc')).toMatchObject({marked: false});
  await expect(hint(join(directory, 'none'))).rejects.toMatchObject({kind: 'notFound'});
  symlinkSync(directory, join(directory, 'link'));
  await expect(hint(join(directory, 'link'))).rejects.toThrow('topDirectory');
});

test('measureTree counts a file with two names once, and the link, not what it leads to', async () => {
  mkdirSync(join(directory, 'tree/sub'), {recursive: true});
  writeFileSync(join(directory, 'tree/a'), Buffer.alloc(1000));
  linkSync(join(directory, 'tree/a'), join(directory, 'tree/sub/again'));
  symlinkSync('/usr', join(directory, 'tree/link'));
  expect(await helper.request({kind: 'measureTree', root: join(directory, 'tree')})).toMatchObject({
    bytes: 1000,
    entries: 4,
  });
  await expect(helper.request({kind: 'measureTree', root: join(directory, 'none')})).rejects.toMatchObject({
    kind: 'notFound',
  });
});

describe('copyUp', () => {
  const layer = (name: string) => {
    mkdirSync(join(directory, name, 'data'), {recursive: true});
    return join(directory, name);
  };
  const copy = (lowers: readonly string[], target = '/data') => {
    mkdirSync(join(directory, 'volume'), {recursive: true});
    return helper.request({kind: 'copyUp', destination: join(directory, 'volume'), subpath: '', target, lowers});
  };
  const volume = (...path: readonly string[]) => join(directory, 'volume', ...path);

  test('copies owners, modes, times, attributes, links, devices and holes, of all layers merged', async () => {
    const [low, high] = [layer('low'), layer('high')];
    writeFileSync(join(low, 'data/file'), 'low');
    writeFileSync(join(low, 'data/gone'), '');
    mkdirSync(join(low, 'data/sub'));
    writeFileSync(join(low, 'data/sub/one'), 'content');
    linkSync(join(low, 'data/sub/one'), join(low, 'data/two'));
    symlinkSync('/etc/shadow', join(low, 'data/link'));
    execFileSync('mknod', [join(low, 'data/null'), 'c', '1', '3']);
    execFileSync('mkfifo', [join(low, 'data/pipe')]);
    execFileSync('truncate', ['-s', '20M', join(low, 'data/holes')]);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'hello', join(low, 'data/sub/one')]);
    writeFileSync(join(high, 'data/file'), 'high');
    execFileSync('mknod', [join(high, 'data/gone'), 'c', '0', '0']);
    execFileSync('chown', ['-h', '3:4', join(high, 'data/file'), join(low, 'data/link')]);
    chmodSync(join(high, 'data/file'), 0o4750);
    utimesSync(join(high, 'data/file'), 1_000_000_000, 1_000_000_000);
    execFileSync('chown', ['70:71', join(high, 'data')]);
    chmodSync(join(high, 'data'), 0o2770);

    expect((await copy([high, low])).entries).toBe(8);
    expect(readFileSync(volume('file'), 'utf8')).toBe('high');
    expect(statSync(volume('file'))).toMatchObject({uid: 3, gid: 4, mode: 0o104750, mtimeMs: 1_000_000_000_000});
    expect(existsSync(volume('gone'))).toBe(false);
    expect(statSync(volume('two')).ino).toBe(statSync(volume('sub/one')).ino);
    expect(readlinkSync(volume('link'))).toBe('/etc/shadow');
    expect(statSync(volume('null')).rdev).toBe(0x103);
    expect(statSync(volume('pipe')).isFIFO()).toBe(true);
    expect(statSync(volume('holes'))).toMatchObject({size: 20 * 1024 * 1024, blocks: 0});
    expect(execFileSync('getfattr', ['--only-values', '-n', 'user.note', volume('sub/one')], {encoding: 'utf8'})).toBe(
      'hello',
    );
    expect(statSync(volume())).toMatchObject({uid: 70, gid: 71, mode: 0o42770});
    expect(readdirSync(volume()).sort()).toEqual(['file', 'holes', 'link', 'null', 'pipe', 'sub', 'two']);
  });

  test('leaves a volume with content alone, and has nothing to do for a missing place', async () => {
    const low = layer('low');
    writeFileSync(join(low, 'data/file'), 'image');
    expect((await copy([low], '/elsewhere')).entries).toBe(0);
    mkdirSync(volume(), {recursive: true});
    writeFileSync(volume('mine'), '');
    expect((await copy([low])).entries).toBe(0);
    expect(readdirSync(volume())).toEqual(['mine']);
  });

  test('takes only a file of its own for the mark of an interrupted copy', async () => {
    const low = layer('low');
    writeFileSync(join(low, 'data/file'), 'image');
    mkdirSync(volume());
    execFileSync('mkfifo', [volume('.tscompose-copy-up')]);
    expect((await copy([low])).entries).toBe(0);
    expect(readdirSync(volume())).toEqual(['.tscompose-copy-up']);
  });

  test('goes on where an interrupted copy stopped', async () => {
    const low = layer('low');
    writeFileSync(join(low, 'data/a'), 'a');
    writeFileSync(join(low, 'data/b'), 'b');
    mkdirSync(volume());
    writeFileSync(volume('.tscompose-copy-up'), '');
    writeFileSync(volume('a'), 'a');
    await copy([low]);
    expect(readdirSync(volume()).sort()).toEqual(['a', 'b']);
  });

  test('resolves links of the image inside the image', async () => {
    const low = layer('low');
    symlinkSync(directory, join(low, 'out'));
    symlinkSync('/data', join(low, 'in'));
    writeFileSync(join(low, 'data/file'), '');
    expect((await copy([low], '/out')).entries).toBe(0);
    expect((await copy([low], '/in')).entries).toBe(1);
    await expect(copy([low], '/data/file')).resolves.toMatchObject({entries: 0});
    rmSync(volume(), {recursive: true});
    await expect(copy([low], '/data/file')).rejects.toMatchObject({kind: 'invalid'});
  });
});

describe('netlink', () => {
  const message = (type: number, flags: number, body: Uint8Array) => {
    const bytes = Buffer.alloc(16 + body.length);
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt16LE(type, 4);
    bytes.writeUInt16LE(flags, 6);
    body.forEach((byte, index) => {
      bytes[16 + index] = byte;
    });
    return bytes;
  };
  const link = (index: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeInt32LE(index, 4);
    return bytes;
  };
  const getLink = (index: number, flags = 0x1) => message(18, flags, link(index));
  const types = (messages: string) => {
    const bytes = Buffer.from(messages, 'base64');
    const found: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += (bytes.readUInt32LE(offset) + 3) & ~3)
      found.push(bytes.readUInt16LE(offset + 4));
    return found;
  };
  const send = (batch: Uint8Array, family = 0, net = '') => helper.request({kind: 'netlink', net, family, batch});

  test('answers each message of a batch, and says which ones failed', async () => {
    const reply = await send(Buffer.concat([getLink(1), getLink(0x7fffffff), getLink(1, 0x5)]));
    expect(types(reply.messages)).toEqual([16, 16]);
    expect(reply.errors).toEqual([expect.objectContaining({index: 1, errno: 'ENODEV', code: 19})]);
  });

  test('reads dumps between other messages', async () => {
    const dump = message(18, 0x301, link(0));
    const reply = await send(Buffer.concat([getLink(1), dump, getLink(0x7fffffff), dump]));
    expect(types(reply.messages).length).toBeGreaterThanOrEqual(3);
    expect(reply.errors).toEqual([expect.objectContaining({index: 2})]);
  });

  test('sends many messages without losing answers', async () => {
    const many = Array.from({length: 2000}, (_unused, index) => getLink(index % 2 === 0 ? 1 : 0x7fffffff, 0x5));
    const reply = await send(Buffer.concat(many));
    expect(types(reply.messages).length).toBe(1000);
    expect(reply.errors?.map(({index}) => index)).toEqual(
      Array.from({length: 1000}, (_unused, index) => 2 * index + 1),
    );
  });

  test('works in a namespace that is named by a file, and comes back', async () => {
    const name = `tsc-native-${process.pid}`;
    execFileSync('ip', ['netns', 'add', name]);
    try {
      const dump = message(18, 0x301, link(0));
      const [inside, before] = [await send(dump, 0, `/run/netns/${name}`), await send(dump)];
      expect(types(inside.messages).length).toBeLessThanOrEqual(types(before.messages).length);
      execFileSync('ip', ['-n', name, 'link', 'add', 'only-here', 'type', 'bridge']);
      expect(Buffer.from((await send(dump, 0, `/run/netns/${name}`)).messages, 'base64').includes('only-here')).toBe(
        true,
      );
      expect(Buffer.from((await send(dump)).messages, 'base64').includes('only-here')).toBe(false);
    } finally {
      execFileSync('ip', ['netns', 'delete', name]);
    }
    await expect(send(getLink(1), 0, '/run/netns/no-such')).rejects.toMatchObject({kind: 'notFound'});
  });

  test('a transaction of nftables is one: an error in it undoes it', async () => {
    const name = `tsc-native-nft-${process.pid}`;
    const net = `/run/netns/${name}`;
    execFileSync('ip', ['netns', 'add', name]);
    try {
      const generic = (family: number, resource: number) => Buffer.from([family, 0, resource >> 8, resource & 0xff]);
      const text = (type: number, value: string) => {
        const bytes = Buffer.alloc((4 + value.length + 1 + 3) & ~3);
        bytes.writeUInt16LE(4 + value.length + 1, 0);
        bytes.writeUInt16LE(type, 2);
        bytes.write(value, 4);
        return bytes;
      };
      const table = (type: number, value: string, flags: number) =>
        message((10 << 8) | type, flags, Buffer.concat([generic(1, 0), text(1, value)]));
      const batch = (...parts: readonly Uint8Array[]) =>
        Buffer.concat([message(16, 1, generic(0, 10)), ...parts, message(17, 1, generic(0, 10))]);
      const list = () =>
        execFileSync('ip', ['netns', 'exec', name, 'nft', 'list', 'tables'], {encoding: 'utf8'}).trim();
      expect(await send(batch(table(0, 'one', 0x405), table(0, 'two', 0x405)), 12, net)).toMatchObject({errors: []});
      expect(list()).toBe('table inet one\ntable inet two');
      const failed = await send(batch(table(0, 'three', 0x405), table(2, 'missing', 0x5)), 12, net);
      expect(failed.errors).toEqual([expect.objectContaining({index: 2, errno: 'ENOENT'})]);
      expect(list()).toBe('table inet one\ntable inet two');
    } finally {
      execFileSync('ip', ['netns', 'delete', name]);
    }
  });

  test('refuses a malformed batch', async () => {
    await expect(send(Buffer.alloc(10))).rejects.toMatchObject({cause: {errno: 'EBADMSG'}});
    const long = getLink(1);
    long.writeUInt32LE(1000, 0);
    await expect(send(long)).rejects.toMatchObject({cause: {errno: 'EBADMSG'}});
  });
});
