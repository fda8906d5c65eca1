import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {bytesOf} from '../../support/read-tar.ts';
import {dockerArchive, type ImageBed, makeImage, makeImageBed, stream} from './bed.ts';

/** Each has a helper of its own, as processes have: their locks keep them apart and nothing else. */
let beds: readonly ImageBed[];
beforeEach(async () => {
  const first = await makeImageBed();
  beds = [first, ...(await Promise.all([1, 2, 3].map(() => makeImageBed(first))))];
});
afterEach(async () => {
  const [first, ...others] = beds;
  for (const bed of others) await bed[Symbol.asyncDispose]();
  await first?.[Symbol.asyncDispose]();
});

const shared = [
  {name: 'shared/', type: '5'},
  ...Array.from({length: 40}, (_, n) => ({name: `shared/${n}`, data: `${n}`})),
];
const rounds = 6;

test('loads, removals, saves and prunes at once leave a store that is whole, and take nothing from each other', async () => {
  const [pruner, ...workers] = beds;
  let working = workers.length;
  const work = async (bed: ImageBed, worker: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      // Of two workers the same image, each under a name of its own.
      const image = makeImage({layers: [shared, [{name: 'own', data: `${worker >> 1} ${round}`}]]});
      const tag = `worker${worker}:${round}`;
      await bed.load(dockerArchive([{image, tags: [tag]}]));
      const {lowers} = await bed.store.root(await bed.store.resolve(tag));
      expect(readFileSync(join(lowers[0] ?? '', 'own'), 'utf8')).toBe(`${worker >> 1} ${round}`);
      expect(readFileSync(join(lowers[1] ?? '', 'shared/39'), 'utf8')).toBe('39');
      const archive = await bytesOf(await bed.store.images.save([tag]));
      await bed.store.images.remove(tag);
      if (round % 2 === 0) {
        for await (const _ of bed.store.images.load(stream(archive)));
        expect((await bed.store.images.inspect(tag)).Id).toBe(image.id);
        await bed.store.images.remove(tag);
      }
    }
  };
  const prune = async () => {
    while (working > 0) await pruner?.store.tidy();
  };
  await Promise.all([
    prune(),
    ...workers.map((bed, index) =>
      work(bed, index).finally(() => {
        working -= 1;
      }),
    ),
  ]);
  expect(await pruner?.store.images.check({repair: false})).toEqual({
    ...{blobs: 0, layers: 0, images: 0, names: 0, faults: [], waste: 0},
  });
});

test('of many who load the same image one unpacks each layer', async () => {
  const image = makeImage({layers: [shared, [{name: 'own', data: 'own'}]]});
  const lines = await Promise.all(
    beds.map((bed, index) => bed.load(dockerArchive([{image, tags: [`same:${index}`]}]))),
  );
  const unpacked = lines
    .flat()
    .filter(({status, progressDetail}) => status !== undefined && progressDetail?.current === 0);
  expect(unpacked).toHaveLength(2);
  const [bed] = beds;
  expect((await bed?.store.images.inspect(image.id))?.RepoTags).toEqual(['same:0', 'same:1', 'same:2', 'same:3']);
  expect(await bed?.store.images.check({repair: false})).toMatchObject({images: 1, names: 4, faults: [], waste: 0});
});
