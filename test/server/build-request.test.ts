import {expect, test} from 'vitest';
import type {BuildBody} from '../../src/api/types/build.ts';
import {buildHandlers} from '../../src/server/handlers/build.ts';
import {fakeEngine} from './fake-engine.ts';

type Query = Parameters<ReturnType<typeof buildHandlers>['imageBuild']>[0]['query'];

/** What the engine is asked for by a request. */
async function asked(query: Query): Promise<Partial<BuildBody>> {
  let found: Partial<BuildBody> = {};
  const engine = fakeEngine({
    builds: {
      buildArchive({dockerfile: _, ...body}) {
        found = body;
        return nothing();
      },
    },
  });
  const {signal} = new AbortController();
  const answer = await buildHandlers(engine, '0.0.0').imageBuild({
    query,
    headers: {},
    params: {},
    body: nothing(),
    signal,
  } as never);
  for await (const _ of answer as unknown as AsyncIterable<unknown>);
  return found;
}

async function* nothing(): AsyncGenerator<never> {}

test('platforms and newer images', async () => {
  expect(await asked({platform: 'linux/amd64,linux/arm64', pull: '1'})).toMatchObject({
    platforms: ['linux/amd64', 'linux/arm64'],
    pull: true,
  });
  expect(await asked({platform: ''})).toMatchObject({platforms: []});
});

test('outputs of images', async () => {
  const outputs = JSON.stringify([
    {Type: 'image', Attrs: {push: 'true', compression: 'zstd', 'annotation.a': 'b,c'}},
    {Type: 'registry', Attrs: null},
  ]);
  expect((await asked({outputs})).outputs).toEqual([
    {kind: 'image', push: true, compression: 'zstd', annotations: [{of: 'manifest', key: 'a', value: 'b,c'}]},
    {kind: 'image', push: true},
  ]);
  for (const none of ['', '[]', 'null']) expect((await asked({outputs: none})).outputs).toEqual([]);
});

test.each([
  ['[{"Type":"tar","Attrs":{"dest":"/etc/x"}}]', 'output type=tar,dest=/etc/x: files cannot be written by a request'],
  ['[{"Type":"image","Attrs":{"store":"no"}}]', expect.stringContaining('"store" is not supported')],
  ['[{"Type":"moon"}]', 'output type=moon: there are no outputs of type "moon"'],
  ['{', 'parameter "outputs" is no JSON list of outputs'],
  ['{"Type":"image"}', 'parameter "outputs" is no JSON list of outputs'],
  ['[1]', expect.stringContaining('there are no outputs of type ""')],
  ['[null]', 'parameter "outputs" is no JSON list of outputs'],
])('outputs %s are refused', async (outputs, message) => {
  await expect(asked({outputs})).rejects.toMatchObject({message});
});
