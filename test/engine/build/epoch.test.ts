import {createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import type {BuildBody} from '../../../src/api/types/build.ts';
import {openEngine} from '../../conformance/builtin-engine.ts';
import {makeHost} from '../../support/host.ts';
import {readTar} from '../../support/read-tar.ts';
import {imageArchive} from '../../support/test-images.ts';
import {readLayout} from './output-layout.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const epoch = 1_000_000_000;
const day = 86_400;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-epoch-'));
});
afterEach(() => rmSync(directory, {recursive: true}));

const text = `FROM busybox
COPY old new d/ /o/
RUN --network=none --mount=type=secret,id=when touch -d @$(cat /run/secrets/when) /made
WORKDIR /w
LABEL a=b
`;

/** Builds on a machine of its own on some day: clock, files of the context and what steps write are all of that day. */
async function buildOn(when: number, more: Partial<BuildBody>): Promise<void> {
  const context = join(directory, `context-${when}`);
  mkdirSync(join(context, 'd'), {recursive: true});
  for (const [name, time] of [['old', epoch - day] as const, ['new', when] as const, ['d/f', when] as const]) {
    writeFileSync(join(context, name), name);
    utimesSync(join(context, name), time, time);
  }
  await using host = await makeHost();
  const engine = await openEngine(host, () => when * 1000);
  try {
    for await (const _ of engine.images.load(createReadStream(imageArchive('busybox'))));
    const secrets = [{id: 'when', content: {base64: Buffer.from(String(when)).toString('base64')}}];
    await eventsOf(engine, plainBody(text, {context, secrets, tags: ['twice:1'], ...more}));
  } finally {
    await engine.close();
  }
}

const argument = {SOURCE_DATE_EPOCH: String(epoch)};

test('built on different days, an image is the same to the byte', async () => {
  const [one, other] = [join(directory, 'one.tar'), join(directory, 'other.tar')];
  const output = (path: string) => ({kind: 'oci', path, rewriteTimestamp: true}) as const;
  await buildOn(1_700_000_000, {arguments: argument, outputs: [output(one)]});
  await buildOn(1_700_000_000 + 40 * day, {arguments: argument, outputs: [output(other)]});
  expect(readFileSync(one).equals(readFileSync(other))).toBe(true);

  const layout = await readLayout(one);
  const [entry] = layout.entries;
  expect(entry.annotations).toMatchObject({'org.opencontainers.image.created': '2001-09-09T01:46:40Z'});
  const manifest = layout.document(entry);
  const config = layout.document(manifest.config);
  expect(config.created).toBe('2001-09-09T01:46:40Z');
  expect(config.history.slice(-4).map(({created}: {readonly created: string}) => created)).toEqual(
    Array.from({length: 4}, () => '2001-09-09T01:46:40Z'),
  );
  const layers = await Promise.all(manifest.layers.slice(-3).map(layout.layer));
  const times = Object.assign({}, ...layers) as Awaited<ReturnType<typeof layout.layer>>;
  const seconds = (name: string) => (times[name]?.mtime.getTime() ?? 0) / 1000;
  expect(seconds('o/old')).toBe(epoch - day);
  for (const name of ['o/new', 'o/f', 'o/', 'made', 'w/']) expect([name, seconds(name)]).toEqual([name, epoch]);
});

test('files alone have that time; without it, their own', async () => {
  const [set, own] = [join(directory, 'set.tar'), join(directory, 'own.tar')];
  await buildOn(1_700_000_000, {arguments: argument, outputs: [{kind: 'tar', path: set}]});
  const entries = await readTar(createReadStream(set));
  expect([...new Set(Object.values(entries).map(({mtime}) => mtime.getTime()))]).toEqual([epoch * 1000]);
  await buildOn(1_700_000_000, {outputs: [{kind: 'tar', path: own}]});
  expect((await readTar(createReadStream(own)))['o/new']?.mtime.getTime()).toBe(1_700_000_000_000);
});

test('it is a number of seconds', async () => {
  for (const wrong of ['context', '-1', '1e9', '9999999999999']) {
    const built = buildOn(1_700_000_000, {arguments: {SOURCE_DATE_EPOCH: wrong}});
    await expect(built).rejects.toMatchObject({
      kind: 'invalid',
      message: `build argument SOURCE_DATE_EPOCH: "${wrong}" is no number of seconds since 1970`,
    });
  }
});
