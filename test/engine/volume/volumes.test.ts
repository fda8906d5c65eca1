import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Volumes} from '../../../src/engine/engine.ts';
import {createHelper, type Helper} from '../../../src/engine/helper/coprocess.ts';
import {createLayout, type Layout} from '../../../src/engine/layout.ts';
import {ensureRoot} from '../../../src/engine/root.ts';
import {createVolumes} from '../../../src/engine/volume/volumes.ts';

let directory: string;
let layout: Layout;
let helper: Helper;
let volumes: Omit<Volumes, 'prune'>;
let users: Map<string, string[]>;
let actions: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-volumes-'));
  layout = createLayout({root: join(directory, 'root'), run: join(directory, 'run')});
  await ensureRoot(layout);
  helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  users = new Map();
  actions = [];
  volumes = createVolumes({
    layout,
    helper,
    events: {append: async ({type, action, id}) => void actions.push(`${type} ${action} ${id}`)},
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

describe('driver options', () => {
  test('a directory of the machine is honoured, and survives the volume', async () => {
    const device = join(directory, 'elsewhere');
    mkdirSync(device);
    writeFileSync(join(device, 'mine'), '');
    const options = {type: 'none', o: 'bind', device};
    expect(await volumes.create({Name: 'bound', DriverOpts: options})).toMatchObject({
      Mountpoint: device,
      Options: options,
    });
    await volumes.remove('bound');
    expect(readdirSync(device)).toEqual(['mine']);
  });

  test.each([
    [{type: 'tmpfs', device: 'tmpfs'}, 'unsupported', 'volume "x1": driver option "type" tmpfs is not supported'],
    [
      {type: 'nfs', o: 'addr=1.2.3.4', device: ':/x'},
      'unsupported',
      'volume "x1": driver option "type" nfs is not supported',
    ],
    [
      {type: 'none', o: 'bind,ro', device: '/x'},
      'unsupported',
      'volume "x1": driver option "o" has "ro", which is not supported',
    ],
    [
      {type: 'none', o: 'bind', device: 'x'},
      'invalid',
      'volume "x1": driver option "device" is not an absolute path: "x"',
    ],
    [{o: 'bind'}, 'invalid', 'volume "x1": driver option "device" is not an absolute path: ""'],
    [{device: '/x'}, 'invalid', 'volume "x1": missing driver option "type"'],
    [{size: '1G'}, 'unsupported', 'volume "x1": unsupported driver option "size"'],
    [{colour: 'red'}, 'invalid', 'volume "x1": unknown driver option "colour"'],
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
