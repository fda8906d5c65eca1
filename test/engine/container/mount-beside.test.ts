import {readdirSync, readFileSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {ContainerRecord} from '../../../src/engine/container/record.ts';
import {planStoppedRoot} from '../../../src/engine/container/root-plan.ts';
import {createHelper} from '../../../src/engine/helper/coprocess.ts';
import {startFilesProcess} from '../../../src/engine/helper/files-process.ts';
import {encodeOperations} from '../../../src/engine/helper/operations.ts';
import {type Bed, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

/** As where the monitor begins the next run just when its files were to be looked at between two. */
it('a run that begins meanwhile can still change and remove files of its image', async () => {
  const id = await bed.start(['sleep', '1000']);
  const paths = bed.layout.container(id);
  const record = JSON.parse(readFileSync(paths.config, 'utf8')) as ContainerRecord;
  const layers = readdirSync(bed.layout.images.layers);
  const lowers = layers.map((layer) => join(bed.layout.images.layers, layer));
  const plan = {paths, record, image: {lowers, operations: []}, volumes: new Map(), images: new Map()};
  const operations = planStoppedRoot(plan, {use: 'sync', rootless: false});
  const helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  try {
    await mkdir(paths.workBeside, {recursive: true});
    const request = {kind: 'fileStat', pid: 0, monitor: 0, operations: encodeOperations(operations)} as const;
    const {output, reply, gone} = await startFilesProcess(helper, {...request, path: '/bin/busybox', follow: 0});
    for await (const _ of output);
    await gone;
    expect(reply).toMatchObject({stat: {size: expect.any(Number)}});
  } finally {
    await helper.close();
  }
  expect(
    await bed.exec(id, ['sh', '-c', 'rm /bin/ls && chmod 700 /bin/cat && mv /bin/cp /bin/copy && echo whole']),
  ).toEqual({
    code: 0,
    output: 'whole\n',
  });
});
