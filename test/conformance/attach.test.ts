import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('attach before the start', (target) => {
  it('hands the input over, and its end', async () => {
    const container = await target.create({OpenStdin: true, StdinOnce: true, Cmd: ['sh', '-c', 'cat; echo over']});
    const stream = await container.attach({stdin: true});
    stream.stdin.end('typed early\n');
    await container.start();
    expect(await textOf(stream.output)).toBe('typed early\nover\n');
    expect(await container.wait()).toEqual({StatusCode: 0});
  });

  it('to a terminal gets its first words, and may type', async () => {
    const container = await target.create({
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      Cmd: ['sh', '-c', 'stty -echo; printf "name? "; read x; echo "hello $x"'],
    });
    const stream = await container.attach({stdin: true});
    const [output] = await Promise.all([
      (async () => {
        let text = '';
        for await (const {data} of stream.output) {
          text += Buffer.from(data).toString();
          if (text === 'name? ') stream.stdin.write('you\n');
        }
        return text;
      })(),
      container.start(),
    ]);
    expect(output).toBe('name? hello you\r\n');
  });

  it('may be of several at once, who all get everything', async () => {
    const container = await target.create({Cmd: ['sh', '-c', 'seq 1000; seq 2000 >&2']});
    const streams = await Promise.all([container.attach(), container.attach(), container.attach({stdout: true})]);
    const [first, second, third] = await Promise.all([
      ...streams.map(async ({output}) => (await textOf(output)).length),
      container.start(),
    ]);
    expect([first, second, third]).toEqual([3893 + 8893, 3893 + 8893, 3893]);
  });

  it('is to the next run where one has ended', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'echo run; exit 3']});
    await container.wait();
    for (const _run of ['second', 'third']) {
      const stream = await container.attach();
      await container.start();
      expect(await textOf(stream.output)).toBe('run\n');
      await container.wait();
    }
    expect(await textOf(await container.logs())).toBe('run\n'.repeat(3));
  });

  it('ends with a start that fails', async () => {
    const container = await target.create({Cmd: ['/there/is/no/such/program']});
    const stream = await container.attach();
    await expect(container.start()).rejects.toThrow('no such file or directory');
    expect(await textOf(stream.output)).toBe('');
  });

  it('may be given up', async () => {
    const container = await target.create({Cmd: ['sh', '-c', 'echo run']});
    (await container.attach()).close();
    await container.start();
    expect(await container.wait()).toEqual({StatusCode: 0});
  });
});

describeTargets('attach', (target) => {
  it('ends with the run, also where another follows', async () => {
    const container = await target.create({
      Cmd: ['sh', '-c', 'echo run; exit 1'],
      HostConfig: {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 2}},
    });
    const stream = await container.attach();
    await container.start();
    expect(await textOf(stream.output)).toBe('run\n');
    await expect.poll(async () => textOf(await container.logs())).toBe('run\n'.repeat(3));
  });

  it('is refused between two runs', async () => {
    const container = await target.run({Cmd: ['false'], HostConfig: {RestartPolicy: {Name: 'always'}}});
    const refusal = () =>
      container.attach().then(
        (stream) => stream.close(),
        (error: Error) => error.message,
      );
    await expect.poll(refusal).toBe(`container ${container.id} is restarting, wait until the container is running`);
  });

  it.each([
    ['a terminal', {Tty: true, OpenStdin: true, StdinOnce: true}],
    ['an input that stays open', {OpenStdin: true}],
  ])("to %s ends with the client's input, and the process goes on", async (_name, body) => {
    const container = await target.run({...body, Cmd: ['cat']});
    const stream = await container.attach({stdin: true});
    stream.stdin.end('x\n');
    await textOf(stream.output);
    expect((await container.inspect()).State.Running).toBe(true);
    await expectEcho(container);
  });

  it('of nothing ends at once', async () => {
    const container = await target.run();
    expect(await textOf((await container.attach({stdout: false})).output)).toBe('');
    // Its input is not open.
    expect(await textOf((await container.attach({stdin: true, stdout: false})).output)).toBe('');
    expect((await container.inspect()).State.Running).toBe(true);
  });

  it('with the log alone gets what was written so far', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'echo early; echo error >&2; sleep 1000']});
    await expect.poll(async () => (await textOf(await container.logs())).length).toBe(12);
    const stream = await container.attach({logs: true, stream: false, stderr: true});
    expect(await textOf(stream.output)).toBe('error\n');
  });

  it('loses nothing where the client is slow', async () => {
    const size = 12_000_000;
    const container = await target.create({Cmd: ['head', '-c', String(size), '/dev/zero']});
    const stream = await container.attach();
    await container.start();
    let read = 0;
    let pieces = 0;
    for await (const {data} of stream.output) {
      read += data.length;
      // Each takes as long as an engine takes for much of what is written here.
      if (pieces++ < 40) await container.inspect();
    }
    expect(read).toBe(size);
    expect(await container.wait()).toEqual({StatusCode: 0});
  });

  it('to a terminal may be let go of and taken up again', async () => {
    const container = await target.run({Tty: true, OpenStdin: true, StdinOnce: true, Cmd: ['cat']});
    const stream = await container.attach({stdin: true});
    stream.stdin.write('\x10\x11');
    await textOf(stream.output);
    await expectEcho(container);
  });

  it('without a terminal has no size to change', async () => {
    const container = await target.run();
    await container.resize({h: 10, w: 20});
    await container.kill();
    await container.wait();
    await expect(container.resize({h: 10, w: 20})).rejects.toMatchObject({
      kind: 'conflict',
      message: `container ${container.id} is not running`,
    });
  });

  async function expectEcho(container: Container): Promise<void> {
    const stream = await container.attach({stdin: true});
    stream.stdin.write('still there\n');
    for await (const {data} of stream.output) {
      if (Buffer.from(data).toString().includes('still there')) break;
    }
    stream.close();
  }
});

describeTargets('a client of an exec', (target) => {
  const terminal = {AttachStdin: true, AttachStdout: true, Tty: true};

  it('gets nothing that it did not ask for', async () => {
    const container = await target.run();
    const exec = await container.exec({Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 4']});
    expect(await textOf((await exec.start()).output)).toBe('');
    await expect.poll(async () => (await exec.inspect()).ExitCode).toBe(4);
  });

  it('lets go of a terminal by keys', async () => {
    const container = await target.run();
    const exec = await container.exec({
      ...terminal,
      Cmd: ['sh', '-c', 'echo ready; exec sleep 1001'],
      DetachKeys: 'ctrl-x,d',
    });
    const stream = await exec.start({Tty: true});
    let text = '';
    for await (const {data} of stream.output) {
      text += Buffer.from(data).toString();
      if (text.includes('ready')) stream.stdin.write('\x18d');
    }
    // It says that it is ready before it becomes what is looked for.
    await expect.poll(async () => (await container.top()).Processes.flat()).toContain('sleep 1001');
  });

  it.each(['control-x', 'ctrl-xy'])('is told of keys that are none: %s', async (DetachKeys) => {
    const container = await target.run();
    await expect(container.exec({...terminal, Cmd: ['true'], DetachKeys})).rejects.toThrow(
      `Invalid escape keys (${DetachKeys}) provided`,
    );
  });

  it('ends its connection to a terminal with its input, and the process goes on', async () => {
    const container = await target.run();
    const exec = await container.exec({...terminal, Cmd: ['cat']});
    const stream = await exec.start({Tty: true});
    stream.stdin.end('x\n');
    await textOf(stream.output);
    expect(await exec.inspect()).toMatchObject({Running: true, ExitCode: null});
  });

  it('that goes away takes no process with it, whose end is still known', async () => {
    const container = await target.run();
    const exec = await container.exec({Cmd: ['sh', '-c', 'read x; exit 9'], AttachStdin: true, AttachStdout: true});
    const stream = await exec.start();
    stream.close();
    await expect.poll(async () => (await exec.inspect()).ExitCode).toBe(9);
  });

  it('cannot start it twice', async () => {
    const container = await target.run();
    const exec = await container.exec({Cmd: ['true'], AttachStdout: true});
    await textOf((await exec.start()).output);
    await expect(exec.startDetached()).rejects.toMatchObject({
      kind: 'conflict',
      message: `exec command ${exec.id} has already run`,
    });
  });
});
