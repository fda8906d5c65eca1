import {chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {makeTar} from '../../support/archive.ts';
import {type Bed, makeBed} from './bed.ts';
import {directory, inPieces, inside, link, sync, tarOf} from './sync-bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const idle = ['sleep', '1000'];

describe('a sync into a running container', () => {
  it('writes files, directories and links with their modes and times', async () => {
    const id = await bed.start(idle);
    const result = await sync(bed, id, {
      'bin/': {...directory(0o750), mtime: 1_000_000_000},
      'bin/run.sh': {data: '#!/bin/sh\necho hello\n', mode: 0o755, mtime: 1_100_000_000},
      'a/b/c.txt': {data: 'deep', mode: 0o640},
      current: link('a/b'),
    });
    expect(result).toEqual({written: 4, deleted: 0});
    const files = await inside(bed, id);
    expect(files.stat('/app/bin').mode & 0o7777).toBe(0o750);
    expect(files.stat('/app/bin').mtime.getTime()).toBe(1_000_000_000_000);
    expect(files.stat('/app/bin/run.sh').mode & 0o7777).toBe(0o755);
    expect(files.stat('/app/bin/run.sh').mtime.getTime()).toBe(1_100_000_000_000);
    expect(files.stat('/app/a/b/c.txt').mode & 0o7777).toBe(0o640);
    expect(files.stat('/app/a/b').mode & 0o7777).toBe(0o755);
    expect(files.link('/app/current')).toBe('a/b');
    expect((await bed.exec(id, ['sh', '-c', '/app/bin/run.sh; cat /app/current/c.txt'])).output).toBe('hello\ndeep');
    expect(files.temporaries()).toEqual([]);
  });

  it('gives what is new to the user of the container, and leaves what is replaced its owner', async () => {
    const id = await bed.start(idle, {User: 'app'});
    await bed.exec(id, ['sh', '-c', 'echo old > /data/file; chown 5:6 /data/file; ln -s x /data/link'], {user: 'root'});
    await sync(bed, id, {file: 'new', link: link('y'), 'made/by/sync': 'x', fresh: link('z')}, {path: '/data'});
    const files = await inside(bed, id);
    const owner = (path: string) => [files.stat(path).uid, files.stat(path).gid];
    expect(files.text('/data/file')).toBe('new');
    expect(owner('/data/file')).toEqual([5, 6]);
    expect(owner('/data/link')).toEqual([0, 0]);
    expect(files.link('/data/link')).toBe('y');
    for (const path of ['/data/made', '/data/made/by', '/data/made/by/sync', '/data/fresh'])
      expect(owner(path)).toEqual([1000, 1000]);
    expect(owner('/data')).toEqual([0, 0]);
    // Deleted and made again it is new.
    await sync(bed, id, {'.wh.file': '', file: 'again'}, {path: '/data'});
    expect([files.text('/data/file'), ...owner('/data/file')]).toEqual(['again', 1000, 1000]);
  });

  it('gives everything to a stated owner, by name or number', async () => {
    const id = await bed.start(idle);
    await sync(bed, id, {old: 'x'});
    await sync(bed, id, {old: 'y', 'dir/': directory(), 'dir/new': 'z'}, {owner: 'app:extra'});
    const files = await inside(bed, id);
    for (const path of ['/app/old', '/app/dir', '/app/dir/new'])
      expect([files.stat(path).uid, files.stat(path).gid]).toEqual([1000, 77]);
    await sync(bed, id, {old: 'y', 'dir/': directory()}, {owner: '7:8'});
    for (const path of ['/app/old', '/app/dir']) expect([files.stat(path).uid, files.stat(path).gid]).toEqual([7, 8]);
    await expect(sync(bed, id, {old: 'never'}, {owner: 'nobody-here'})).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('user nobody-here: no matching entries in the container'),
    });
    expect(files.text('/app/old')).toBe('y');
  });

  it('needs no shell, no user file and no program in the image', async () => {
    const layer = makeTar([{name: 'sleep', mode: 0o755, data: readFileSync('/bin/busybox')}]);
    const lines = bed.engine.images.import(inPieces(layer, 100_000), {repository: 'bare', changes: ['USER 1234:55']});
    for await (const line of lines) if (line.error !== undefined) throw new Error(line.error);
    const id = await bed.start(['/sleep', '1000'], {Image: 'bare'});
    expect(await sync(bed, id, {'src/index.js': 'x'})).toEqual({written: 1, deleted: 0});
    const files = await inside(bed, id);
    expect(files.text('/app/src/index.js')).toBe('x');
    expect([files.stat('/app/src').uid, files.stat('/app/src/index.js').gid]).toEqual([1234, 55]);
    await sync(bed, id, {'.wh.src': ''});
    expect(files.list('/app')).toEqual([]);
  });

  it('deletes files and trees, and what is not there', async () => {
    const id = await bed.start(idle);
    const tree = Object.fromEntries(Array.from({length: 300}, (_, at) => [`tree/${at % 7}/${at % 13}/${at}`, `${at}`]));
    await sync(bed, id, {...tree, 'keep/a': '1', 'keep/b': '2', gone: link('keep')});
    const deletions = {'.wh.tree': '', 'keep/.wh.a': '', '.wh.gone': '', '.wh.never': '', 'no/such/.wh.dir': ''};
    expect(await sync(bed, id, deletions)).toEqual({written: 0, deleted: 5});
    const files = await inside(bed, id);
    expect([files.list('/app'), files.list('/app/keep')]).toEqual([['keep'], ['b']]);
    // What the image brought goes too, and stays away.
    await sync(bed, id, {'.wh.data': ''}, {path: '/'});
    expect(files.exists('/data')).toBe(false);
    await bed.engine.containers.restart(id, {timeoutSeconds: 0});
    expect((await inside(bed, id)).exists('/data')).toBe(false);
  });

  it('puts a file in the place of a directory, and a directory in the place of a file', async () => {
    const id = await bed.start(idle);
    const files = await inside(bed, id);
    await sync(bed, id, {'one/x/y': '1', two: '2', three: link('two'), 'four/z': '4'});
    await sync(bed, id, {one: 'file', 'two/in': 'dir', 'three/': directory(0o700), '.wh.four': '', four: 'file'});
    expect([files.text('/app/one'), files.text('/app/two/in'), files.text('/app/four')]).toEqual([
      'file',
      'dir',
      'file',
    ]);
    expect(files.stat('/app/three').isDirectory()).toBe(true);
    // The last word of an archive counts.
    await sync(bed, id, {
      '.wh.one': '',
      'one/now/in': 'x',
      two: 'file',
      'two/again': 'y',
      'three/a': '1',
      '.wh.three': '',
    });
    expect([files.text('/app/one/now/in'), files.text('/app/two/again'), files.exists('/app/three')]).toEqual([
      'x',
      'y',
      false,
    ]);
    // Also of one from the image, which overlayfs cannot rename.
    await sync(bed, id, {data: 'a file now', home: link('tmp')}, {path: '/'});
    expect([files.text('/data'), files.link('/home')]).toEqual(['a file now', 'tmp']);
    expect(files.temporaries()).toEqual([]);
  });

  it('never shows half a file', async () => {
    const id = await bed.start([
      'sh',
      '-c',
      'until [ -e /app/file ]; do sleep 0.01; done; while :; do case $(wc -c < /app/file) in 300000) ;; *) echo torn;; esac; done',
    ]);
    for (let round = 0; round < 60; round++) await sync(bed, id, {file: String(round % 10).repeat(300_000)});
    await bed.engine.containers.kill(id);
    expect(await bed.logs(id)).toBe('');
  });

  it('follows links on the way, inside the container', async () => {
    const id = await bed.start(idle);
    const outside = mkdtempSync(join(bed.base, 'outside-'));
    await bed.exec(id, [
      'sh',
      '-c',
      `mkdir -p /srv/app /other ${outside}; ln -s /srv/app /app; ln -s ../../../../../..${outside} /srv/app/up; ln -s ../../other /srv/app/rel; ln -s nowhere /srv/app/dangling`,
    ]);
    await sync(bed, id, {a: '1', 'up/b': '2', 'rel/': directory(0o700), 'rel/c': '3'});
    const files = await inside(bed, id);
    expect([files.text('/srv/app/a'), files.text(`${outside}/b`), files.text('/other/c')]).toEqual(['1', '2', '3']);
    expect(files.link('/srv/app/rel')).toBe('../../other');
    expect(files.stat('/other').mode & 0o777).toBe(0o755);
    expect(readdirSync(outside)).toEqual([]);
    await expect(sync(bed, id, {x: '1'}, {path: '/srv/app/dangling'})).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(
        /^cannot sync files into container ".+": \/srv\/app\/dangling: a link that leads to no directory$/,
      ),
    });
    await expect(sync(bed, id, {x: '1'}, {path: '/etc/passwd'})).rejects.toMatchObject({kind: 'invalid'});
    await sync(bed, id, {'dangling/x': '1'});
    expect(files.text('/srv/app/dangling/x')).toBe('1');
  });

  it('tells what was synced, over runs and renames', async () => {
    const id = await bed.start(idle);
    expect(await bed.engine.containers.synced(id)).toEqual({v: 1, files: {}});
    await sync(bed, id, {'dir/': directory(0o700), 'dir/a': 'hello', 'dir/l': link('a'), other: ''});
    const hello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    const files = {
      '/app/dir': {kind: 'directory', mode: 0o700},
      '/app/dir/a': {kind: 'file', sha256: hello, size: 5, mode: 0o644},
      '/app/dir/l': {kind: 'link', target: 'a'},
      '/app/other': {kind: 'file', sha256: expect.stringMatching(/^e3b0c442/), size: 0, mode: 0o644},
    };
    expect(await bed.engine.containers.synced(id)).toEqual({v: 1, files});
    await bed.engine.containers.restart(id, {timeoutSeconds: 0});
    await sync(bed, id, {'.wh.other': '', 'dir/.wh.l': ''});
    const another = await bed.another();
    const {'/app/dir': dir, '/app/dir/a': a} = files;
    expect(await another.containers.synced(id)).toEqual({v: 1, files: {'/app/dir': dir, '/app/dir/a': a}});
    await sync(bed, id, {dir: 'a file', '.wh.nothing': ''});
    expect(Object.keys((await another.containers.synced(id)).files)).toEqual(['/app/dir']);
    await expect(bed.engine.containers.synced('no-such')).rejects.toMatchObject({kind: 'notFound'});
  });
});

describe('mounts of a running container', () => {
  it('are written through: volumes, binds and memory', async () => {
    const source = mkdtempSync(join(bed.base, 'bind-'));
    chmodSync(source, 0o777);
    writeFileSync(join(source, 'old'), 'x');
    const id = await bed.start(idle, {
      User: '33:44',
      HostConfig: {
        Binds: [`${source}:/app/bind`, 'code:/app/volume'],
        Tmpfs: {'/app/memory': 'mode=0755'},
      },
    });
    await sync(bed, id, {'bind/a': '1', 'bind/.wh.old': '', 'volume/b/c': '2', 'memory/d': '3', plain: '4'});
    expect([readdirSync(source), readFileSync(join(source, 'a'), 'utf8'), lstatSync(join(source, 'a')).uid]).toEqual([
      ['a'],
      '1',
      33,
    ]);
    expect(readFileSync(join(bed.layout.volume('code').data, 'b/c'), 'utf8')).toBe('2');
    const files = await inside(bed, id);
    expect([files.text('/app/memory/d'), files.text('/app/plain')]).toEqual(['3', '4']);
  });

  it('are neither replaced nor deleted', async () => {
    const id = await bed.start(idle, {HostConfig: {Binds: ['kept:/app/sub/volume']}});
    const files = await inside(bed, id);
    await sync(bed, id, {'sub/volume/x': '1', a: '1'});
    const conflict = (path: string) => ({
      kind: 'conflict',
      message: expect.stringMatching(new RegExp(`^cannot sync files into container ".+": ${path}`)),
    });
    await expect(sync(bed, id, {a: '2', 'sub/volume': 'file'})).rejects.toMatchObject(conflict('/app/sub/volume'));
    await expect(sync(bed, id, {a: '2', 'sub/.wh.volume': ''})).rejects.toMatchObject(conflict('/app/sub/volume'));
    await expect(sync(bed, id, {a: '2', '.wh.sub': ''})).rejects.toMatchObject({kind: 'conflict'});
    await expect(sync(bed, id, {a: '2', sub: 'file'})).rejects.toMatchObject({kind: 'conflict'});
    await expect(sync(bed, id, {a: '2', hosts: 'x'}, {path: '/etc'})).rejects.toMatchObject(conflict('/etc/hosts'));
    await expect(sync(bed, id, {'.wh.etc': ''}, {path: '/'})).rejects.toMatchObject({kind: 'conflict'});
    expect([files.text('/app/a'), files.text('/app/sub/volume/x'), files.exists('/etc/passwd')]).toEqual([
      '1',
      '1',
      true,
    ]);
    expect(files.temporaries()).toEqual([]);
  });

  it('that are read-only, and a read-only root, are named', async () => {
    const source = mkdtempSync(join(bed.base, 'bind-'));
    writeFileSync(join(source, 'x'), 'x');
    const id = await bed.start(idle, {
      HostConfig: {ReadonlyRootfs: true, Binds: [`${source}:/data:ro`], Tmpfs: {'/tmp': ''}},
    });
    const readOnly = (path: string) => ({
      kind: 'forbidden',
      message: expect.stringMatching(
        new RegExp(`^cannot sync files into container ".+": ${path}: its file system is read-only$`),
      ),
    });
    await expect(sync(bed, id, {a: '1'}, {path: '/root'})).rejects.toMatchObject(readOnly('/root/a'));
    await expect(sync(bed, id, {a: '1'}, {path: '/new/place'})).rejects.toMatchObject(readOnly('/new'));
    await expect(sync(bed, id, {'.wh.x': ''}, {path: '/data'})).rejects.toMatchObject(readOnly('/data/x'));
    await expect(sync(bed, id, {'./': directory()}, {path: '/data'})).rejects.toMatchObject(readOnly('/data'));
    await sync(bed, id, {a: '1', '.wh.never': ''}, {path: '/tmp'});
    expect((await inside(bed, id)).text('/tmp/a')).toBe('1');
    await expect(sync(bed, id, {'tmp/b': '1', 'root/b': '1'}, {path: '/'})).rejects.toMatchObject(readOnly('/root/b'));
    expect((await inside(bed, id)).list('/tmp')).toEqual(['a']);
  });

  it('of the kernel are not for files', async () => {
    const id = await bed.start(idle);
    for (const path of ['/proc/sys/kernel', '/proc', '/sys/kernel', '/sys'])
      await expect(sync(bed, id, {core_pattern: '|/x'}, {path})).rejects.toMatchObject({kind: 'forbidden'});
  });
});

describe('an archive that makes no sense', () => {
  it('changes nothing', async () => {
    const id = await bed.start(idle);
    const files = await inside(bed, id);
    await sync(bed, id, {a: 'before'});
    const refused: readonly [Parameters<typeof tarOf>[0], string][] = [
      [{a: 'x', '../b': 'y'}, '../b: the name leads out of the archive'],
      [{a: 'x', 'dir/.wh.mine': 'content'}, 'dir/.wh.mine: names that start with ".wh." stand for what is deleted'],
      [{a: 'x', '.wh.mine/': directory()}, '.wh.mine/: names that start with ".wh." stand for what is deleted'],
      [{a: 'x', '.wh.mine/file': 'y'}, '.wh.mine/file: names that start with ".wh." stand for what is deleted'],
      [{a: 'x', '.wh..wh..opq': ''}, '.wh..wh..opq: names that start with ".wh." stand for what is deleted'],
      [{a: 'x', 'dir/.wh...': ''}, 'dir/.wh...: names that start with ".wh." stand for what is deleted'],
      [{a: 'x', l: link('/etc'), 'l/b': 'y'}, '/app/l: a link of the same archive leads there'],
      [{a: 'x', 'new/l': link('/etc'), 'new/l/b': 'y'}, '/app/new/l: a link of the same archive leads there'],
      [{a: 'x', '.': 'y'}, '.: an entry without a name'],
    ];
    for (const [entries, reason] of refused)
      await expect(sync(bed, id, entries)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining(`": ${reason}`),
      });
    for (const type of ['1', '3', '6'])
      await expect(sync(bed, id, {a: 'x', odd: {type, link: 'a'}})).rejects.toMatchObject({
        kind: 'unsupported',
        message: expect.stringContaining('": odd: only files, directories and symbolic links can be synced'),
      });
    expect([files.list('/app'), files.text('/app/a'), files.temporaries()]).toEqual([['a'], 'before', []]);
    expect(Object.keys((await bed.engine.containers.synced(id)).files)).toEqual(['/app/a']);
    expect((await bed.engine.containers.synced(id)).files['/app/a']).toMatchObject({size: 6});
  });

  it('or that breaks off, or is canceled, changes nothing either', async () => {
    const id = await bed.start(idle);
    const files = await inside(bed, id);
    await sync(bed, id, {a: 'before'});
    const whole = tarOf({a: 'after', b: 'x'.repeat(50_000)});
    const {containers} = bed.engine;
    const names = () => readdirSync(bed.layout.container(id).directory).filter((name) => /sync\.tar|tmp-/.test(name));
    for (const end of [100, 600, 1500, 30_000])
      await expect(containers.sync(id, {path: '/app'}, inPieces(whole.subarray(0, end)))).rejects.toMatchObject({
        kind: 'invalid',
      });
    async function* failing() {
      yield whole.subarray(0, 5000);
      throw new Error('the client is gone');
    }
    await expect(containers.sync(id, {path: '/app'}, failing())).rejects.toMatchObject({
      message: expect.stringContaining('the client is gone'),
    });
    const abort = new AbortController();
    async function* waiting() {
      yield whole.subarray(0, 5000);
      abort.abort();
      await new Promise(() => undefined);
    }
    await expect(containers.sync(id, {path: '/app'}, waiting(), abort.signal)).rejects.toMatchObject({
      kind: 'canceled',
    });
    await expect(containers.sync(id, {path: '/app'}, inPieces(Buffer.from('x'.repeat(2000))))).rejects.toMatchObject({
      kind: 'invalid',
    });
    expect([files.list('/app'), files.text('/app/a'), names()]).toEqual([['a'], 'before', []]);
    expect(await containers.sync(id, {path: '/app'}, inPieces(tarOf({})))).toEqual({written: 0, deleted: 0});
  });

  it('nor does one that does not fit on the disk', async () => {
    const id = await bed.start(idle, {HostConfig: {Tmpfs: {'/app': 'size=400k,mode=0755'}}});
    const files = await inside(bed, id);
    await sync(bed, id, {a: 'x'.repeat(100_000), 'dir/b': 'y'});
    const large = {a: 'z'.repeat(150_000), 'new/c': 'z'.repeat(200_000), 'dir/b': 'q'};
    await expect(sync(bed, id, large)).rejects.toMatchObject({
      kind: 'exhausted',
      message: expect.stringMatching(/^cannot sync files into container ".+": \/app\/new\/c: no space left/i),
    });
    expect([files.list('/app'), files.list('/app/dir'), files.text('/app/dir/b')]).toEqual([['a', 'dir'], ['b'], 'y']);
    expect(files.text('/app/a')).toBe('x'.repeat(100_000));
    expect((await bed.engine.containers.synced(id)).files['/app/a']).toMatchObject({size: 100_000});
    await sync(bed, id, {a: 'z'.repeat(250_000)});
    expect(files.stat('/app/a').size).toBe(250_000);
  });

  it('is refused for a container that does not exist', async () => {
    await expect(sync(bed, 'no-such', {a: 'x'})).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such container: no-such',
    });
  });
});
