import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Volumes} from '../../../src/engine/engine.ts';
import {createHelper, type Helper} from '../../../src/engine/helper/coprocess.ts';
import {createLayout, type Layout} from '../../../src/engine/layout.ts';
import {ensureRoot} from '../../../src/engine/root.ts';
import {planVolumeMount} from '../../../src/engine/volume/options.ts';
import {createVolumeUses, type VolumeUses} from '../../../src/engine/volume/uses.ts';
import {createVolumes} from '../../../src/engine/volume/volumes.ts';

let directory: string;
let layout: Layout;
let helper: Helper;
let volumes: Omit<Volumes, 'prune'>;
let uses: VolumeUses;
let users: Map<string, string[]>;
let actions: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-volumes-'));
  layout = createLayout({root: join(directory, 'root'), run: join(directory, 'run')});
  await ensureRoot(layout);
  helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  uses = createVolumeUses({layout, helper});
  users = new Map();
  actions = [];
  volumes = createVolumes({
    layout,
    helper,
    events: {append: async ({type, action, id}) => void actions.push(`${type} ${action} ${id}`)},
    uses,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    users: async (name) => users.get(name) ?? [],
  });
});
afterEach(async () => {
  await helper.close();
  rmSync(directory, {recursive: true, force: true});
});

describe('a named volume', () => {
  test('is made once, listed, and removed with its content', async () => {
    const made = await volumes.create({Name: 'shop_data', Labels: {a: '1'}});
    expect(made).toEqual({
      Name: 'shop_data',
      Driver: 'local',
      Mountpoint: layout.volume('shop_data').data,
      CreatedAt: '2026-01-02T03:04:05Z',
      Labels: {a: '1'},
      Scope: 'local',
      Options: null,
    });
    expect(statSync(made.Mountpoint).mode & 0o7777).toBe(0o755);
    writeFileSync(join(made.Mountpoint, 'kept'), 'x');
    expect(await volumes.create({Name: 'shop_data', Labels: {b: '2'}})).toEqual(made);
    expect(readFileSync(join(made.Mountpoint, 'kept'), 'utf8')).toBe('x');
    expect(await volumes.list()).toEqual([made]);
    await volumes.remove('shop_data');
    await expect(volumes.inspect('shop_data')).rejects.toMatchObject({
      kind: 'notFound',
      message: 'get shop_data: no such volume',
    });
    expect(readdirSync(layout.volumes)).toEqual([]);
    expect(readdirSync(layout.locks.directory)).toEqual([]);
    expect(actions).toEqual(['volume create shop_data', 'volume destroy shop_data']);
  });

  test('stays while a container uses it', async () => {
    await volumes.create({Name: 'used'});
    users.set('used', ['c'.repeat(64)]);
    await expect(volumes.remove('used', {force: true})).rejects.toMatchObject({
      kind: 'conflict',
      message: `remove used: volume is in use - [${'c'.repeat(64)}]`,
    });
    expect((await volumes.list({dangling: ['false']})).map(({Name}) => Name)).toEqual(['used']);
    expect(await volumes.list({dangling: ['true']})).toEqual([]);
  });

  test('that is not there cannot be removed, unless forced', async () => {
    await expect(volumes.remove('none')).rejects.toMatchObject({kind: 'notFound'});
    await volumes.remove('none', {force: true});
  });

  test('made by many at once is one', async () => {
    const made = await Promise.all(
      Array.from({length: 8}, (_unused, index) => volumes.create({Name: 'race', Labels: {by: String(index)}})),
    );
    expect(new Set(made.map(({Labels}) => Labels?.['by'])).size).toBe(1);
    expect(readdirSync(layout.volumes)).toEqual(['race']);
  });

  test('half-made or half-removed is cleared by the next who comes, and only its own', async () => {
    for (const name of [
      '.tmp-vol-01234567-89ab-cdef-0123-456789abcdef',
      `.tmp-vol-${'0'.repeat(32)}`,
      '.tmp-vol-b-01234567-89ab-cdef-0123-456789abcdef',
    ]) {
      mkdirSync(join(layout.volumes, name, 'data'), {recursive: true});
    }
    await volumes.create({Name: 'vol'});
    expect(readdirSync(layout.volumes).sort()).toEqual(['.tmp-vol-b-01234567-89ab-cdef-0123-456789abcdef', 'vol']);
    await volumes.remove('vol-b', {force: true});
    expect(readdirSync(layout.volumes)).toEqual(['vol']);
  });

  test('half-made or half-removed is cleared by a list too, but not while somebody is at it', async () => {
    const leftovers = [`.tmp-a-b-${'0'.repeat(32)}`, '.tmp-a-cd604645-daf5-4dfd-986e-2a1c7ada127b'];
    for (const name of leftovers) mkdirSync(join(layout.volumes, name, 'data'), {recursive: true});
    const other = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
    const busy = await other.lock(layout.locks.volume('a'));
    expect(await volumes.list()).toEqual([]);
    expect(readdirSync(layout.volumes)).toEqual([leftovers[1]]);
    await busy[Symbol.asyncDispose]();
    await other.close();
    await volumes.list();
    expect(readdirSync(layout.volumes)).toEqual([]);
    expect(readdirSync(layout.locks.directory).filter((name) => name.startsWith('volume-'))).toEqual([]);
  });
});

test('a volume without a name gets one, and the mark of an anonymous one', async () => {
  const {Name, Labels} = await volumes.create({});
  expect(Name).toMatch(/^[0-9a-f]{64}$/);
  expect(Labels).toEqual({'com.docker.volume.anonymous': ''});
});

test('filters', async () => {
  await volumes.create({Name: 'one', Labels: {a: '1'}});
  await volumes.create({Name: 'two'});
  const names = async (filters: Record<string, string[]>) => (await volumes.list(filters)).map(({Name}) => Name);
  expect(await names({name: ['on']})).toEqual(['one']);
  expect(await names({label: ['a=1']})).toEqual(['one']);
  expect(await names({driver: ['local']})).toEqual(['one', 'two']);
  expect(await names({driver: ['nfs']})).toEqual([]);
  await expect(names({colour: ['x']})).rejects.toMatchObject({kind: 'invalid'});
});

test.each(['a', '../x', 'a/b', '.hidden', 'a b', `${'x'.repeat(256)}`])('a name that cannot be: %s', async (Name) => {
  await expect(volumes.create({Name})).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('includes invalid characters'),
  });
  await expect(volumes.inspect(Name)).rejects.toMatchObject({kind: 'notFound'});
});

/** What is mounted at a volume, as the machine sees it. */
function mountedAt(name: string): readonly string[] {
  const place = layout.volume(name).data;
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4] === place);
}

describe('driver options', () => {
  test('a directory of the machine is mounted while it is used, and survives the volume', async () => {
    const device = join(directory, 'elsewhere');
    mkdirSync(device);
    writeFileSync(join(device, 'mine'), '');
    const options = {type: 'none', o: 'bind,ro', device};
    const {Mountpoint, Options} = await volumes.create({Name: 'bound', DriverOpts: options});
    expect(Options).toEqual(options);
    {
      await using first = await uses.use('bound');
      expect(readdirSync(first.directory)).toEqual(['mine']);
      expect(() => writeFileSync(join(Mountpoint, 'x'), '')).toThrow('read-only file system');
      {
        await using second = await uses.use('bound');
        expect(second).toMatchObject({directory: Mountpoint, lock: first.lock});
        await expect(volumes.remove('bound')).rejects.toMatchObject({message: 'remove bound: volume is in use'});
      }
      await uses.settle('bound');
      expect(mountedAt('bound')).toHaveLength(1);
    }
    expect(mountedAt('bound')).toEqual([]);
    await volumes.remove('bound');
    expect(readdirSync(device)).toEqual(['mine']);
    expect(readdirSync(layout.locks.directory).filter((name) => /^(volume|mount)-/.test(name))).toEqual([]);
  });

  test('memory is one for all who use it, and new for who comes after them', async () => {
    await volumes.create({Name: 'memory', DriverOpts: {type: 'tmpfs', device: 'tmpfs', o: 'size=64k,mode=700,noexec'}});
    const another = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
    try {
      const first = await uses.use('memory');
      writeFileSync(join(first.directory, 'file'), '');
      const second = await createVolumeUses({layout, helper: another}).use('memory');
      await first[Symbol.asyncDispose]();
      expect(readdirSync(second.directory)).toEqual(['file']);
      expect(mountedAt('memory')[0]).toMatch(/ rw,noexec,relatime .*- tmpfs tmpfs rw,size=64k,mode=700/);
      await second[Symbol.asyncDispose]();
      expect(mountedAt('memory')).toEqual([]);
      await using third = await uses.use('memory');
      expect(readdirSync(third.directory)).toEqual([]);
    } finally {
      await another.close();
    }
  });

  test.each(['use', 'list', 'remove'])(
    'what a killed process left mounted is dealt with by the next: %s',
    async (next) => {
      await volumes.create({Name: 'left', DriverOpts: {type: 'tmpfs', device: 'tmpfs'}});
      const killed = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
      const use = await createVolumeUses({layout, helper: killed}).use('left');
      writeFileSync(join(use.directory, 'stale'), '');
      await killed.close();
      expect(mountedAt('left')).toHaveLength(1);
      if (next === 'use') {
        await using again = await uses.use('left');
        expect(readdirSync(again.directory)).toEqual([]);
      } else if (next === 'list') await volumes.list();
      else await volumes.remove('left');
      expect(mountedAt('left')).toEqual([]);
    },
  );

  test('of users who come and go at once, all see the same', async () => {
    await volumes.create({Name: 'busy', DriverOpts: {type: 'tmpfs', device: 'tmpfs'}});
    const helpers = Array.from({length: 3}, () => createHelper({helperPath: process.env['TSCOMPOSE_HELPER']}));
    try {
      const rounds = helpers.map(async (one, index) => {
        const own = createVolumeUses({layout, helper: one});
        for (let round = 0; round < 15; round++) {
          await using use = await own.use('busy');
          writeFileSync(join(use.directory, `${index}-${round}`), '');
          expect(mountedAt('busy')).toHaveLength(1);
          expect(readdirSync(use.directory)).toContain(`${index}-${round}`);
        }
      });
      await Promise.all(rounds);
    } finally {
      await Promise.all(helpers.map((one) => one.close()));
    }
    expect(mountedAt('busy')).toEqual([]);
    expect(readdirSync(layout.volume('busy').data)).toEqual([]);
  });

  test.each([
    [
      {type: 'nothing-like-it', device: 'x'},
      'unsupported',
      '(x of type nothing-like-it): this kernel has no file system "nothing-like-it"',
    ],
    [
      {type: 'tmpfs', device: 'tmpfs', o: 'foo,password=secret'},
      'invalid',
      '(tmpfs of type tmpfs with foo,password=********): invalid argument',
    ],
    [
      {type: 'none', o: 'bind', device: '/nowhere/at/all'},
      'notFound',
      '(/nowhere/at/all of type bind): no such file or directory',
    ],
    [
      {type: 'ext4', device: '/nowhere/at/all', o: 'ro'},
      'notFound',
      '(/nowhere/at/all of type ext4 with ro): no such file or directory',
    ],
  ])('what cannot be mounted says why: %j', async (DriverOpts, kind, reason) => {
    await volumes.create({Name: 'bad1', DriverOpts: DriverOpts as Record<string, string>});
    await expect(uses.use('bad1')).rejects.toMatchObject({kind, message: `cannot mount volume "bad1" ${reason}`});
    expect(mountedAt('bad1')).toEqual([]);
    await volumes.remove('bad1');
  });

  test('the address of a server is looked up, as the kernel knows no names', async () => {
    const asked: string[] = [];
    const plan = (o: string) =>
      planVolumeMount({type: 'nfs', device: ':/x', o}, async (host) => {
        asked.push(host);
        return '192.0.2.7';
      });
    expect(await plan('addr=files.example,ro,vers=4')).toEqual({
      type: 'nfs',
      device: ':/x',
      flags: 'ro',
      data: 'addr=192.0.2.7,vers=4',
    });
    expect((await plan('addr=192.0.2.9')).data).toBe('addr=192.0.2.9');
    expect(asked).toEqual(['files.example']);
    await volumes.create({Name: 'net', DriverOpts: {type: 'nfs', device: ':/x', o: 'addr=files.invalid'}});
    await expect(uses.use('net')).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'cannot mount volume "net": its server "files.invalid" has no address',
    });
  });

  test.each([
    [{type: 'none', o: 'bind', device: 'x'}, 'invalid', 'create x1: the device of a bind is not an absolute path: "x"'],
    [{o: 'bind'}, 'invalid', 'create x1: missing required option: "device"'],
    [{type: 'tmpfs'}, 'invalid', 'create x1: missing required option: "device"'],
    [{device: '/x'}, 'invalid', 'create x1: missing required option: "type"'],
    [{size: '1G'}, 'unsupported', 'create x1: quota size requested but no quota support'],
    [{colour: 'red'}, 'invalid', 'create x1: invalid option: "colour"'],
    [
      {type: 'tmpfs', device: 'tmpfs', o: 'remount'},
      'invalid',
      'create x1: the option "remount" says nothing of a new mount',
    ],
  ])('%j', async (DriverOpts, kind, message) => {
    await expect(volumes.create({Name: 'x1', DriverOpts: DriverOpts as Record<string, string>})).rejects.toMatchObject({
      kind,
      message,
    });
    expect(readdirSync(layout.volumes)).toEqual([]);
  });

  test('another driver is refused', async () => {
    await expect(volumes.create({Name: 'x1', Driver: 'nfs'})).rejects.toMatchObject({kind: 'unsupported'});
  });
});
