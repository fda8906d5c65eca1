import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {Engine} from '../../src/engine/engine.ts';
import {eventually} from '../support/host.ts';
import {makeFaultBed} from './faults/bed.ts';
import type {Call} from './faults/calls.ts';

const create = (body: object): Call => ['containers', 'create', body, {name: 'victim'}];
const start: Call = ['containers', 'start', 'victim'];

const counting = 'n=0; while :; do n=$((n+1)); echo $n > /dev/shm/n; sleep 0.01; done';

/** A disk of its own that can be made to answer nobody who writes. */
class Disk implements Disposable {
  readonly mount: string;

  constructor(directory: string) {
    this.mount = join(directory, 'disk');
    mkdirSync(this.mount);
    writeFileSync(`${this.mount}.image`, Buffer.alloc(8 * 1024 * 1024));
    must('mkfs.ext4', '-q', '-F', `${this.mount}.image`);
    must('mount', '-o', 'loop', `${this.mount}.image`, this.mount);
  }

  freeze(): void {
    must('fsfreeze', '--freeze', this.mount);
  }

  thaw(): void {
    must('fsfreeze', '--unfreeze', this.mount);
  }

  [Symbol.dispose](): void {
    // Whatever failed: a process that waits for it could not be killed.
    spawnSync('fsfreeze', ['--unfreeze', this.mount]);
    must('umount', '-l', this.mount);
  }
}

function must(program: string, ...words: readonly string[]): void {
  const {status, stderr, error} = spawnSync(program, words, {encoding: 'utf8'});
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr || String(error)}`);
}

/** A number that the container wrote down, 0 before the first. */
async function saidBy(engine: Engine): Promise<number> {
  const {Pid} = (await engine.containers.inspect('victim')).State;
  const path = `/proc/${Pid}/root/dev/shm/n`;
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
}

async function says(engine: Engine, words: readonly string[]): Promise<string> {
  const {Id} = await engine.execs.create('victim', {Cmd: words, AttachStdout: true});
  const started = await engine.execs.start(Id, {detach: false});
  let text = '';
  if (started !== undefined) for await (const {data} of started.output) text += Buffer.from(data).toString();
  return text;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a disk that hangs while a log is written holds back who writes, and nobody else', async () => {
  await using bed = await makeFaultBed();
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', `trap "exit 7" TERM; yes & echo $! > /dev/shm/yes; ${counting}`],
    HostConfig: {NetworkMode: 'none'},
  };
  await bed.run({action: 'hold', roles: 'writer', calls: 'write', last: 1_000_000}, [create(body)], [start]);
  await bed.withEngine(async (engine) => {
    const yes = (await says(engine, ['cat', '/dev/shm/yes'])).trim();
    const written = async () => /^wchar: \d+$/m.exec(await says(engine, ['cat', `/proc/${yes}/io`]))?.[0];
    // Once pipes and the monitor hold what they can, it stands still while its neighbour goes on.
    await eventually(async () => {
      const [bytes, count] = [await written(), await saidBy(engine)];
      await eventually(async () => expect(await saidBy(engine)).toBeGreaterThan(count + 50));
      expect([bytes, await written()]).toEqual([expect.stringMatching(/ [1-9]/), bytes]);
    });
    const {Id} = await engine.containers.inspect('victim');
    // The writer may stand still at an event already, before there is a log.
    const log = join(bed.host.root, 'containers', Id, 'json.log');
    expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe('');
    await engine.containers.stop('victim', {timeoutSeconds: 60});
    expect((await engine.containers.inspect('victim')).State).toMatchObject({
      Status: 'exited',
      ExitCode: 7,
      Error: '',
    });
    await engine.containers.remove('victim');
  });
  await bed.checkUntouched('a log that hung');
});

const withoutDisks = existsSync('/dev/loop-control') ? '' : ' (not run: this machine has no loop devices)';

test.skipIf(withoutDisks !== '')(`a bind source that hangs keeps who waits, which is told${withoutDisks}`, async () => {
  await using bed = await makeFaultBed();
  using disk = new Disk(bed.host.directory);
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', `trap "exit 7" TERM; (echo x > /disk/file) & echo $! > /dev/shm/writes; ${counting}`],
    HostConfig: {NetworkMode: 'none', Binds: [`${disk.mount}:/disk`]},
  };
  await bed.withEngine(async (engine) => {
    await engine.containers.create(body, {name: 'victim'});
    disk.freeze();
    await engine.containers.start('victim');
    const before = await saidBy(engine);
    await eventually(async () => expect(await saidBy(engine)).toBeGreaterThan(before + 50));
    const writes = (await says(engine, ['cat', '/dev/shm/writes'])).trim();
    await eventually(async () => expect(await says(engine, ['cat', `/proc/${writes}/stat`])).toMatch(/^\d+ \(sh\) D /));
    expect(await says(engine, ['ls', '/disk'])).toBe('lost+found\n');

    const held = {
      kind: 'timeout',
      message: expect.stringMatching(
        /^container victim does not end: process \d+ in it was killed, and waits in the kernel for a file system that does not answer$/,
      ),
      hint: 'it ends as soon as the file system answers',
    };
    expect(await failure(engine.containers.stop('victim', {timeoutSeconds: 60}))).toMatchObject(held);
    expect(await failure(engine.containers.remove('victim', {force: true}))).toMatchObject(held);
    expect((await engine.containers.inspect('victim')).State).toMatchObject({Status: 'running', Running: true});

    disk.thaw();
    await eventually(async () =>
      expect((await engine.containers.inspect('victim')).State).toMatchObject({Status: 'exited', ExitCode: 7}),
    );
    await engine.containers.remove('victim');
  });
  await bed.checkUntouched('a bind source that hung');
});
