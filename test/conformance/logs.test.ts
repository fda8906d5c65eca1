import {setTimeout as delay} from 'node:timers/promises';
import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import type {LogChunk} from '../../src/client/logs.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

async function collect(log: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const chunks: LogChunk[] = [];
  for await (const chunk of log) chunks.push(chunk);
  return chunks;
}

/**
 * Gives a container its next line of input once there are as many lines in its log as it was given, so that no two have
 * the same time, and waits for its end.
 */
async function answering(container: Container, count: number, apartMs: number): Promise<void> {
  const input = await container.attach({stdin: true, stdout: false, stderr: false});
  for (let given = 0; given < count; given++) {
    await expect.poll(async () => (await collect(await container.logs())).length).toBe(given + 1);
    await delay(apartMs);
    input.stdin.write('\n');
  }
  await container.wait();
  input.close();
}

describeTargets('logs', (target) => {
  it('tell standard output and error apart', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'echo one; echo two >&2; printf three']});
    await container.wait();
    expect(await textOf(await container.logs(), 'stdout')).toBe('one\nthree');
    expect(await textOf(await container.logs(), 'stderr')).toBe('two\n');
    expect(await textOf(await container.logs({stdout: true}))).toBe('one\nthree');
    expect(await textOf(await container.logs({stderr: true}))).toBe('two\n');
    await expect(container.logs({stdout: false, stderr: false})).rejects.toMatchObject({kind: 'invalid'});
  });

  it('are empty before the first start', async () => {
    const container = await target.create();
    expect(await textOf(await container.logs())).toBe('');
  });

  it('have the time of each line', async () => {
    const container = await target.run({OpenStdin: true, Cmd: ['sh', '-c', 'echo one; read x; echo two']});
    await answering(container, 1, 300);
    const [one, two] = await collect(await container.logs());
    expect(one?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const apart = Date.parse(two?.time ?? '') - Date.parse(one?.time ?? '');
    expect(apart).toBeGreaterThanOrEqual(290);
    expect(apart).toBeLessThan(50_000);
  });

  it('are cut at their end and by time', async () => {
    const container = await target.run({
      OpenStdin: true,
      Cmd: ['sh', '-c', 'for i in 1 2 3 4; do echo $i; read x; done; echo 5'],
    });
    await answering(container, 4, 10);
    expect(await textOf(await container.logs({tail: 2}))).toBe('4\n5\n');
    expect(await textOf(await container.logs({tail: 0}))).toBe('');
    expect(await textOf(await container.logs({tail: 'all'}))).toBe('1\n2\n3\n4\n5\n');
    const third = (await collect(await container.logs()))[2];
    const seconds = Date.parse(third?.time ?? '') / 1000;
    expect(await textOf(await container.logs({since: seconds}))).toBe('3\n4\n5\n');
    expect(await textOf(await container.logs({until: seconds}))).toBe('1\n2\n');
    expect(await textOf(await container.logs({since: seconds, tail: 1}))).toBe('5\n');
  });

  it('are followed until the container ends', async () => {
    const container = await target.run({
      OpenStdin: true,
      Cmd: ['sh', '-c', 'echo first; read x; echo second; read x; echo last'],
    });
    const input = await container.attach({stdin: true, stdout: false, stderr: false});
    let text = '';
    // A line that did not come while it runs would never be followed by another.
    for await (const {data} of await container.logs({follow: true})) {
      text += Buffer.from(data).toString();
      if (text === 'first\n' || text === 'first\nsecond\n') input.stdin.write('\n');
    }
    input.close();
    expect(text).toBe('first\nsecond\nlast\n');
    expect((await container.inspect()).State.Running).toBe(false);
  });

  it('keep long lines whole', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'yes x | head -n 50000 | tr -d "\\n"; echo; echo end']});
    await container.wait();
    const log = await textOf(await container.logs());
    expect(log.length).toBe(50_000 + 1 + 4);
    expect(log).toBe(`${'x'.repeat(50_000)}\nend\n`);
  });

  it('of a terminal are one stream', async () => {
    const long = 'yes y | head -n 20000 | tr -d "\\n"';
    const container = await target.run({
      Tty: true,
      Cmd: ['sh', '-c', `echo one; echo two >&2; ${long}; echo; printf end`],
    });
    await container.wait();
    const chunks = await collect(await container.logs());
    expect(chunks.every(({stream}) => stream === 'stdout')).toBe(true);
    const text = chunks.map(({data}) => Buffer.from(data).toString()).join('');
    expect(text).toBe(`one\r\ntwo\r\n${'y'.repeat(20_000)}\r\nend`);
    expect(chunks.every(({time}) => time.endsWith('Z'))).toBe(true);
  });

  it('lose nothing of a container that writes much', async () => {
    const container = await target.run({Cmd: ['seq', '1', '60000']});
    const followed = await textOf(await container.logs({follow: true}));
    const lines = followed.trimEnd().split('\n');
    expect(lines.length).toBe(60_000);
    expect(lines.every((line, index) => line === String(index + 1))).toBe(true);
  });
});
