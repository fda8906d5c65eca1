import {randomBytes} from 'node:crypto';
import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {dockerArchive, makeImage} from '../engine/image/bed.ts';
import {makeHost, type TestHost} from '../support/host.ts';
import {randomNumbers} from '../support/random.ts';
import {skopeo, startRegistry} from '../support/registry.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);
const kills = process.env['TSCOMPOSE_TEST_LEVEL'] === 'long' ? 60 : 8;
const layers = 4;
const layerBytes = 6_000_000;

/** An image of several layers that do not compress. */
function archiveOf(host: TestHost, name: string): string {
  const image = makeImage({
    layers: Array.from({length: layers}, (_, index) => [{name: `file-${index}`, data: randomBytes(layerBytes)}]),
  });
  const path = join(host.directory, 'image.tar');
  writeFileSync(path, dockerArchive([{image, tags: [name]}]));
  return path;
}

/** Ends a command with SIGKILL after so long, unless it was quicker. */
async function killed(host: TestHost, words: readonly string[], afterMs: number): Promise<void> {
  const done = new AbortController();
  const {signal} = done;
  await host.tscompose(words, {
    onSpawn: (process) =>
      void delay(afterMs, undefined, {signal}).then(
        () => process.kill('SIGKILL'),
        () => undefined,
      ),
  });
  done.abort();
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

test(`pulls and pushes that are killed at random moments (TSCOMPOSE_TEST_SEED=${seed})`, {
  timeout: 900_000,
}, async () => {
  const random = randomNumbers(seed);
  await using host = await makeHost();
  const within = ['nsenter', `--net=/run/netns/${host.namespace}`];
  await using registry = await startRegistry({within});
  const name = (path: string) => `${registry.host}/${path}`;
  const succeed = async (...words: string[]) => {
    const {code, stderr} = await host.tscompose(words);
    expect({words, code, stderr}).toEqual({words, code: 0, stderr: ''});
  };
  expect(
    await skopeo(
      [
        'copy',
        '--dest-tls-verify=false',
        `docker-archive:${archiveOf(host, 'busybox:1')}`,
        `docker://${name('source:1')}`,
      ],
      within,
    ),
  ).toMatchObject({code: 0});
  const remove = () => succeed('engine', 'rmi', '-f', name('source:1'));

  const pull = ['engine', 'pull', '-q', name('source:1')];
  const pullMs = await timed(() => succeed(...pull));
  for (let round = 0; round < kills; round += 1) {
    await remove();
    await killed(host, pull, random() * pullMs);
    await killed(host, pull, random() * pullMs);
    await succeed(...pull);
    await succeed('engine', 'fsck');
  }

  let pushed = 0;
  const target = () => name(`target-${pushed}:1`);
  const push = async () => {
    pushed += 1;
    await succeed('engine', 'tag', name('source:1'), target());
    return ['engine', 'push', '-q', target()];
  };
  const words = await push();
  const pushMs = await timed(() => succeed(...words));
  for (let round = 0; round < kills; round += 1) {
    // In a repository of its own nothing is there, but what another one has is taken over.
    const next = await push();
    await killed(host, next, random() * pushMs);
    await succeed(...next);
    const copy = [
      'copy',
      '--src-tls-verify=false',
      `docker://${target()}`,
      `dir:${join(host.directory, `copy-${pushed}`)}`,
    ];
    expect(await skopeo(copy, within)).toMatchObject({code: 0});
  }

  // What was interrupted leaves nothing once everything is removed.
  await succeed('engine', 'image', 'prune', '-a', '-f');
  const left = (path: string) => readdirSync(join(host.root, path));
  expect({
    blobs: left('images/oci/blobs/sha256'),
    ingests: left('images/ingest'),
    leases: left('images/leases'),
    pins: left('images/pins'),
    layers: left('layers').filter((directory) => !directory.startsWith('host-')),
  }).toEqual({blobs: [], ingests: [], leases: [], pins: [], layers: []});
});
