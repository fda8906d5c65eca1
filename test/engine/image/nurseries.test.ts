import {randomUUID} from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {deviceNumbers} from '../../../src/engine/device-numbers.ts';
import {choosePlace, createNursery, groupOf, isWithoutJournal} from '../../../src/engine/image/nurseries.ts';
import {temporaryPrefix} from '../../../src/engine/record-store.ts';
import {type ImageBed, makeImageBed} from './bed.ts';

describe('a place', () => {
  const choose = async (times: Readonly<Record<string, number | undefined>>) => {
    const asked: string[] = [];
    const chosen = await choosePlace(Object.keys(times), async (place) => {
      asked.push(place);
      return times[place];
    });
    return {chosen, asked: asked.join('')};
  };

  test('is the first where nothing was freed lately', async () => {
    expect(await choose({a: undefined, b: 1})).toEqual({chosen: 'a', asked: 'a'});
    expect(await choose({a: 1, b: 2, c: undefined, d: undefined})).toEqual({chosen: 'c', asked: 'abc'});
  });

  test('or else where it is longest ago', async () => {
    expect(await choose({a: 3, b: 1, c: 2})).toEqual({chosen: 'b', asked: 'abc'});
  });

  test('belongs to a group by its inode, from 1', () => {
    expect([1, 8192, 8193, 16_385].map(groupOf)).toEqual([0, 0, 1, 2]);
  });
});

describe('places make a difference', () => {
  let sys: string;
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), 'tsc-sys-'));
  });
  afterEach(() => rmSync(sys, {recursive: true, force: true}));

  test.each([
    ['on ext4 without a journal', '<none>\n', true],
    ['not on one with a journal', '311\n', false],
    ['not on other file systems', undefined, false],
  ])('%s', (_, task, expected) => {
    const number = deviceNumbers(statSync(sys, {bigint: true}).dev);
    mkdirSync(join(sys, 'dev/block'), {recursive: true});
    symlinkSync('../../devices/virtual/block/disk7', join(sys, 'dev/block', number));
    if (task !== undefined) {
      mkdirSync(join(sys, 'fs/ext4/disk7'), {recursive: true});
      writeFileSync(join(sys, 'fs/ext4/disk7/journal_task'), task);
    }
    expect(isWithoutJournal(sys, sys)).toBe(expected);
  });

  test('not where the device is none of the machine', () => {
    expect(isWithoutJournal(sys, sys)).toBe(false);
    expect(isWithoutJournal(join(sys, 'nowhere'))).toBe(false);
  });
});

describe('of a store', () => {
  let bed: ImageBed;
  let now: number;
  beforeEach(async () => {
    bed = await makeImageBed();
    now = Date.UTC(2026, 0, 2);
  });
  afterEach(() => bed[Symbol.asyncDispose]());
  const nurseries = () => bed.layout.images.nurseries;
  const create = () => createNursery({...bed.context, now: () => now}, () => true);
  const places = () => readdirSync(nurseries()).filter((name) => /^[0-9a-f]{8}$/.test(name));
  const marks = () => (existsSync(join(nurseries(), 'emptied')) ? readdirSync(join(nurseries(), 'emptied')) : []);
  const nameOf = (name: string) => `${temporaryPrefix}${name}`;
  const fill = (path: string, files: number) => {
    for (let file = 0; file < files; file += 1) writeFileSync(join(path, String(file)), '');
  };
  /** In which places something was made or removed since the last time. */
  const used = () => {
    const early = new Date(0);
    const touched = places().filter((name) => statSync(join(nurseries(), name)).mtimeMs > 0);
    for (const name of places()) utimesSync(join(nurseries(), name), early, early);
    return touched;
  };

  test('there are none where they make no difference', async () => {
    const nursery = createNursery(bed.context, () => false);
    const path = await nursery.begin(nameOf('a'));
    expect(path).toBe(join(bed.layout.images.layers, nameOf('a')));
    fill(path, 1500);
    await nursery.remove(nameOf('a'));
    expect(existsSync(path)).toBe(false);
    expect(existsSync(nurseries())).toBe(false);
  });

  test('layers that begin together begin in one, which is made with the others', async () => {
    const nursery = create();
    const names = ['a', 'b', 'c', 'd'].map(nameOf);
    const paths = await Promise.all(names.map((name) => nursery.begin(name)));
    expect(paths).toEqual(names.map((name) => join(bed.layout.images.layers, name)));
    expect(places()).toHaveLength(64);
    used();
    await nursery.begin(nameOf('e'));
    const [place, ...others] = used();
    expect(others).toEqual([]);
    for (const name of names) await nursery.remove(name);
    await nursery.begin(nameOf('f'));
    expect(used()).toEqual([place]);
    expect(places().flatMap((name) => readdirSync(join(nurseries(), name)))).toEqual([]);
    expect(marks()).toEqual([]);
  });

  test('after much was removed the next begins elsewhere, and the group is marked for some minutes', async () => {
    const nursery = create();
    const seen = new Set<string>();
    let group = 0;
    for (let round = 0; round < 4; round += 1) {
      const path = await nursery.begin(nameOf(String(round)));
      used();
      group = groupOf(statSync(path).ino);
      fill(path, 1100);
      await nursery.remove(nameOf(String(round)));
      expect(marks()).toContain(String(group));
      await nursery.begin(nameOf(`next-${round}`));
      for (const place of used()) seen.add(place);
    }
    expect(seen.size).toBeGreaterThan(1);
    // A mark that is old counts no more, and goes with the next.
    now += 6 * 60 * 1000 + 1;
    writeFileSync(join(nurseries(), 'emptied', '9999999'), '');
    utimesSync(join(nurseries(), 'emptied', '9999999'), new Date(0), new Date(0));
    const path = await nursery.begin(nameOf('last'));
    const last = groupOf(statSync(path).ino);
    fill(path, 1100);
    await nursery.remove(nameOf('last'));
    expect(marks()).toEqual([String(last)]);
  });

  test('a large layer marks each of the groups that it filled, whoever removes it', async () => {
    const left = nameOf(`${randomUUID()}-${randomUUID()}`);
    const path = await create().begin(left);
    const group = groupOf(statSync(path).ino);
    fill(path, 8500);
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
    expect(
      marks()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual([group, group + 1]);
  });

  test('those that a killed process did not make are made, and what it left there goes', async () => {
    await create().begin(nameOf('x'));
    const [first = '', ...others] = places();
    for (const name of others.slice(10)) rmdirSync(join(nurseries(), name));
    writeFileSync(join(nurseries(), 'stray'), '');
    await create().begin(nameOf('y'));
    expect(places()).toHaveLength(64);
    mkdirSync(join(nurseries(), first, nameOf(`${randomUUID()}-${randomUUID()}`)));
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
    expect(readdirSync(join(nurseries(), first))).toEqual([]);
  });

  test('a first failure is not the last word', async () => {
    const nursery = create();
    writeFileSync(nurseries(), '');
    await expect(nursery.begin(nameOf('x'))).rejects.toMatchObject({code: 'ENOTDIR'});
    rmSync(nurseries());
    expect(existsSync(await nursery.begin(nameOf('x')))).toBe(true);
  });
});
