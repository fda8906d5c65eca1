import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {readBootId} from '../../../src/engine/clock.ts';
import {openSession} from '../../../src/engine/image/session.ts';
import {dockerArchive, type ImageBed, makeImage, makeImageBed} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const image = makeImage({layers: [[{name: 'file', data: 'content'}]]});
const archive = dockerArchive([{image, tags: ['settled']}]);
const directory = image.diffIds[0]?.slice('sha256:'.length) ?? '';
const record = () => bed.layout.images.layerRecord(directory);
const file = () => join(bed.layout.images.layer(directory), 'file');
const bootOf = () => (JSON.parse(readFileSync(record(), 'utf8')) as {readonly boot?: string}).boot;
/** As a power loss leaves it: named, but never written. */
function loseContent(): void {
  rmSync(file());
  const {boot: _boot, ...rest} = JSON.parse(readFileSync(record(), 'utf8')) as {readonly boot?: string};
  writeFileSync(record(), JSON.stringify({...rest, boot: 'an earlier one'}));
}

/** A directory that is made a layer by a session that goes on. */
async function withMadeLayer(work: (name: string) => Promise<void>): Promise<void> {
  await using session = await openSession(bed.context);
  await using made = await session.layers.begin();
  writeFileSync(join(made.path, 'made'), 'content');
  await work((await made.keep(new AbortController().signal)).directory);
}

test('a layer counts only in the boot that made it, until it has reached the disk', async () => {
  let name = '';
  const read = () => JSON.parse(readFileSync(bed.layout.images.layerRecord(name), 'utf8')) as {readonly boot?: string};
  await withMadeLayer(async (directoryName) => {
    name = directoryName;
    expect(read().boot).toBe(readBootId());
    await using other = await openSession(bed.context);
    expect(await other.layers.has(name)).toBe(true);
    // Whoever uses it sees to it, too.
    expect(await other.layers.settle()).toBe(true);
    expect(read().boot).toBeUndefined();
    expect(await other.layers.settle()).toBe(false);
  });
  expect(read().boot).toBeUndefined();
  writeFileSync(bed.layout.images.layerRecord(name), JSON.stringify({...read(), boot: 'an earlier one'}));
  await using later = await openSession(bed.context);
  expect(await later.layers.has(name)).toBe(false);
});

test('an image is there once its layers have reached the disk', async () => {
  await bed.load(archive);
  expect(bootOf()).toBeUndefined();
  expect(existsSync(file())).toBe(true);
});

test('what a power loss has left of a layer is unpacked again', async () => {
  await bed.load(archive);
  const kept = bed.layout.images.record(image.id);
  const name = bed.layout.images.reference('docker.io/library/settled:latest');
  const texts = [kept, name].map((path) => [path, readFileSync(path)] as const);
  for (const [path] of texts) rmSync(path);
  loseContent();
  await bed.load(archive);
  expect(readFileSync(file(), 'utf8')).toBe('content');
  expect(bootOf()).toBeUndefined();
});

test('what an image has was on the disk before the image was', async () => {
  await bed.load(archive);
  const text = readFileSync(record(), 'utf8');
  writeFileSync(record(), JSON.stringify({...JSON.parse(text), boot: 'an earlier one'}));
  await using session = await openSession(bed.context);
  expect(await session.layers.has(directory)).toBe(true);
});
