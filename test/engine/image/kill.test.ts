import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {build} from 'esbuild';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {temporaryPrefix} from '../../../src/engine/record-store.ts';
import {eventually, projectDirectory} from '../../support/host.ts';
import {dockerArchive, type ImageBed, makeImage, makeImageBed} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

/** A process that does nothing but load the archive, again and again under new names. */
async function writeLoader(): Promise<string> {
  const outfile = join(bed.directory, 'loader.mjs');
  await build({
    stdin: {
      contents: `
        import {createHelper} from './src/engine/helper/coprocess.ts';
        import {createImages} from './src/engine/image/images.ts';
        import {createLayout} from './src/engine/layout.ts';
        const [root, run, archive] = process.argv.slice(2);
        const layout = createLayout({root, run});
        const helper = createHelper({helperPath: process.env.TSCOMPOSE_HELPER ?? ${JSON.stringify(await bed.helper.path())}});
        const events = {append: async () => {}};
        const store = createImages({layout, helper, events, now: Date.now, users: async () => [], nodePath: process.execPath, architecture: 'x64', concurrency: 2});
        process.stdout.write('ready');
        for await (const line of store.images.load({path: archive}));
        await helper.close();`,
      resolveDir: projectDirectory,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    outfile,
    logLevel: 'silent',
    banner: {js: "import {createRequire as r} from 'node:module';const require=r(import.meta.url);"},
  });
  return outfile;
}

function start(program: string, archive: string): ChildProcess {
  const {root, run} = bed.layout;
  return spawn(process.execPath, [program, root, run, archive], {stdio: ['ignore', 'pipe', 'inherit']});
}

/** Nobody holds any. */
async function expectDeadLeases({helper, layout}: ImageBed): Promise<void> {
  for (const name of readdirSync(layout.images.leases)) {
    const lock = await helper.tryLock(join(layout.images.leases, name));
    expect(lock).toBeDefined();
    await lock?.[Symbol.asyncDispose]();
  }
}

test('a load that is killed anywhere leaves nothing that the next one does not clear or complete', {
  timeout: 600_000,
}, async () => {
  const layers = Array.from({length: 4}, (_unused, index) =>
    Array.from({length: 300}, (_nothing, file) => ({
      name: `layer${index}/${file}`,
      data: Buffer.alloc(8000, `${index}-${file}`),
    })),
  ).map((files, index) => [{name: './', type: '5'}, {name: `layer${index}/`, type: '5'}, ...files]);
  const image = makeImage({layers});
  const archive = join(bed.directory, 'archive.tar');
  writeFileSync(archive, dockerArchive([{image, tags: ['killed']}]));
  const program = await writeLoader();

  const whole = start(program, archive);
  await once(whole.stdout as NonNullable<typeof whole.stdout>, 'data');
  const begin = performance.now();
  await once(whole, 'close');
  let duration = performance.now() - begin;
  expect(whole.exitCode).toBe(0);
  const complete = bed.content();
  await bed.store.images.remove('killed');
  expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});

  let unfinished = 0;
  for (let round = 0; round < 12; round++) {
    const child = start(program, archive);
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    const started = performance.now();
    let took = Number.POSITIVE_INFINITY;
    child.once('exit', () => {
      took = performance.now() - started;
    });
    await delay((duration * (round + 0.5)) / 12);
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'close');
    // Its helper ends by itself a moment later, and with it its locks.
    await eventually(() => expectDeadLeases(bed));
    if (child.signalCode === 'SIGKILL') unfinished++;
    // The machine is less busy by now: later rounds would only be killed after their end.
    else duration = Math.min(duration, took);
    // What is there is whole: a name has its image, an image its layers.
    for (const {Id} of (await bed.store.images.list()).filter(
      ({RepoTags}) => !RepoTags.includes('tscompose/host:latest'),
    )) {
      await bed.store.root({id: Id});
    }
    const names = bed.content().references.filter((name) => !name.startsWith(temporaryPrefix));
    if (names.length > 0) await bed.store.resolve('killed');
    if (round % 3 === 2) {
      await bed.load({path: archive});
      expect(bed.content()).toEqual(complete);
      const {lowers} = await bed.store.root(await bed.store.resolve('killed'));
      const measured = await Promise.all(lowers.map((root) => bed.helper.request({kind: 'measureTree', root})));
      expect(measured.map(({bytes, entries}) => [bytes, entries])).toEqual(layers.map(() => [300 * 8000, 301]));
      await bed.store.images.remove('killed');
    }
  }
  expect(unfinished).toBeGreaterThan(4);
  await bed.load({path: archive});
  expect(bed.content()).toEqual(complete);
});
