import {readdirSync} from 'node:fs';
import {extract, type Header} from 'tar-stream';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {makeTar, type RawEntry} from '../../support/archive.ts';
import {readTar} from '../../support/read-tar.ts';
import {type Bed, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const put = (id: string, path: string, ...entries: readonly RawEntry[]) =>
  bed.engine.containers.extractArchive(id, {path, typed: false, owned: false}, once(makeTar(entries)));

async function read(id: string, path: string) {
  const {archive} = await bed.engine.containers.archivePath(id, path);
  return await readTar(archive);
}

describe('what a header has no place for', () => {
  it('goes in and comes out by extended records', async () => {
    const id = await bed.create(['true']);
    const long = `${'a'.repeat(120)}/${'b'.repeat(180)}`;
    const target = `/${'c'.repeat(300)}`;
    await put(
      id,
      '/tmp',
      {name: 'big', data: 'x', pax: {uid: '3000000', gid: '4000000', mtime: '-5'}},
      {name: 'long', data: 'y', pax: {path: long}},
      {name: 'link', type: '2', pax: {linkpath: target}},
      {
        name: 'attributes',
        data: 'z',
        pax: {'SCHILY.xattr.user.note': 'a=b\nc', 'SCHILY.xattr.trusted.overlay.opaque': 'y'},
      },
    );
    const back = await read(id, '/tmp/.');
    expect(back['./big']).toMatchObject({text: 'x'});
    expect(back['./big']?.pax).toMatchObject({uid: '3000000', gid: '4000000', mtime: '-5'});
    expect(back[`./${long}`]).toMatchObject({text: 'y'});
    expect(back['./link']).toMatchObject({type: 'symlink', link: target});
    expect(back['./attributes']?.pax).toEqual({'SCHILY.xattr.user.note': 'a=b\nc'});
    expect(await bed.engine.containers.statPath(id, '/tmp/big')).toMatchObject({mtime: '1969-12-31T23:59:55Z'});
  });

  it('names that mean something in layers are names', async () => {
    const id = await bed.create(['true']);
    await put(
      id,
      '/tmp',
      {name: '.wh.file', data: 'a'},
      {name: 'directory/.wh..wh..opq', data: 'b'},
      {name: '.wh..wh.directory/file', data: 'c'},
    );
    const back = await read(id, '/tmp/.');
    const texts = ['.wh.file', 'directory/.wh..wh..opq', '.wh..wh.directory/file'].map(
      (name) => back[`./${name}`]?.text,
    );
    expect(texts).toEqual(['a', 'b', 'c']);
  });

  it('holes are zeros, at the beginning, between data and at the end', async () => {
    const script = [
      'cd /tmp',
      'dd if=/dev/zero of=zeros bs=1k count=0 seek=300 2>/dev/null',
      'printf middle | dd of=middle bs=1k seek=100 conv=notrunc 2>/dev/null',
      'truncate -s 300k middle',
      'sleep 1000',
    ].join('\n');
    const id = await bed.start(['sh', '-c', script]);
    await expect.poll(async () => (await read(id, '/tmp'))['tmp/middle']?.size).toBe(300 * 1024);
    const {'tmp/zeros': zeros, 'tmp/middle': middle} = await read(id, '/tmp');
    expect(zeros?.text).toBe('\0'.repeat(300 * 1024));
    expect(middle?.text).toBe(`${'\0'.repeat(100 * 1024)}middle${'\0'.repeat(200 * 1024 - 6)}`);
  });
});

it('users of a container are never read from a device, some of which act when they are opened', async () => {
  const script = 'cp /etc/passwd /tmp/passwd; rm /etc/passwd; mknod /etc/passwd c 4000 0; echo made; sleep 1000';
  const id = await bed.start(['sh', '-c', script], {User: '0'});
  await expect.poll(() => bed.logs(id)).toBe('made\n');
  const copy = bed.engine.containers.extractArchive(
    id,
    {path: '/tmp', typed: false, owned: true},
    once(makeTar([{name: 'file', data: 'x'}])),
  );
  // No driver has this number: opened, it would be "no such device or address".
  await expect(copy).rejects.toThrow('read /etc/passwd of the container: invalid argument');
});

it('an archive that is still being received has no name, so a command that is killed leaves nothing of it', async () => {
  const id = await bed.create(['true']);
  const {directory} = bed.layout.container(id);
  const before = readdirSync(directory);
  let during: readonly string[] = [];
  async function* slowly(): AsyncGenerator<Uint8Array> {
    const tar = makeTar([{name: 'large', data: Buffer.alloc(1 << 20, 'x')}]);
    yield tar.subarray(0, 4096);
    yield tar.subarray(4096, 1 << 19);
    during = readdirSync(directory);
    yield tar.subarray(1 << 19);
  }
  await bed.engine.containers.extractArchive(id, {path: '/tmp', typed: false, owned: false}, slowly());
  expect(during).toEqual(before);
  expect((await read(id, '/tmp'))['tmp/large']).toMatchObject({size: 1 << 20});
});

describe('an archive of a file that is larger than any disk', () => {
  /** Reads up to the first header, then leaves. */
  async function firstHeader(id: string, path: string): Promise<Header> {
    const {archive} = await bed.engine.containers.archivePath(id, path);
    const tar = extract();
    const found = new Promise<Header>((resolve) => tar.once('entry', (header) => resolve(header)));
    for await (const piece of archive) {
      tar.write(piece);
      break;
    }
    tar.on('error', () => {});
    const header = await found;
    tar.destroy();
    return header;
  }

  it('begins at once, and whoever leaves early holds nobody up', async () => {
    const id = await bed.start([
      'sh',
      '-c',
      'truncate -s 9000G /tmp/huge; trap "exit 0" TERM; echo made; sleep 1000 & wait',
    ]);
    await expect.poll(() => bed.logs(id)).toBe('made\n');
    const size = 9000 * 2 ** 30;
    expect(await firstHeader(id, '/tmp/huge')).toMatchObject({name: 'huge', size});
    await bed.engine.containers.stop(id, {timeoutSeconds: 5});
    expect(await firstHeader(id, '/tmp/huge')).toMatchObject({name: 'huge', size});
    await bed.engine.containers.start(id);
    await bed.engine.containers.remove(id, {force: true});
  });

  it('that nobody reads does not keep a running container from its end', async () => {
    const id = await bed.start([
      'sh',
      '-c',
      'truncate -s 9000G /tmp/huge; trap "exit 0" TERM; echo made; sleep 1000 & wait',
    ]);
    await expect.poll(() => bed.logs(id)).toBe('made\n');
    const controller = new AbortController();
    const {archive} = await bed.engine.containers.archivePath(id, '/tmp/huge', controller.signal);
    await bed.engine.containers.stop(id, {timeoutSeconds: 5});
    await bed.engine.containers.remove(id);
    controller.abort();
    await expect(
      (async () => {
        for await (const _ of archive);
      })(),
    ).rejects.toThrow();
  });
});

it('files of a configuration are read as they are mounted, running or not', async () => {
  const Files = [
    {Target: '/etc/app.conf', Content: Buffer.from('setting').toString('base64'), Uid: 5, Gid: 6, Mode: 0o440},
  ];
  const id = await bed.create(['sleep', '1000'], {HostConfig: {NetworkMode: 'none', TscomposeFiles: Files}});
  const expected = {'app.conf': expect.objectContaining({text: 'setting', uid: 5, gid: 6, mode: 0o440})};
  expect(await read(id, '/etc/app.conf')).toEqual(expected);
  await expect(put(id, '/etc', {name: 'app.conf', data: 'other'})).rejects.toMatchObject({kind: 'conflict'});
  await bed.engine.containers.start(id);
  expect(await read(id, '/etc/app.conf')).toEqual(expected);
  await expect(put(id, '/etc', {name: 'app.conf', data: 'other'})).rejects.toMatchObject({kind: 'conflict'});
  expect(await read(id, '/etc/app.conf')).toEqual(expected);
});
