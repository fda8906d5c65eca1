import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {choosePlace, createNursery, originOf} from '../../../src/engine/image/nurseries.ts';
import {temporaryPrefix} from '../../../src/engine/record-store.ts';
import {type ImageBed, makeImageBed} from './bed.ts';

const minute = 60_000;

describe('places', () => {
  test('by chance one is chosen that has rested', () => {
    const now = 100 * minute;
    const places = [0, 1, 93, 95, 99].map((minutes) => ({minutes, emptied: minutes * minute}));
    const chosen = new Set<number>();
    for (let round = 0; round < 200; round += 1) chosen.add(choosePlace(places, now).minutes);
    expect([...chosen].sort((a, b) => a - b)).toEqual([0, 1, 93]);
  });

  test('where none has, it is the one that was emptied longest ago; also where the clock was put back', () => {
    const places = [97, 95, 99, 300].map((minutes) => ({minutes, emptied: minutes * minute}));
    expect(choosePlace(places, 100 * minute).minutes).toBe(95);
  });

  test('a layer belongs to the nearest one before it', () => {
    const places = [800, 100, 500].map((inode) => ({inode}));
    expect(originOf(places, 501)).toEqual({inode: 500});
    expect(originOf(places, 799)).toEqual({inode: 500});
    expect(originOf(places, 9000)).toEqual({inode: 800});
    expect(originOf(places, 20)).toBeUndefined();
  });
});

describe('of a store', () => {
  let bed: ImageBed;
  beforeEach(async () => {
    bed = await makeImageBed();
    // Where they are, they are used, whatever the file system.
    mkdirSync(nurseries(), {recursive: true});
  });
  afterEach(() => bed[Symbol.asyncDispose]());
  const nurseries = () => bed.layout.images.nurseries;
  const places = () => readdirSync(nurseries());
  const emptied = () => places().filter((name) => existsSync(join(nurseries(), name, 'emptied')));
  const fill = (path: string, files: number) => {
    for (let file = 0; file < files; file += 1) writeFileSync(join(path, String(file)), '');
  };

  test('layers that begin together begin in one place, which is made with the others', async () => {
    const nursery = createNursery(bed.context);
    const names = ['a', 'b', 'c', 'd'].map((name) => `${temporaryPrefix}${name}`);
    const paths = await Promise.all(names.map((name) => nursery.begin(name)));
    expect(paths).toEqual(names.map((name) => join(bed.layout.images.layers, name)));
    expect(places()).toHaveLength(64);
    expect(places().flatMap((name) => readdirSync(join(nurseries(), name)))).toEqual([]);
    for (const name of names) await nursery.remove(name);
    expect(emptied()).toEqual([]);
  });

  test('a place is left alone once much was removed there, by whoever did it', async () => {
    await using session = await bed.store.session();
    {
      await using small = await session.layers.begin();
      fill(small.path, 10);
    }
    expect(emptied()).toEqual([]);
    {
      await using large = await session.layers.begin();
      fill(large.path, 1500);
    }
    expect(emptied()).toHaveLength(1);
    const nursery = createNursery(bed.context);
    const left = `${temporaryPrefix}${randomUUID()}-${randomUUID()}`;
    fill(await nursery.begin(left), 1500);
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
    expect(emptied()).toHaveLength(2);
  });

  test('those that a killed process did not make are made, and what it left there goes', async () => {
    await createNursery(bed.context).begin(`${temporaryPrefix}x`);
    const [first = '', ...others] = places();
    for (const name of others.slice(10)) rmdirSync(join(nurseries(), name));
    await createNursery(bed.context).begin(`${temporaryPrefix}y`);
    expect(places()).toHaveLength(64);
    mkdirSync(join(nurseries(), first, `${temporaryPrefix}${randomUUID()}-${randomUUID()}`));
    writeFileSync(join(nurseries(), first, 'emptied'), '');
    await bed.store.tidy();
    expect(bed.content().layers).toEqual([]);
    expect(emptied()).toEqual([first]);
  });

  test('a first failure is not the last word', async () => {
    const nursery = createNursery(bed.context);
    rmdirSync(nurseries());
    writeFileSync(nurseries(), '');
    const name = `${temporaryPrefix}x`;
    await expect(nursery.begin(name)).rejects.toMatchObject({code: 'ENOTDIR'});
    rmSync(nurseries());
    mkdirSync(nurseries());
    expect(existsSync(await nursery.begin(name))).toBe(true);
  });
});
