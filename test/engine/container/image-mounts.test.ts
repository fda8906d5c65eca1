import {afterAll, beforeAll, expect, test} from 'vitest';
import type {HostConfig} from '../../../src/api/types/container.ts';
import {layeredArchive} from '../../conformance/image.ts';
import {makeTar} from '../../support/archive.ts';
import {type Bed, makeBed} from './bed.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const mounted = (Source: string, ...targets: readonly string[]): {readonly HostConfig: HostConfig} => ({
  HostConfig: {Mounts: targets.map((Target) => ({Type: 'image', Source, Target}))},
});

async function load(reference: string): Promise<string> {
  const layers = ['lower', 'upper'].map((name) =>
    makeTar([
      {name: 'both', data: `${name} of ${reference}\n`},
      {name, data: ''},
    ]),
  );
  for await (const _ of bed.engine.images.load(layeredArchive(reference, layers), {
    signal: AbortSignal.timeout(60_000),
  }));
  return (await bed.engine.images.inspect(reference)).Id;
}

test('an image that is mounted is in use until the container goes', async () => {
  const Id = await load('held:1');
  const container = await bed.create(['true'], mounted('held:1', '/m'));
  const used = /conflict: .*is using its referenced image|image is being used by stopped container/;
  for (const name of ['held:1', Id]) await expect(bed.engine.images.remove(name)).rejects.toThrow(used);
  await bed.engine.images.prune({dangling: ['false']});
  await bed.engine.images.inspect('held:1');
  await bed.engine.containers.remove(container, {});
  await bed.engine.images.remove('held:1');
  await expect(bed.engine.images.inspect(Id)).rejects.toMatchObject({kind: 'notFound'});
});

test('the same image in two places, and inherited by another container', async () => {
  await load('twice:1');
  expect((await bed.run(['stat', '-c', '%a', '/m'], {...mounted('twice:1', '/m'), User: '7'})).output).toBe('755\n');
  const line = 'cat /m/both /n/both; ls /n; touch /n/x 2>&1';
  const seen = 'upper of twice:1\nupper of twice:1\nboth\nlower\nupper\ntouch: /n/x: Read-only file system\n';
  expect((await bed.run(['sh', '-c', line], mounted('twice:1', '/m', '/n'))).output).toBe(seen);
  const first = await bed.create(['true'], mounted('twice:1', '/m', '/n'));
  expect((await bed.run(['sh', '-c', line], {HostConfig: {VolumesFrom: [first]}})).output).toBe(seen);
  await bed.engine.containers.remove(first, {});
});

test('the built-in image has nothing to mount', async () => {
  const container = await bed.create(['true'], mounted('tscompose/host', '/m'));
  await expect(bed.engine.containers.start(container)).rejects.toMatchObject({
    kind: 'unsupported',
    message: 'image "tscompose/host" cannot be mounted: it has no files of its own',
  });
  await bed.engine.containers.remove(container, {});
});
