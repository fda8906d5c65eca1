import {createReadStream} from 'node:fs';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {startRegistry, type TestRegistry} from '../../support/registry.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let registry: TestRegistry;
const base = () => `${registry.host}/base:1`;

beforeAll(async () => {
  registry = await startRegistry();
  bed = await openTestEngine({encode: true});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
});

afterAll(async () => {
  await bed?.close();
  await registry?.[Symbol.asyncDispose]();
});

/** The registry has one that says `new`, and here is one that says `old`. */
beforeEach(async () => {
  for (const word of ['new', 'old']) {
    await eventsOf(bed.engine, plainBody(`FROM busybox\nLABEL word=${word}\n`, {tags: [base()]}));
    if (word === 'new')
      for await (const _ of bed.engine.registry.push({repository: `${registry.host}/base`, tag: '1', auth: {}}));
  }
});

async function wordOf(more: Parameters<typeof plainBody>[1]): Promise<string | undefined> {
  const events = await eventsOf(bed.engine, plainBody(`FROM ${base()}\nLABEL more=1\n`, more));
  const built = events.find((event) => event.kind === 'built');
  return (await bed.engine.images.inspect(built?.image ?? '')).Config?.Labels?.['word'];
}

test('images that are here are built upon, unless newer ones are asked for', async () => {
  expect(await wordOf({})).toBe('old');
  expect(await wordOf({pull: true})).toBe('new');
});

test('an image of the same stack is never looked for elsewhere', async () => {
  const ground = {kind: 'image', reference: base(), built: true} as const;
  const text = 'FROM ground\nLABEL more=1\n';
  const events = await eventsOf(bed.engine, plainBody(text, {contexts: {ground}, pull: true}));
  const built = events.find((event) => event.kind === 'built');
  expect((await bed.engine.images.inspect(built?.image ?? '')).Config?.Labels).toMatchObject({word: 'old'});
});

test('where the registry does not answer the build fails, though an image is here', async () => {
  const gone = '127.0.0.1:1/base:1';
  await eventsOf(bed.engine, plainBody('FROM busybox\nLABEL a=b\n', {tags: [gone]}));
  await expect(eventsOf(bed.engine, plainBody(`FROM ${gone}\n`, {pull: true}))).rejects.toMatchObject({
    kind: 'unavailable',
  });
  await expect(eventsOf(bed.engine, plainBody(`FROM ${gone}\n`))).resolves.toBeDefined();
});
