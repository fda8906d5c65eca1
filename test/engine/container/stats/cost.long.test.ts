import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Docker} from '../../../../src/client/docker.ts';
import {openTestEngine, type TestEngine} from '../../../conformance/builtin-engine.ts';
import {taggedArchive} from '../../../conformance/image.ts';

const image = 'tscompose-test/stats:busybox';
const count = 50;
let opened: TestEngine;

beforeAll(async () => {
  opened = await openTestEngine({encode: true});
  const {docker} = opened;
  await docker.followProgress(await docker.loadImage(taggedArchive(image)));
  for (let at = 0; at < count; at += 10) await Promise.all(Array.from({length: 10}, () => startOne(docker)));
}, 120_000);

afterAll(async () => {
  const {docker} = opened;
  for (const {Id} of await docker.listContainers({all: true})) await docker.getContainer(Id).remove({force: true});
  await docker.getImage(image).remove();
  await opened.close();
}, 120_000);

async function startOne(docker: Docker): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['sleep', '1000'],
    HostConfig: {NetworkMode: 'none'},
  });
  await container.start();
}

it('fifty streams of statistics cost at most 3 % of a processor', {timeout: 60_000}, async () => {
  const {docker} = opened;
  const stop = new AbortController();
  let samples = 0;
  const streams = (await docker.listContainers()).map(async ({Id}) => {
    for await (const _ of await docker.getContainer(Id).stats({abortSignal: stop.signal})) samples += 1;
  });
  // The first seconds pay for compiling the code.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const [before, samplesBefore] = [process.cpuUsage(), samples];
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const used = process.cpuUsage(before);
  const taken = samples - samplesBefore;
  stop.abort();
  await Promise.allSettled(streams);
  expect(streams).toHaveLength(count);
  expect(taken).toBeGreaterThan(count * 18);
  const share = (used.user + used.system) / 20_000_000;
  console.log(`50 streams: ${(share * 100).toFixed(2)} % of a processor, ${taken} samples`);
  expect(share).toBeLessThan(0.03);
});
