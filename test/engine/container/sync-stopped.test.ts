import {mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Bed, makeBed} from './bed.ts';
import {directory, inPieces, inside, machineMounts, sync, tarOf, until} from './sync-bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const idle = ['sleep', '1000'];

describe('a sync into a container that does not run', () => {
  it('is there when it starts, whether it ran before or not', async () => {
    const id = await bed.create(idle, {User: 'app'});
    const mounts = machineMounts(bed);
    await sync(bed, id, {'src/a': 'created', 'bin/': directory(0o711)});
    expect(machineMounts(bed)).toEqual(mounts);
    await bed.engine.containers.start(id);
    let files = await inside(bed, id);
    expect([files.text('/app/src/a'), files.stat('/app/src/a').uid, files.stat('/app/bin').mode & 0o777]).toEqual([
      'created',
      1000,
      0o711,
    ]);
    await bed.engine.containers.stop(id, {timeoutSeconds: 0});
    await sync(bed, id, {'src/a': 'stopped', '.wh.bin': '', seed: 'x'});
    await sync(bed, id, {'.wh.data': '', 'home/new': 'x'}, {path: '/'});
    expect(machineMounts(bed)).toEqual(mounts);
    await bed.engine.containers.start(id);
    files = await inside(bed, id);
    expect([files.text('/app/src/a'), files.list('/app'), files.exists('/data')]).toEqual([
      'stopped',
      ['seed', 'src'],
      false,
    ]);
    expect(files.temporaries()).toEqual([]);
    expect(Object.keys((await bed.engine.containers.synced(id)).files)).toEqual([
      '/app/src/a',
      '/app/seed',
      '/home/new',
    ]);
  });

  it('goes through its volumes and binds', async () => {
    const source = mkdtempSync(join(bed.base, 'bind-'));
    writeFileSync(join(source, 'old'), 'x');
    const missing = join(source, 'made/late');
    const id = await bed.create(idle, {
      HostConfig: {
        Binds: [`${source}:/app/bind`, `${missing}:/late`, 'stopped-code:/app/bind/volume', `${source}:/ro:ro`],
      },
    });
    await sync(bed, id, {'bind/a': '1', 'bind/.wh.old': '', 'bind/volume/b': '2'});
    await sync(bed, id, {c: '3'}, {path: '/late'});
    expect(readdirSync(source).toSorted()).toEqual(['a', 'made', 'volume']);
    expect(readFileSync(join(missing, 'c'), 'utf8')).toBe('3');
    expect(readFileSync(join(bed.layout.volume('stopped-code').data, 'b'), 'utf8')).toBe('2');
    await expect(sync(bed, id, {x: '1'}, {path: '/ro'})).rejects.toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('": /ro/x: its file system is read-only'),
    });
    await expect(sync(bed, id, {'bind/.wh.volume': ''})).rejects.toMatchObject({kind: 'conflict'});
  });

  it('refuses what a start would hide', async () => {
    const id = await bed.create(idle, {
      HostConfig: {ReadonlyRootfs: true, Tmpfs: {'/app/memory': ''}},
    });
    const passing = (path: string) => ({
      kind: 'forbidden',
      message: expect.stringContaining(`": ${path}: its file system exists only while the container runs`),
    });
    await expect(sync(bed, id, {'memory/a': '1'})).rejects.toMatchObject(passing('/app/memory/a'));
    await expect(sync(bed, id, {shm: '1'}, {path: '/dev'})).rejects.toMatchObject(passing('/dev/shm'));
    await expect(sync(bed, id, {x: '1'}, {path: '/proc'})).rejects.toMatchObject(passing('/proc/x'));
    await expect(sync(bed, id, {x: '1'})).rejects.toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('": /app/x: its file system is read-only'),
    });
    const plain = await bed.create(idle);
    await bed.engine.containers.start(plain);
    await bed.engine.containers.stop(plain, {timeoutSeconds: 0});
    await expect(sync(bed, plain, {hosts: '1'}, {path: '/etc'})).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('": /etc/hosts: it is a mount point'),
    });
    await sync(bed, plain, {other: '1'}, {path: '/etc'});
  });

  it('may begin right before and after starts and stops', async () => {
    const id = await bed.create(idle);
    const {containers} = bed.engine;
    for (let round = 0; round < 8; round++) {
      await Promise.all([
        round % 2 === 0 ? containers.start(id) : containers.stop(id, {timeoutSeconds: 0}),
        sync(bed, id, {'one/file': `${round}`, 'two/file': 'x'.repeat(100_000)}),
        sync(bed, id, {three: `${round}`, '.wh.two': ''}),
      ]);
    }
    await containers.start(id);
    const files = await inside(bed, id);
    expect([files.text('/app/one/file'), files.text('/app/three'), files.temporaries()]).toEqual(['7', '7', []]);
  });
});

describe('a container that ends while it is synced', () => {
  const many = Object.fromEntries(Array.from({length: 400}, (_, at) => [`tree/${at % 20}/${at}`, `content ${at}`]));

  it('has all of it in the next run, at whatever moment it ended', {timeout: 600_000}, async () => {
    const id = await bed.create(idle);
    for (let round = 0; round < 12; round++) {
      await bed.engine.containers.start(id);
      const syncing = sync(bed, id, {...many, mark: `${round}`, [`round-${round}/a`]: 'x'});
      await delay(round * 3);
      await bed.engine.containers.kill(id).catch(() => undefined);
      expect(await syncing).toEqual({written: 402, deleted: 0});
      await until(async () => !(await bed.state(id)).Running);
    }
    await bed.engine.containers.start(id);
    const files = await inside(bed, id);
    expect(files.text('/app/mark')).toBe('11');
    for (let at = 0; at < 400; at++) expect(files.text(`/app/tree/${at % 20}/${at}`)).toBe(`content ${at}`);
    expect(files.list('/app')).toHaveLength(14);
    expect(files.temporaries()).toEqual([]);
  });

  it('gets its fix while it restarts all the time', {timeout: 600_000}, async () => {
    const id = await bed.start(['sh', '-c', 'test -e /app/fixed || exit 1; echo serving; sleep 1000'], {
      HostConfig: {RestartPolicy: {Name: 'always'}},
    });
    // It waits longer and longer: both between two runs and in the short time of a run it has to work.
    for (let round = 0; round < 15; round++) await sync(bed, id, {...many, round: `${round}`});
    await until(async () => (await bed.state(id)).Restarting);
    await sync(bed, id, {fixed: 'yes'});
    // A pause between two runs is a minute at most, which it is by now where the syncs took long.
    await until(async () => (await bed.logs(id)).includes('serving'), 90_000);
    const files = await inside(bed, id);
    expect([files.text('/app/round'), files.text('/app/fixed'), files.temporaries()]).toEqual(['14', 'yes', []]);
  });
});

describe('an engine that was killed in the middle', () => {
  it('leaves nothing for good: temporary files go with the next sync, and what is not sure is told', async () => {
    const id = await bed.start(idle);
    await sync(bed, id, {sure: '1', 'dir/doubtful': '1', '.wh.x': ''});
    const paths = bed.layout.container(id);
    const prefix = '.tscompose-sync-0123456789ab';
    const archive = tarOf({'dir/doubtful': '2', 'new/deep/file': '3', '.wh.sure': ''});
    // What such an engine has done by then: the archive, the line in the journal, names beside their places.
    writeFileSync(paths.syncArchive, archive);
    const doubtful = {kind: 'file', sha256: 'a'.repeat(64), size: 1, mode: 0o644};
    const changes = [
      ['/app/dir/doubtful', doubtful],
      ['/app/new/deep/file', doubtful],
      ['/app/sure', null],
    ];
    const begin = JSON.stringify({v: 1, begin: {path: '/app', prefix, changes}});
    writeFileSync(paths.syncedJournal, `\n${begin}\n{"v":1,"en`, {flag: 'a'});
    await bed.exec(id, [
      'sh',
      '-c',
      `cd /app; echo 2 > dir/${prefix}-0; mkdir -p ${prefix}-1/deep; echo 3 > ${prefix}-1/deep/file`,
    ]);
    const unknown = {kind: 'file', sha256: '', size: 0, mode: 0};
    expect((await bed.engine.containers.synced(id)).files).toEqual({
      '/app/sure': unknown,
      '/app/dir/doubtful': unknown,
      '/app/new/deep/file': unknown,
    });
    await sync(bed, id, {other: '4'});
    const files = await inside(bed, id);
    expect([files.list('/app'), files.list('/app/dir')]).toEqual([['dir', 'other', 'sure'], ['doubtful']]);
    expect((await bed.engine.containers.synced(id)).files).toMatchObject({
      '/app/sure': unknown,
      '/app/other': {size: 1},
    });
    await sync(bed, id, {'.wh.sure': '', dir: 'x', '.wh.new': ''});
    expect(Object.keys((await bed.engine.containers.synced(id)).files)).toEqual(['/app/other', '/app/dir']);
  });

  it('gives its lock and its work up, at any moment', async () => {
    const id = await bed.start(idle);
    const whole = Object.fromEntries(Array.from({length: 600}, (_, at) => [`t/${at % 30}/${at}`, `${at}`]));
    await sync(bed, id, whole);
    for (let round = 0; round < 6; round++) {
      const another = await bed.another();
      const entries = Object.fromEntries(Object.keys(whole).map((name) => [name, `round ${round}`]));
      const syncing = another.containers.sync(id, {path: '/app'}, inPieces(tarOf(entries)));
      syncing.catch(() => undefined);
      await delay(10 + round * 12);
      await another.close();
      await syncing.catch(() => undefined);
      await sync(bed, id, {[`after-${round}`]: 'x'});
      expect((await inside(bed, id)).temporaries()).toEqual([]);
    }
    const {files} = await bed.engine.containers.synced(id);
    expect(Object.keys(files)).toHaveLength(606);
  });
});
