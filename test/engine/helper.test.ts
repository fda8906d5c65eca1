import {access, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {callMonitor, isMonitorGone, openFrames, watchMonitor} from '../../src/engine/helper/control.ts';
import {createHelper, type Helper} from '../../src/engine/helper/coprocess.ts';
import {encodeFrame, frameTypes, readFrames} from '../../src/engine/helper/frames.ts';
import {locateHelper} from '../../src/engine/helper/locate.ts';
import {helperFailure} from '../../src/engine/helper/reply.ts';
import {eventually} from '../support/host.ts';

let directory: string;
const helpers: Helper[] = [];

function helper(): Helper {
  const created = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  helpers.push(created);
  return created;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tscompose-helper-'));
});
afterEach(async () => {
  await Promise.all(helpers.splice(0).map((one) => one.close()));
  await rm(directory, {recursive: true, force: true});
});

describe('coprocess', () => {
  it('says hello with the build that its streams start with', async () => {
    const one = helper();
    const {version, build, pid} = await one.request({kind: 'hello'});
    expect(version).toBe(1);
    expect(build).toBe(Buffer.from(await one.build()).toString('hex'));
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it('that is not there is told with a hint', async () => {
    await expect(locateHelper(join(directory, 'nothing'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: `TSCOMPOSE_HELPER names ${directory}/nothing, which is not a program that can be executed`,
    });
  });

  it('answers errors with kind, errno and step', async () => {
    const error = await helper()
      .request({kind: 'measureTree', root: join(directory, 'nothing')})
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({kind: 'notFound'});
    expect(helperFailure(error)?.errno).toBe('ENOENT');
  });

  it('measures and removes trees', async () => {
    await mkdir(join(directory, 'tree/a/b'), {recursive: true});
    await writeFile(join(directory, 'tree/a/file'), 'x'.repeat(5000));
    const one = helper();
    expect((await one.request({kind: 'measureTree', root: join(directory, 'tree')})).entries).toBeGreaterThanOrEqual(3);
    await one.request({kind: 'removeTree', root: directory, path: 'tree'});
    await expect(access(join(directory, 'tree'))).rejects.toMatchObject({code: 'ENOENT'});
  });

  it('fails what is under way when it dies', async () => {
    const one = helper();
    const {pid} = await one.request({kind: 'hello'});
    await one.lock(join(directory, 'lock'));
    const waiting = helper().lock(join(directory, 'lock'));
    await delay(50);
    const pending = one.lock(join(directory, 'lock'));
    process.kill(pid, 'SIGKILL');
    await expect(pending).rejects.toMatchObject({
      kind: 'internal',
      message: 'the native helper ended unexpectedly (SIGKILL)',
    });
    // Its locks are free.
    await (await waiting)[Symbol.asyncDispose]();
  });
});

describe('locks', () => {
  it('are given to everybody who waits, also where each takes the file away', async () => {
    const path = join(directory, 'lock');
    const one = helper();
    const first = await one.lock(path);
    const use = async (lock: AsyncDisposable) => {
      await rm(path, {force: true});
      await lock[Symbol.asyncDispose]();
    };
    // One after the other: a process that waits has what those before it have opened.
    const waiting: Promise<void>[] = [];
    for (let count = 0; count < 3; count++)
      await new Promise<void>((onWait) => waiting.push(one.lock(path, {onWait}).then(use)));
    await use(first);
    await Promise.all(waiting);
  });

  it('are held by one process at a time, in turn', async () => {
    const path = join(directory, 'lock');
    const [first, second] = [helper(), helper()];
    const held = await first.lock(path);
    let told = 0;
    const waiting = second.lock(path, {onWait: () => told++});
    expect(await second.tryLock(path)).toBeUndefined();
    expect(told).toBe(1);
    await held[Symbol.asyncDispose]();
    await using mine = await waiting;
    expect(mine).toBeDefined();
    expect(await first.tryLock(path)).toBeUndefined();
  });

  it('can be shared', async () => {
    const path = join(directory, 'lock');
    const [first, second] = [helper(), helper()];
    const shared = await first.lock(path, {mode: 'shared'});
    const also = await second.lock(path, {mode: 'shared'});
    expect(await second.tryLock(path)).toBeUndefined();
    await shared[Symbol.asyncDispose]();
    await also[Symbol.asyncDispose]();
    expect(await first.tryLock(path)).toBeDefined();
  });

  it('are given up by a signal, and free afterwards', async () => {
    const path = join(directory, 'lock');
    const [first, second] = [helper(), helper()];
    const held = await first.lock(path);
    const stop = new AbortController();
    const waiting = second.lock(path, {signal: stop.signal, onWait: () => stop.abort()});
    await expect(waiting).rejects.toMatchObject({kind: 'canceled'});
    await held[Symbol.asyncDispose]();
    expect(await first.tryLock(path)).toBeDefined();
  });

  it('are nobody’s when they were given up at the moment they became free', async () => {
    const path = join(directory, 'lock');
    const [first, second, third] = [helper(), helper(), helper()];
    for (let round = 0; round < 100; round++) {
      const held = await first.lock(path);
      const stop = new AbortController();
      let freed: PromiseLike<void> | undefined;
      const giveUp = () => {
        stop.abort();
        freed = held[Symbol.asyncDispose]();
      };
      await expect(second.lock(path, {signal: stop.signal, onWait: giveUp})).rejects.toMatchObject({kind: 'canceled'});
      await freed;
      const taken = await third.tryLock(path);
      expect(taken, `round ${round}`).toBeDefined();
      await taken?.[Symbol.asyncDispose]();
    }
  });

  it('are freed when the helper closes', async () => {
    const path = join(directory, 'lock');
    const first = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
    await first.lock(path);
    await first.close();
    expect(await helper().tryLock(path)).toBeDefined();
    await expect(first.request({kind: 'hello'})).rejects.toMatchObject({kind: 'canceled'});
  });

  it('go to each of fifty that ask at once', async () => {
    const path = join(directory, 'lock');
    const [first, second] = [helper(), helper()];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({length: 50}, async (_, index) => {
        await using held = await (index % 2 ? first : second).lock(path);
        expect(held).toBeDefined();
        most = Math.max(most, ++inside);
        await delay(1);
        inside -= 1;
      }),
    );
    expect(most).toBe(1);
  });
});

describe('control socket', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A monitor's side: answers one record with the bytes given, and keeps what came. */
  async function monitor(
    path: string,
    answer: Uint8Array | string,
    options: {readonly end?: boolean} = {},
  ): Promise<Buffer[]> {
    const received: Buffer[] = [];
    const server = createServer({allowHalfOpen: true}, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => (options.end === false ? socket.write(answer) : socket.end(answer)));
      socket.on('data', (data) => received.push(data as Buffer));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return received;
  }

  it('answers a line, or an error of its kind', async () => {
    const received = await monitor(join(directory, 'a'), '{"status":"running"}\n');
    expect(await callMonitor(join(directory, 'a'), {kind: 'state'})).toEqual({status: 'running'});
    expect(Buffer.concat(received).subarray(0, 4).toString()).toBe('TSOP');
    await monitor(
      join(directory, 'b'),
      '{"error":{"kind":"notFound","errno":"ENOENT","step":"execute \\"x\\"","message":"no x","exitCode":127}}\n',
    );
    await expect(callMonitor(join(directory, 'b'), {kind: 'state'})).rejects.toMatchObject({
      kind: 'notFound',
      message: 'no x',
      exitCode: 127,
    });
  });

  it('that nobody listens at is told apart', async () => {
    const gone = await callMonitor(join(directory, 'none'), {kind: 'state'}).catch((error: unknown) => error);
    expect(isMonitorGone(gone)).toBe(true);
    await monitor(join(directory, 'ends'), '');
    const ended = await callMonitor(join(directory, 'ends'), {kind: 'state'}).catch((error: unknown) => error);
    expect(isMonitorGone(ended)).toBe(true);
  });

  it('is reached by a path that is too long for an address', async () => {
    const deep = join(directory, 'd'.repeat(100));
    await mkdir(deep);
    const cwd = process.cwd();
    process.chdir(deep);
    try {
      await monitor('control.sock', '{"ok":true}\n');
    } finally {
      process.chdir(cwd);
    }
    expect(await callMonitor(join(deep, 'control.sock'), {kind: 'state'})).toEqual({ok: true});
  });

  it('is watched until its end, or the signal', async () => {
    await monitor(join(directory, 'a'), '{"n":1}\n{"n":2}\n');
    const seen = [];
    for await (const state of watchMonitor(join(directory, 'a'))) seen.push(state);
    expect(seen).toEqual([{n: 1}, {n: 2}]);
    await monitor(join(directory, 'b'), '{"n":1}\n', {end: false});
    const stop = new AbortController();
    await expect(
      (async () => {
        for await (const state of watchMonitor(join(directory, 'b'), stop.signal)) {
          expect(state).toEqual({n: 1});
          stop.abort();
        }
      })(),
    ).rejects.toMatchObject({name: 'AbortError'});
  });

  it('is not watched where the signal came while the connection was made', async () => {
    await monitor(join(directory, 'a'), '{"n":1}\n', {end: false});
    const stop = new AbortController();
    const first = watchMonitor(join(directory, 'a'), stop.signal).next();
    stop.abort();
    await expect(first).rejects.toMatchObject({name: 'AbortError'});
  });

  it('carries frames after the first line', async () => {
    const output = encodeFrame(frameTypes.stdout, Buffer.from('hello'));
    const exit = encodeFrame(frameTypes.exit, Buffer.from('{"exitCode":3}'));
    const received = await monitor(
      join(directory, 'a'),
      Buffer.concat([Buffer.from('{"ok":true,"pid":7}\n'), output, exit]),
    );
    const connection = await openFrames<{readonly pid: number}>(join(directory, 'a'), {
      kind: 'attach',
      stdin: true,
      stdout: true,
      stderr: true,
    });
    expect(connection.first.pid).toBe(7);
    await connection.write(encodeFrame(frameTypes.stdin, Buffer.from('input')));
    const frames = [];
    for await (const {type, payload} of connection.frames) frames.push([type, Buffer.from(payload).toString()]);
    expect(frames).toEqual([
      [1, 'hello'],
      [9, '{"exitCode":3}'],
    ]);
    connection.destroy();
    await eventually(() => expect(Buffer.concat(received).toString()).toContain('input'));
  });
});

describe('frames', () => {
  it('are the same however the bytes are cut', async () => {
    const bytes = Buffer.concat([
      encodeFrame(1, Buffer.from('abc')),
      encodeFrame(2),
      encodeFrame(1, Buffer.alloc(70_000, 'x')),
    ]);
    for (const size of [1, 3, 8, 1000, bytes.length]) {
      const cut = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const lengths = [];
      for await (const {type, payload} of readFrames(cut())) lengths.push([type, payload.length]);
      expect(lengths).toEqual([
        [1, 3],
        [2, 0],
        [1, 70_000],
      ]);
    }
  });
});
