import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {toTscomposeError} from '../../src/base/errors.ts';
import type {Engine} from '../../src/engine/engine.ts';
import {openEngine} from '../conformance/builtin-engine.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {imageArchive, loadImages} from '../support/test-images.ts';

interface SmallRoot extends AsyncDisposable {
  readonly host: TestHost;
  readonly engine: Engine;
  /** Fails unless all that is left is the root itself, and the engine here. */
  checkEmpty(): Promise<void>;
}

function must(program: string, ...words: readonly string[]): void {
  const {status, stderr, error} = spawnSync(program, words, {encoding: 'utf8'});
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr || String(error)}`);
}

/** A root on a file system of its own, with room for an image and little else. */
async function makeSmallRoot(options: string): Promise<SmallRoot> {
  const host = await makeHost();
  mkdirSync(host.root);
  must('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', host.root);
  const engine = await openEngine(host);
  await loadImages(host, ['busybox']);
  return {
    host,
    engine,
    checkEmpty: () =>
      engine
        .close()
        .then(() =>
          eventually(() => expect(host.leftovers().filter((line) => !line.startsWith('mount '))).toEqual([])),
        ),
    async [Symbol.asyncDispose]() {
      await engine.close();
      must('umount', '-l', host.root);
      await host[Symbol.asyncDispose]();
    },
  };
}

const body = (...words: readonly string[]) => ({
  Image: 'busybox',
  Cmd: ['sh', '-c', ...words],
  HostConfig: {NetworkMode: 'none', Init: true, Binds: ['data:/data']},
});

const patient = 'trap "exit 7" TERM; while :; do sleep 0.1; done';

async function failure(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => {
      const {kind, message} = toTscomposeError(error);
      return `${kind}: ${message}`;
    },
  );
}

/** Takes all that is left, block by block and inode by inode. */
function fill({root}: TestHost): () => void {
  const directory = join(root, 'filler');
  mkdirSync(directory);
  for (const size of [64 * 1024, 1]) {
    for (let number = 0; number < 100_000; number++) {
      try {
        writeFileSync(join(directory, `${size}-${number}`), Buffer.alloc(size, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
  return () => rmSync(directory, {recursive: true});
}

test.each([
  ['blocks', 'size=12m'],
  ['inodes', 'size=200m,nr_inodes=700'],
])('a disk without free %s refuses what is new, and lets go what is there', async (_what, options) => {
  await using small = await makeSmallRoot(options);
  const {engine, host} = small;
  for (const name of ['running', 'ended']) await engine.containers.create(body(patient), {name});
  await engine.containers.start('running');
  const free = fill(host);

  expect(await failure(engine.containers.create(body(patient), {name: 'new'}))).toMatch(/^exhausted: .*no space left/);
  expect(await failure(engine.volumes.create({Name: 'new'}))).toMatch(/^exhausted: .*no space left/);
  const {code, stderr} = await host.tscompose(['load', '-q', '-i', imageArchive('quick')]);
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('no space left')]);

  const names = async () => (await engine.containers.list({all: true})).flatMap(({Names}) => Names).sort();
  expect(await names()).toEqual(['/ended', '/running']);
  await engine.containers.stop('running');
  const {State} = await engine.containers.inspect('running');
  expect([State.Status, State.ExitCode]).toEqual(['exited', 7]);
  await engine.containers.remove('ended');
  expect(await names()).toEqual(['/running']);

  free();
  await engine.containers.start('running');
  await engine.containers.create(body(patient), {name: 'new'});
  for (const name of ['running', 'new']) await engine.containers.remove(name, {force: true});
  await engine.volumes.remove('data');
  await small.checkEmpty();
});

test('a root that became read-only is told, and nothing is lost once it can be written again', async () => {
  await using host = await makeHost();
  mkdirSync(host.root);
  must('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', host.root);
  try {
    await loadImages(host, ['busybox']);
    const first = await openEngine(host);
    await first.containers.create(body('exit 7'), {name: 'ended'});
    await first.containers.start('ended');
    await first.containers.wait('ended', 'not-running');
    await first.close();
    // Nobody has a file open for writing.
    await eventually(() => must('mount', '-o', 'remount,ro', host.root));

    const engine = await openEngine(host);
    expect((await engine.containers.inspect('ended')).State).toMatchObject({Status: 'exited', ExitCode: 7});
    const requests = [
      () => engine.containers.create(body(patient), {name: 'new'}),
      () => engine.containers.start('ended'),
      () => engine.containers.remove('ended'),
      () => engine.volumes.create({Name: 'new'}),
      () => engine.networks.create({Name: 'new'}),
    ];
    for (const request of requests) expect(await failure(request())).toMatch(/^forbidden: .*read-only file system/i);
    await engine.close();

    must('mount', '-o', 'remount,rw', host.root);
    const last = await openEngine(host);
    expect((await last.containers.inspect('ended')).State).toMatchObject({Status: 'exited', ExitCode: 7});
    await last.containers.remove('ended');
    await last.volumes.remove('data');
    await last.close();
    await eventually(() => expect(host.leftovers().filter((line) => !line.startsWith('mount '))).toEqual([]));
  } finally {
    must('umount', '-l', host.root);
  }
});

test('a container goes on while there is no room for its log, and what is written later is whole', async () => {
  await using small = await makeSmallRoot('size=12m');
  const {engine, host} = small;
  const talks =
    'trap "exit 7" TERM; n=0; while :; do n=$((n+1)); echo "line $n"; echo $n > /dev/shm/n; sleep 0.01; done';
  await engine.containers.create(body(talks), {name: 'talks'});
  await engine.containers.start('talks');
  const {Id, State} = await engine.containers.inspect('talks');
  const said = () => Number(readFileSync(`/proc/${State.Pid}/root/dev/shm/n`, 'utf8'));
  await eventually(() => expect(said()).toBeGreaterThan(10));
  const free = fill(host);
  const full = said();
  await eventually(() => expect(said()).toBeGreaterThan(full + 200));
  free();
  const again = said();
  await eventually(() => expect(said()).toBeGreaterThan(again + 50));
  await engine.containers.stop('talks');

  const lines = readFileSync(join(host.root, 'containers', Id, 'json.log'), 'utf8')
    .trimEnd()
    .split('\n');
  const numbers = lines.map((line) => Number((JSON.parse(line) as {log: string}).log.split(' ')[1]));
  expect(numbers[0]).toBe(1);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(numbers.at(-1)).toBeGreaterThan(again);
  await engine.containers.remove('talks');
  await engine.volumes.remove('data');
  await small.checkEmpty();
});

test('a clock that jumps, in either direction, changes no order and no outcome', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const day = 86_400_000;
  for (const [name, jump] of [
    ['ahead', day],
    ['behind', -day],
  ] as const) {
    const engine = await openEngine(host, () => Date.now() + jump);
    await engine.containers.create(body(patient), {name});
    await engine.containers.start(name);
    await engine.close();
  }
  const engine = await openEngine(host);
  expect((await engine.containers.list()).map(({Names}) => Names[0]).sort()).toEqual(['/ahead', '/behind']);
  for (const name of ['ahead', 'behind']) {
    const {Id} = await engine.containers.inspect(name);
    const {monitor} = JSON.parse(readFileSync(join(host.run, 'containers', Id, 'state.json'), 'utf8')) as {
      monitor: number;
    };
    process.kill(monitor, 'SIGKILL');
    await eventually(async () => expect((await engine.containers.inspect(name)).State.ExitCode).toBe(137));
    await engine.containers.start(name);
    const removed = engine.containers.wait(name, 'removed');
    await engine.containers.remove(name, {force: true});
    expect((await removed).StatusCode).toBe(137);
  }
  await engine.volumes.remove('data');
  await engine.close();
  await eventually(() => expect(host.leftovers()).toEqual([]));
});
