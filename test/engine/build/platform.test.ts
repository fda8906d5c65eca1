import {createReadStream} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {makeRegistry, pushBlob, pushManifest, types} from '../../server/registry/bed.ts';
import {imageArchive} from '../../support/test-images.ts';
import {makeImage} from '../image/bed.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let own = '';
let other = '';

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  own = (await bed.engine.images.inspect('busybox')).Architecture;
  other = own === 's390x' ? 'ppc64le' : 's390x';
});

afterAll(() => bed?.close());

const wrong = () => `platform (linux/${own}) does not match the specified platform (linux/${other})`;

test('an image of another platform than the one that was asked for is not built upon', async () => {
  const built = eventsOf(bed.engine, plainBody('FROM busybox\nENV A=1\n', {platforms: [`linux/${other}`]}));
  await expect(built).rejects.toThrow(`image with reference busybox was found but its ${wrong()}`);
  const copied = plainBody('FROM scratch\nCOPY --from=busybox /bin/sh /\n', {platforms: [`linux/${other}`]});
  await expect(eventsOf(bed.engine, copied)).rejects.toThrow(wrong());
});

test('a stage may ask for another one by itself', async () => {
  const wanting = (value: string) => `ARG P=linux/${other}\nFROM --platform=${value} busybox\nENV A=1\n`;
  await expect(eventsOf(bed.engine, plainBody(wanting('$P')))).rejects.toThrow(wrong());
  const text = wanting('$BUILDPLATFORM');
  const events = await eventsOf(bed.engine, plainBody(text, {platforms: [`linux/${other}`]}));
  expect(events).toContainEqual(expect.objectContaining({kind: 'built'}));
});

test('another platform of the same index is pulled beside the one that is here, once, and built upon', async () => {
  await using upstream = await makeRegistry({unpack: false});
  const platforms = [own, other].map((architecture) =>
    makeImage({
      layers: [[{name: 'who', data: Buffer.from(architecture)}]],
      platform: {architecture, os: 'linux'},
      config: {Labels: {for: architecture}},
    }),
  );
  const manifests = [];
  for (const {configuration, layers} of platforms) {
    const config = await pushBlob(upstream, 'ground', configuration, types.config);
    const pushed = [await pushBlob(upstream, 'ground', layers[0] ?? '', types.layer)];
    const manifest = {schemaVersion: 2, mediaType: types.manifest, config, layers: pushed};
    const {mediaType, digest, size} = await pushManifest(upstream, 'ground', manifest);
    manifests.push({mediaType, digest, size, platform: JSON.parse(String(configuration))});
  }
  await pushManifest(upstream, 'ground', {schemaVersion: 2, mediaType: types.index, manifests}, {reference: '1'});
  const ground = `127.0.0.1:${upstream.listener.port}/ground:1`;
  const labelOf = async (text: string) => {
    const events = await eventsOf(bed.engine, plainBody(text, {tags: ['built:1']}));
    expect(events).toContainEqual(expect.objectContaining({kind: 'built'}));
    return (await bed.engine.images.inspect('built:1')).Config.Labels?.['for'];
  };
  expect(await labelOf(`FROM ${ground}\nENV A=1\n`)).toBe(own);
  const text = `FROM --platform=linux/${other} ${ground} AS far\nFROM ${ground}\nCOPY --from=far /who /far\nENV A=2\n`;
  expect(await labelOf(text)).toBe(own);
  expect(await labelOf(`FROM --platform=linux/${other} ${ground}\nENV A=3\n`)).toBe(other);
  expect(upstream.log.filter((line) => line.includes(`/blobs/${platforms[1]?.id}`))).toHaveLength(1);
  expect((await bed.engine.images.inspect(ground)).Architecture).toBe(own);
  expect((await bed.engine.images.inspect(ground, `linux/${other}`)).Architecture).toBe(other);
  const absent = plainBody(`FROM --platform=linux/mips ${ground}\nENV A=4\n`);
  await expect(eventsOf(bed.engine, absent)).rejects.toThrow('does not match the specified platform (linux/mips)');
});

test('what is no platform is told with its place', async () => {
  const error = await eventsOf(bed.engine, plainBody('FROM --platform=a/b/c/d busybox\n')).catch((reason) => reason);
  expect(error.diagnostics).toMatchObject([{code: 'invalid-platform', line: 1, column: 6}]);
});
