import {existsSync, readdirSync, readlinkSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {WaitCondition, WaitResult} from '../../../src/api/types/container.ts';
import type {Attachment, LogChunk, LogOptions} from '../../../src/engine/engine.ts';
import {type Bed, eventually, makeBed, readAll} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

async function chunks(id: string, options: Partial<LogOptions> = {}, signal?: AbortSignal): Promise<LogChunk[]> {
  const seen: LogChunk[] = [];
  for await (const some of bed.engine.containers.logs(id, {stdout: true, stderr: true, ...options}, signal))
    seen.push(...some);
  return seen;
}

/** What this program has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The directory that was just read.
      return '';
    }
  });
}

/** Returns once no exit from then on is missed. */
async function beginWait(id: string, condition: WaitCondition, signal?: AbortSignal) {
  let result: Promise<WaitResult> | undefined;
  await new Promise<void>((ready, fail) => {
    result = bed.engine.containers.wait(id, condition, signal, ready);
    result.catch(fail);
  });
  return {result: result as Promise<WaitResult>};
}

const lines = (seen: readonly LogChunk[]) => seen.map(({data}) => Buffer.from(data).toString().trimEnd());

describe('logs', () => {
  it('are read by stream, from the end, and between times', async () => {
    // Each line waits until the one before is in the log: two that are there at once have no order and the same time.
    const id = await bed.start(['sh', '-c', 'echo 1; read x; echo 2 >&2; read x; echo 3; read x; printf 4'], {
      OpenStdin: true,
    });
    const input = await bed.engine.containers.attach(id, {stdin: true, stdout: false, stderr: false});
    for (const count of [1, 2, 3]) {
      await eventually(async () => expect(await chunks(id)).toHaveLength(count));
      await input.write(Buffer.from('\n'));
    }
    await bed.engine.containers.wait(id, 'not-running');
    const all = await chunks(id);
    expect(all.map(({stream}) => stream)).toEqual(['stdout', 'stderr', 'stdout', 'stdout']);
    expect(await bed.logs(id)).toBe('1\n2\n3\n4');
    expect(lines(await chunks(id, {stdout: false}))).toEqual(['2']);
    expect(lines(await chunks(id, {tail: 2}))).toEqual(['3', '4']);
    expect(lines(await chunks(id, {tail: 0}))).toEqual([]);
    expect(lines(await chunks(id, {tail: 100}))).toEqual(['1', '2', '3', '4']);
    const [second = Number.NaN, third = Number.NaN] = all.slice(1, 3).map(({time = ''}) => {
      const [, whole, fraction] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)Z$/.exec(time) ?? [];
      return Date.parse(`${whole}Z`) / 1000 + Number(fraction);
    });
    // They may be of the same millisecond.
    const seconds = (second + third) / 2;
    expect(lines(await chunks(id, {since: seconds}))).toEqual(['3', '4']);
    expect(lines(await chunks(id, {until: seconds}))).toEqual(['1', '2']);
    await expect(chunks(id, {stdout: false, stderr: false})).rejects.toMatchObject({kind: 'invalid'});
    await bed.engine.containers.remove(id);
  });

  it('are followed to the end of the container, each line once', async () => {
    const id = await bed.start([
      'sh',
      '-c',
      'i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.02; done',
    ]);
    const seen = lines(await chunks(id, {follow: true}));
    expect(seen).toEqual(Array.from({length: 300}, (_, index) => `line ${index}`));
    // Of one that does not run there is nothing to wait for.
    expect(lines(await chunks(id, {follow: true, tail: 1}))).toEqual(['line 299']);
    await bed.engine.containers.remove(id);
  });

  it('are followed across rotation', async () => {
    const id = await bed.start(
      [
        'sh',
        '-c',
        'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && read x; done; sleep 0.2',
      ],
      {
        OpenStdin: true,
        HostConfig: {LogConfig: {Type: 'json-file', Config: {'max-size': '20k', 'max-file': '4'}}},
      },
    );
    // It is never more than a hundred lines ahead: what is behind by more files than are kept loses lines.
    const input = await bed.engine.containers.attach(id, {stdin: true, stdout: false, stderr: false});
    const seen: string[] = [];
    for await (const chunks of bed.engine.containers.logs(id, {stdout: true, stderr: true, follow: true}))
      for (const {data} of chunks) {
        const line = Buffer.from(data).toString().trimEnd();
        seen.push(line);
        if (/ (0|\d*00)$/.test(line)) await input.write(Buffer.from('\n'));
      }
    expect(existsSync(`${bed.layout.container(id).log}.1`)).toBe(true);
    expect(seen).toEqual(Array.from({length: 2000}, (_, index) => `line ${index}`));
    const kept = lines(await chunks(id));
    expect(kept.length).toBeGreaterThan(200);
    expect(kept).toEqual(seen.slice(-kept.length));
    expect(lines(await chunks(id, {tail: 300}))).toEqual(seen.slice(-300));
    await bed.engine.containers.remove(id);
  });

  it('stop at a signal', async () => {
    const id = await bed.start(['sh', '-c', 'echo one; sleep 100']);
    const stop = new AbortController();
    const following = chunks(id, {follow: true}, stop.signal);
    await delay(100);
    stop.abort();
    await expect(following).rejects.toMatchObject({name: 'AbortError'});
    await bed.engine.containers.remove(id, {force: true});
  });

  it('of the driver "none" are not kept', async () => {
    const id = await bed.start(['echo', 'x'], {HostConfig: {LogConfig: {Type: 'none'}}});
    await bed.engine.containers.wait(id, 'not-running');
    await expect(chunks(id)).rejects.toMatchObject({kind: 'unsupported'});
    await bed.engine.containers.remove(id);
  });
});

describe('attach', () => {
  it('carries input and output, each direction closed on its own', async () => {
    const id = await bed.start(['sh', '-c', 'read line; echo got $line; cat; echo end >&2'], {
      OpenStdin: true,
      StdinOnce: true,
    });
    const attachment = await bed.engine.containers.attach(id, {stdin: true, stdout: true, stderr: true});
    await attachment.write(Buffer.from('one\ntwo\n'));
    await attachment.closeInput();
    expect(await readAll(attachment)).toBe('got one\ntwo\nend\n');
    expect(await bed.engine.containers.wait(id, 'not-running')).toEqual({StatusCode: 0});
    // It does not run: this one waits for a next run, until there can be none.
    const next = await bed.engine.containers.attach(id, {stdin: false, stdout: true, stderr: true});
    await bed.engine.containers.remove(id);
    expect(await readAll(next)).toBe('');
  });

  it('loses nothing of what was written where the input ends after the process did', async () => {
    const id = await bed.start(['sh', '-c', 'read line; echo got $line'], {OpenStdin: true, StdinOnce: true});
    const attachment = await bed.engine.containers.attach(id, {stdin: true, stdout: true, stderr: true});
    await attachment.write(Buffer.from('one\n'));
    await bed.engine.containers.wait(id, 'not-running');
    await attachment.closeInput();
    expect(await readAll(attachment)).toBe('got one\n');
    await bed.engine.containers.remove(id);
  });

  it('replays the log, detaches, and changes the terminal’s size', async () => {
    const id = await bed.start(['sh', '-c', 'trap "stty size; exit" TERM; echo before; while :; do sleep 0.1; done'], {
      Tty: true,
      OpenStdin: true,
    });
    await eventually(async () => expect(await bed.logs(id)).toContain('before'));
    const first = await bed.engine.containers.attach(id, {stdin: false, stdout: true, stderr: true, logs: true});
    await bed.engine.containers.resize(id, {height: 33, width: 77});
    first.detach();
    expect((await bed.state(id)).Running).toBe(true);
    const second = await bed.engine.containers.attach(id, {stdin: false, stdout: true, stderr: true, logs: true});
    const output = readAll(second);
    await bed.engine.containers.kill(id, 'TERM');
    expect((await output).replaceAll('\r', '')).toBe('before\n33 77\n');
    await bed.engine.containers.remove(id, {force: true});
  });
});

describe('exec', () => {
  it('runs a further process, with its exit code, input, user, directory and variables', async () => {
    const id = await bed.start(['sleep', '100'], {Env: ['OF=container']});
    expect(await bed.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({
      code: 7,
      output: expect.stringContaining('out\n'),
    });
    expect(
      await bed.exec(id, ['sh', '-c', 'id -un; pwd; echo $OF $OWN $FROM_IMAGE $HOME'], {
        user: 'app',
        env: ['OWN=exec'],
        directory: '/tmp',
      }),
    ).toEqual({
      code: 0,
      output: 'app\n/tmp\ncontainer exec 1 /home/app\n',
    });
    expect(await bed.exec(id, ['cat'], {input: 'through\n'})).toEqual({code: 0, output: 'through\n'});
    expect(
      (
        await bed.exec(id, ['sh', '-c', 'tty; cat /proc/self/status | grep -E "CapEff|Seccomp:"'], {tty: true})
      ).output.replaceAll('\r', ''),
    ).toBe('/dev/pts/0\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n');
    await bed.engine.containers.remove(id, {force: true});
  });

  it('tells what cannot be executed, and keeps the code', async () => {
    const id = await bed.start(['sleep', '100']);
    const {Id} = await bed.engine.execs.create(id, {Cmd: ['nonsense'], AttachStdout: true});
    expect(await bed.engine.execs.inspect(Id)).toMatchObject({
      ID: Id,
      Running: false,
      ExitCode: null,
      ContainerID: id,
      ProcessConfig: {entrypoint: 'nonsense', arguments: []},
    });
    await expect(bed.engine.execs.start(Id, {detach: false})).rejects.toMatchObject({
      kind: 'notFound',
      exitCode: 127,
    });
    expect(await bed.engine.execs.inspect(Id)).toMatchObject({Running: false, ExitCode: 127});
    await expect(bed.engine.execs.start(Id, {detach: false})).rejects.toMatchObject({kind: 'conflict'});
    await expect(bed.engine.execs.create(id, {Cmd: []})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'No exec command specified',
    });
    await expect(bed.engine.execs.inspect('nope')).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such exec instance: nope',
    });
    await bed.engine.containers.remove(id, {force: true});
  });

  it('goes on detached, and its end is noticed', async () => {
    const id = await bed.start(['sleep', '100']);
    const {Id} = await bed.engine.execs.create(id, {
      Cmd: ['sh', '-c', 'until test -e /go; do sleep 0.05; done; echo done > /done; exit 4'],
    });
    expect(await bed.engine.execs.start(Id, {detach: true})).toBeUndefined();
    expect(await bed.engine.execs.inspect(Id)).toMatchObject({Running: true});
    expect((await bed.engine.containers.inspect(id)).ExecIDs).toEqual([Id]);
    await bed.exec(id, ['touch', '/go']);
    await eventually(async () =>
      expect(await bed.engine.execs.inspect(Id)).toMatchObject({Running: false, ExitCode: 4}),
    );
    expect((await bed.exec(id, ['cat', '/done'])).output).toBe('done\n');
    await bed.engine.containers.remove(id, {force: true});
  });

  it('ends with its container', async () => {
    const id = await bed.start(['sleep', '100']);
    const {Id} = await bed.engine.execs.create(id, {Cmd: ['sleep', '50'], AttachStdout: true});
    const attachment = (await bed.engine.execs.start(Id, {detach: false})) as Attachment;
    const output = readAll(attachment);
    await bed.engine.containers.kill(id);
    expect(await output).toBe('');
    expect(await bed.engine.execs.inspect(Id)).toMatchObject({Running: false});
    await bed.engine.containers.wait(id, 'not-running');
    await expect(bed.engine.execs.create(id, {Cmd: ['true']})).rejects.toMatchObject({
      kind: 'conflict',
      message: `container ${id} is not running`,
    });
    await bed.engine.containers.remove(id, {force: true});
  });

  it('carries megabytes both ways', async () => {
    const id = await bed.start(['sleep', '100']);
    const {Id} = await bed.engine.execs.create(id, {Cmd: ['cat'], AttachStdin: true, AttachStdout: true});
    const attachment = (await bed.engine.execs.start(Id, {detach: false})) as Attachment;
    const size = 8 * 1024 * 1024;
    const writing = (async () => {
      for (let sent = 0; sent < size; sent += 65536) await attachment.write(Buffer.alloc(65536, 'x'));
      await attachment.closeInput();
    })();
    let received = 0;
    for await (const {data} of attachment.output) received += data.length;
    await writing;
    expect(received).toBe(size);
    await bed.engine.containers.remove(id, {force: true});
  });
});

describe('wait', () => {
  it('answers at once for one that does not run', async () => {
    const id = await bed.create(['true']);
    expect(await bed.engine.containers.wait(id, 'not-running')).toEqual({StatusCode: 0});
    await bed.engine.containers.remove(id);
  });

  it('for the next exit is not satisfied by an earlier one', async () => {
    const id = await bed.start(['sh', '-c', 'test -e /ran && exit 5; touch /ran; exit 3']);
    expect(await bed.engine.containers.wait(id, 'not-running')).toEqual({StatusCode: 3});
    const next = await beginWait(id, 'next-exit');
    await bed.engine.containers.start(id);
    expect(await next.result).toEqual({StatusCode: 5});
    await bed.engine.containers.remove(id);
  });

  it('for the removal resolves after it', async () => {
    const id = await bed.start(['sh', '-c', 'exit 4']);
    const removed = await beginWait(id, 'removed');
    await bed.engine.containers.wait(id, 'not-running');
    await bed.engine.containers.remove(id);
    expect(await removed.result).toEqual({StatusCode: 4});
    await expect(bed.engine.containers.wait(id, 'removed')).rejects.toMatchObject({kind: 'notFound'});
  });

  it('ends with its signal', async () => {
    const id = await bed.start(['sleep', '100']);
    for (const condition of ['not-running', 'next-exit', 'removed'] as const) {
      const stop = new AbortController();
      const waiting = bed.engine.containers.wait(id, condition, stop.signal);
      await delay(50);
      stop.abort();
      await expect(waiting).rejects.toMatchObject({name: 'AbortError'});
    }
    await bed.engine.containers.remove(id, {force: true});
  });

  it('leaves the journal closed, also where runs began meanwhile', async () => {
    const id = await bed.start(['false'], {HostConfig: {RestartPolicy: {Name: 'always'}}});
    const stop = new AbortController();
    const waiting = await beginWait(id, 'removed', stop.signal);
    const restarts = async () => (await bed.engine.containers.inspect(id)).RestartCount;
    const before = await restarts();
    await eventually(async () => expect(await restarts()).toBeGreaterThan(before));
    expect(openFiles()).toContain(bed.layout.journal);
    stop.abort();
    await expect(waiting.result).rejects.toMatchObject({name: 'AbortError'});
    await eventually(async () => expect(openFiles()).not.toContain(bed.layout.journal));
    await bed.engine.containers.remove(id, {force: true});
  });

  it('is over with the run, also where the policy has it run again', async () => {
    const id = await bed.start(
      [
        'sh',
        '-c',
        'n=$(cat /n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /n; echo run $n; until test -e /go; do sleep 0.02; done; [ $n -lt 3 ] && exit 1; exit 0',
      ],
      {
        HostConfig: {RestartPolicy: {Name: 'on-failure'}},
      },
    );
    // It is waited for before the first run ends: the others are over in a moment.
    const first = await beginWait(id, 'not-running');
    await bed.exec(id, ['touch', '/go']);
    expect(await first.result).toEqual({StatusCode: 1});
    await eventually(async () => expect((await bed.state(id)).Status).toBe('exited'));
    expect(await bed.engine.containers.wait(id, 'not-running')).toEqual({StatusCode: 0});
    expect(await bed.logs(id)).toBe('run 1\nrun 2\nrun 3\n');
    expect((await bed.engine.containers.inspect(id)).RestartCount).toBe(2);
    await bed.engine.containers.remove(id);
  });
});
