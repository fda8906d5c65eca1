import {execFileSync} from 'node:child_process';
import {createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import type {BuildCacheRow} from '../../../src/api/types/system.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
const directory = mkdtempSync(join(tmpdir(), 'tscompose-kept-'));

beforeAll(async () => {
  bed = await openTestEngine({encode: true});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
});

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

beforeEach(async () => {
  await bed.docker.pruneImages({filters: {dangling: ['true']}});
  await bed.docker.pruneBuilder({all: true});
});

const build = (text: string, more: Parameters<typeof plainBody>[1] = {}) => eventsOf(bed.engine, plainBody(text, more));
const rows = async (): Promise<readonly BuildCacheRow[]> =>
  (await bed.docker.df({type: ['build-cache']})).BuildCache ?? [];
const onlyTypes = async () => (await rows()).map(({Type}) => Type).sort();

/** Three results: of 1000 and 2000 bytes that no image has, and one of 3000 that one has. */
const sized = `FROM busybox AS parts
RUN head -c 1000 /dev/zero >/a
RUN head -c 2000 /dev/zero >/b
FROM busybox
RUN head -c 3000 /dev/zero >/c
COPY --from=parts /bin/true /t
`;

describe('what builds keep', () => {
  test('is listed with what it is, what it takes, and when it was used', async () => {
    await build(sized);
    const before = await rows();
    const found = Object.fromEntries(before.map((row) => [row.Description.replace(/^\[[^\]]*\] /, ''), row]));
    expect(found['RUN head -c 1000 /dev/zero >/a']).toMatchObject({
      ...{Type: 'regular', InUse: false, Shared: false, Size: 1000, UsageCount: 0, Parents: null},
    });
    expect(found['RUN head -c 3000 /dev/zero >/c']).toMatchObject({Size: 3000, Shared: true});
    await build(sized);
    const after = await rows();
    expect(after.map(({UsageCount}) => UsageCount)).toEqual([1, 1, 1, 1]);
    for (const {LastUsedAt, CreatedAt} of after)
      expect(Date.parse(LastUsedAt ?? '')).toBeGreaterThan(Date.parse(CreatedAt));
  });

  test('goes as far as no image has it; with all, each', async () => {
    await build(sized);
    const pruned = await bed.docker.pruneBuilder({});
    expect(pruned).toMatchObject({CachesDeleted: [expect.any(String), expect.any(String)], SpaceReclaimed: 3000});
    expect((await rows()).every(({Shared}) => Shared)).toBe(true);
    expect(await bed.docker.pruneBuilder({all: true})).toMatchObject({SpaceReclaimed: 0});
    expect(await rows()).toEqual([]);
  });

  test('goes, too, where its record was removed while it was made', async () => {
    await build(sized);
    const {root} = bed.host;
    const pins = () => readdirSync(join(root, 'images/pins'));
    const layers = () => readdirSync(join(root, 'layers')).filter((name) => !name.startsWith('host-')).length;
    const before = layers();
    for (const name of readdirSync(join(root, 'build/cache'))) rmSync(join(root, 'build/cache', name));
    // As of a process that was killed while it wrote a record.
    writeFileSync(join(root, 'build/cache/.tmp-half'), '{');
    expect(pins()).toHaveLength(4);
    await bed.docker.pruneBuilder({});
    expect(pins()).toEqual([]);
    expect(readdirSync(join(root, 'build/cache'))).toEqual([]);
    // Those of 1000 and 2000 bytes.
    expect(layers()).toBe(before - 2);
  });

  test('goes until limits are kept, what was not used for longest first', async () => {
    await build(sized);
    // The two that no image has were made one after the other.
    const first = (await rows()).find(({Shared}) => !Shared);
    expect(first?.Description).toContain('1000');
    const limited = await bed.docker.pruneBuilder({'max-used-space': 2500});
    expect(limited).toMatchObject({CachesDeleted: [first?.ID], SpaceReclaimed: 1000});
    expect(await bed.docker.pruneBuilder({'max-used-space': 1, 'reserved-space': 2000})).toMatchObject({
      CachesDeleted: null,
    });
    expect(await bed.docker.pruneBuilder({'min-free-space': 1})).toMatchObject({CachesDeleted: null});
    expect(await bed.docker.pruneBuilder({'keep-storage': 1999})).toMatchObject({SpaceReclaimed: 2000});
  });

  test('is chosen by filters; one that does not exist is refused', async () => {
    await build(sized);
    const first = (await rows()).find(({Shared}) => !Shared);
    expect(await bed.docker.pruneBuilder({filters: {id: ['none']}})).toMatchObject({CachesDeleted: null});
    expect(await bed.docker.pruneBuilder({filters: {type: ['exec.cachemount']}})).toMatchObject({CachesDeleted: null});
    expect(await bed.docker.pruneBuilder({filters: {'unused-for': ['1h']}})).toMatchObject({CachesDeleted: null});
    expect(await bed.docker.pruneBuilder({filters: {shared: ['true']}})).toMatchObject({CachesDeleted: null});
    const byId = await bed.docker.pruneBuilder({filters: {id: [first?.ID.slice(0, 12) ?? '']}});
    expect(byId.CachesDeleted).toEqual([first?.ID]);
    await expect(bed.docker.pruneBuilder({filters: {color: ['red']}})).rejects.toMatchObject({kind: 'invalid'});
  });
});

describe('a cache mount', () => {
  const mounting = (id: string, script: string, more = '') =>
    `FROM busybox\nARG N\nRUN --mount=type=cache,id=${id},target=/c${more} : $N; ${script}\n`;
  let number = 0;
  /** Never from the cache. */
  const run = (id: string, script: string, more = '') =>
    build(mounting(id, script, more), {arguments: {N: String(number++)}});

  test('is listed with its id, size and uses', async () => {
    await run('tools', 'head -c 500 /dev/zero >/c/a');
    await run('tools', 'test -e /c/a');
    const mounts = (await rows()).filter(({Type}) => Type === 'exec.cachemount');
    expect(mounts).toMatchObject([
      {Description: 'cached mount tools', Size: 500, UsageCount: 2, InUse: false, Shared: false},
    ]);
  });

  test('stays, unless it is named, or all goes', async () => {
    for (const id of ['one', 'two', 'three']) await run(id, 'echo x >/c/x');
    await bed.docker.pruneBuilder({});
    const mounts = (await rows()).filter(({Type}) => Type === 'exec.cachemount');
    expect(mounts.map(({Description}) => Description).sort()).toEqual([
      'cached mount one',
      'cached mount three',
      'cached mount two',
    ]);
    const one = mounts.find(({Description}) => Description === 'cached mount one');
    expect(await bed.docker.pruneBuilder({filters: {id: ['one']}})).toEqual({
      CachesDeleted: [one?.ID],
      SpaceReclaimed: 2,
    });
    const rest = await bed.docker.pruneBuilder({filters: {type: ['exec.cachemount']}});
    expect(rest.CachesDeleted).toHaveLength(2);
    // Locks of what is gone are all that may be left.
    const left = readdirSync(join(bed.host.root, 'build/mounts')).filter((name) => !name.endsWith('.lock'));
    expect(left).toEqual([]);
    expect(await onlyTypes()).not.toContain('exec.cachemount');
  });

  test('is written to an archive, and made of one, with owners, modes and links', async () => {
    await run(
      'out',
      'mkdir /c/d; echo hello >/c/d/f; chmod 640 /c/d/f; chown 7:8 /c/d/f; ln -s d/f /c/l; chmod 700 /c',
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of await bed.docker.exportBuildMount('out')) chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    writeFileSync(join(directory, 'out.tar'), archive);
    const listed = execFileSync('tar', ['-tvf', join(directory, 'out.tar'), '--numeric-owner'], {encoding: 'utf8'});
    expect(listed).toMatch(/-rw-r----- 7\/8 +6 .* (?:\.\/)?d\/f\n/);
    async function* packed() {
      yield gzipSync(archive);
    }
    // One that is new, and one that has something else in it.
    await run('full', 'echo old >/c/old');
    for (const id of ['new', 'full']) {
      await bed.docker.importBuildMount(id, packed());
      await run(id, 'test ! -e /c/old && test "$(stat -c %a:%u:%g /c/d/f)" = 640:7:8 && test "$(cat /c/l)" = hello');
    }
    const ids = (await rows()).filter(({Type}) => Type === 'exec.cachemount').map(({Description}) => Description);
    expect(ids.sort()).toEqual(['cached mount full', 'cached mount new', 'cached mount out']);
  });

  test('an archive that leads out of it, or is none, changes nothing', async () => {
    await run('safe', 'echo kept >/c/kept');
    async function* evil() {
      yield execFileSync('tar', ['-cP', '--transform=s,^,../../../,', '-C', '/etc', 'hostname']);
    }
    async function* garbage() {
      yield Buffer.from('no archive at all');
    }
    await expect(bed.docker.importBuildMount('safe', evil())).rejects.toMatchObject({kind: 'invalid'});
    await expect(bed.docker.importBuildMount('safe', garbage())).rejects.toMatchObject({kind: 'invalid'});
    await run('safe', 'test "$(cat /c/kept)" = kept');
  });

  test('one that does not exist is not exported', async () => {
    const read = async () => {
      for await (const _ of await bed.docker.exportBuildMount('none'));
    };
    await expect(read()).rejects.toMatchObject({kind: 'notFound', message: 'no cache mount is called "none"'});
  });
});

test('what came from a cache elsewhere is counted with what builds keep, and not with images', async () => {
  const path = join(directory, 'elsewhere');
  await build(sized, {cacheTo: [{kind: 'local', path, mode: 'max'}]});
  await bed.docker.pruneImages({filters: {dangling: ['true']}});
  await bed.docker.pruneBuilder({all: true});
  const {LayersSize} = await bed.docker.df();
  await build(sized, {cacheFrom: [{kind: 'local', path}], target: 'parts'});
  await bed.docker.pruneImages({filters: {dangling: ['true']}});
  const after = await bed.docker.df();
  expect(after.LayersSize).toBe(LayersSize);
  expect(after.BuildCache).toHaveLength(2);
  for (const {Description, Size} of after.BuildCache ?? []) {
    expect(Description).toMatch(/\(from .*elsewhere\)$/);
    // The unpacked layer, and the archive that it came in.
    expect(Size).toBeGreaterThan(Description.includes('1000') ? 1000 : 2000);
  }
});
