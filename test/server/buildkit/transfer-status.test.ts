import {expect, test} from 'vitest';
import type {StatusUpdate} from '../../../src/server/buildkit/build-status.ts';
import {tellTransfer} from '../../../src/server/buildkit/transfer-status.ts';

async function* pieces(failing = false) {
  yield Buffer.alloc(10);
  yield Buffer.alloc(20);
  yield Buffer.alloc(30);
  if (failing) throw new Error('it is gone');
}

/** What is told of it, with a clock of its own: every look at it is 60 ms later. */
async function toldOf(name: string, archive: AsyncIterable<Uint8Array>) {
  const told: StatusUpdate[] = [];
  let time = 0;
  const now = () => {
    time += 60;
    return time;
  };
  let bytes = 0;
  const job = {ref: 'build', tell: (update: StatusUpdate) => void told.push(update)};
  const read = async () => {
    for await (const data of tellTransfer(archive, {name, job, now})) bytes += data.length;
  };
  const error = await read().catch((failure: Error) => failure.message);
  const vertexes = told.flatMap(({vertexes = []}) => vertexes);
  return {bytes, error, vertexes, statuses: told.flatMap(({statuses = []}) => statuses)};
}

test('what comes of a context is told as a vertex, with the bytes that have come', async () => {
  const {bytes, vertexes, statuses} = await toldOf('', pieces());
  expect(bytes).toBe(60);
  const [begun, ended] = vertexes;
  expect(begun).toMatchObject({name: '[internal] load build context'});
  expect(begun).not.toHaveProperty('completed');
  expect(ended).toMatchObject({digest: begun?.digest, completed: {seconds: 0}});
  expect(statuses.at(0)).toMatchObject({vertex: begun?.digest, id: 'transferring context:'});
  expect(statuses.at(-1)).toMatchObject({current: 60, completed: {seconds: 0}});
  expect(statuses.slice(0, -1).every(({completed}) => completed === undefined)).toBe(true);
  const other = await toldOf('more', pieces());
  expect(other.vertexes[0]?.name).toBe('[context more] load from client');
  expect(other.vertexes[0]?.digest).not.toBe(begun?.digest);
});

test('one that fails is told as that', async () => {
  const {error, vertexes} = await toldOf('', pieces(true));
  expect(error).toBe('it is gone');
  expect(vertexes.at(-1)).toMatchObject({error: 'it is gone', completed: {seconds: 0}});
});
