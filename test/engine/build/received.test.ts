import {createReadStream, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pack} from 'tar-stream';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {BuildClient, KeptByClient} from '../../../src/engine/engine.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {plainBody} from './plain-body.ts';

/** What is kept of what clients send, with clients that say how much it is. */
let bed: TestEngine;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
});

afterAll(async () => {
  await bed?.close();
});

const giga = 1024 ** 3;

function archiveOf(name: string): AsyncIterable<Uint8Array> {
  const archive = pack();
  archive.entry({name}, name);
  archive.finalize();
  return archive as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

/** Has one file, called by the key, and says that it has so many bytes. */
async function build(key: string, {bytes = 10, files = 1, state = key} = {}): Promise<{readonly before?: string}> {
  const told: {before?: string} = {};
  const kept: KeptByClient = {
    key,
    changes: async (before) => {
      if (before !== undefined) told.before = before;
      return {state, isSame: before === state, removed: [], files, bytes, archive: () => archiveOf(key)};
    },
  };
  const client: BuildClient = {
    contexts: new Map([['', {archive: () => archiveOf(key), kept: async () => kept}]]),
    secret: async () => undefined,
    agent: async () => undefined,
    credentials: async () => ({}),
  };
  const body = plainBody(`FROM busybox\nCOPY ${key} /\n`, {outputs: [{kind: 'tar', path: '/dev/null'}]});
  for await (const _ of bed.engine.builds.buildFor(body, client));
  return told;
}

const received = (...names: readonly string[]) => join(bed.host.root, 'build/received', ...names);
const names = () => readdirSync(received()).filter((name) => /^[0-9a-f]{32}$/.test(name));
const keptKeys = () => names().map((name) => readdirSync(received(name, 'data')).join());

test('has 4 GiB at most together, and none has more than half of it', async () => {
  await build('one', {bytes: 1.5 * giga});
  await build('two', {bytes: 1.5 * giga});
  await build('one', {bytes: 1.5 * giga});
  await build('three', {bytes: 1.5 * giga});
  expect(keptKeys().sort()).toEqual(['one', 'three']);
  await build('huge', {bytes: 2.5 * giga});
  await build('many', {files: 300_001});
  expect(keptKeys().sort()).toEqual(['one', 'three']);
  const {CachesDeleted} = await bed.engine.builds.prune({all: false, filters: {type: ['source.local']}});
  expect(CachesDeleted).toHaveLength(2);
  await bed.engine.builds.prune({all: true, filters: {}});
  expect(readdirSync(received())).toEqual([]);
});

test('is compared with what was told last, whatever characters that has, in the same boot alone', async () => {
  const state = 'a\nb\0c\r\n\n';
  expect(await build('odd', {state})).toEqual({});
  expect(await build('odd', {state})).toEqual({before: state});
  const [name = ''] = names();
  const text = readFileSync(received(name, 'state'), 'utf8');
  expect(text.endsWith(state)).toBe(true);
  // What another boot wrote may be lost: it was not synced.
  writeFileSync(received(name, 'state'), text.replace(/^.*\n/, 'another-boot\n'));
  writeFileSync(received(name, 'data/left'), '');
  expect(await build('odd', {state})).toEqual({});
  expect(existsSync(received(name, 'data/left'))).toBe(false);
});
