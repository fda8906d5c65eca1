import {expect, it} from 'vitest';
import type {LogChunk} from '../../src/client/logs.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

async function collect(log: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const chunks: LogChunk[] = [];
  for await (const chunk of log) chunks.push(chunk);
  return chunks;
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
    const container = await target.run({Cmd: ['sh', '-c', 'echo one; sleep 0.3; echo two']});
    await container.wait();
    const [one, two] = await collect(await container.logs());
    expect(one?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const apart = Date.parse(two?.time ?? '') - Date.parse(one?.time ?? '');
    expect(apart).toBeGreaterThanOrEqual(290);
    expect(apart).toBeLessThan(5000);
  });

  it('are cut at their end and by time', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.05; done']});
    await container.wait();
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
    const container = await target.run({Cmd: ['sh', '-c', 'echo first; sleep 0.4; echo second; sleep 0.2; echo last']});
    const before = Date.now();
    const times: number[] = [];
    let text = '';
    for await (const {data} of await container.logs({follow: true})) {
      times.push(Date.now() - before);
      text += Buffer.from(data).toString();
    }
    expect(text).toBe('first\nsecond\nlast\n');
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300);
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
