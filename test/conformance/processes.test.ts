import {expect, it} from 'vitest';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('attach', (target) => {
  it('before the start gets everything', async () => {
    const container = await target.create({Cmd: ['sh', '-c', 'echo out; echo err >&2; sleep 0.1; echo last']});
    const stream = await container.attach();
    const [output] = await Promise.all([textOf(stream.output), container.start()]);
    expect(output.split('\n').toSorted()).toEqual(['', 'err', 'last', 'out']);
  });

  it('passes the input on, and its end', async () => {
    const container = await target.run({
      OpenStdin: true,
      StdinOnce: true,
      Cmd: ['sh', '-c', 'cat; echo done; exit 6'],
    });
    const stream = await container.attach({stdin: true});
    stream.stdin.write('one\n');
    stream.stdin.end('two\n');
    expect(await textOf(stream.output)).toBe('one\ntwo\ndone\n');
    expect(await container.wait()).toMatchObject({StatusCode: 6});
  });

  it('carries what is larger than any buffer', async () => {
    const container = await target.run({OpenStdin: true, StdinOnce: true, Cmd: ['sha256sum']});
    const stream = await container.attach({stdin: true});
    const {createHash} = await import('node:crypto');
    const hash = createHash('sha256');
    for (let piece = 0; piece < 64; piece++) {
      const data = Buffer.alloc(64 * 1024, piece);
      hash.update(data);
      await new Promise((resolve) => stream.stdin.write(data, resolve));
    }
    stream.stdin.end();
    expect(await textOf(stream.output)).toBe(`${hash.digest('hex')}  -\n`);
  });

  it('may replay the log', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'echo early; read x; echo "got $x"'], OpenStdin: true});
    await expect.poll(async () => textOf(await container.logs())).toBe('early\n');
    const stream = await container.attach({stdin: true, logs: true});
    stream.stdin.write('it\n');
    expect(await textOf(stream.output)).toBe('early\ngot it\n');
  });

  it('lets the container go on when it is let go', async () => {
    const container = await target.run({OpenStdin: true, Cmd: ['cat']});
    const stream = await container.attach({stdin: true});
    stream.stdin.write('one\n');
    for await (const {data} of stream.output) {
      expect(Buffer.from(data).toString()).toBe('one\n');
      break;
    }
    stream.close();
    const again = await container.attach({stdin: true});
    again.stdin.write('two\n');
    for await (const {data} of again.output) {
      expect(Buffer.from(data).toString()).toBe('two\n');
      break;
    }
    again.close();
    expect((await container.inspect()).State.Running).toBe(true);
  });

  it('to a terminal echoes, and knows its size', async () => {
    const container = await target.run({
      Tty: true,
      OpenStdin: true,
      Cmd: ['sh', '-c', 'read x; stty size; echo "got $x"'],
    });
    const stream = await container.attach({stdin: true});
    await container.resize({h: 31, w: 97});
    stream.stdin.write('it\n');
    expect(await textOf(stream.output)).toBe('it\r\n31 97\r\ngot it\r\n');
  });
});

describeTargets('detach keys', (target) => {
  /** Writes back what it reads, as it is. */
  const echoing = async (tty: boolean) => {
    const Cmd = ['sh', '-c', `${tty ? 'stty raw -echo; ' : ''}echo ready; exec cat`];
    const container = await target.run({Tty: tty, OpenStdin: true, Cmd});
    await expect.poll(async () => textOf(await container.logs())).toContain('ready');
    return container;
  };

  it.each([
    ['those that everybody knows', undefined, '\x10\x11'],
    ['others, where they are asked for', 'ctrl-x,d', '\x18d'],
  ])('end a connection to a terminal, not its process: %s', async (_name, detachKeys, keys) => {
    const container = await echoing(true);
    const events = await target.docker.getEvents({filters: {container: [container.id], event: ['detach']}});
    const stream = await container.attach({stdin: true, detachKeys});
    stream.stdin.write('one ');
    let output = '';
    for await (const {data} of stream.output) {
      output += Buffer.from(data).toString();
      // In two pieces, the second with more: nothing of that is meant for the process.
      if (output !== 'one ') continue;
      stream.stdin.write(keys.slice(0, 1));
      stream.stdin.write(`${keys.slice(1)}two`);
    }
    expect(output).toBe('one ');
    for await (const {Action} of events) {
      expect(Action).toBe('detach');
      break;
    }
    expect((await container.inspect()).State.Running).toBe(true);
    const again = await container.attach({stdin: true});
    again.stdin.write('three');
    for await (const {data} of again.output) {
      expect(Buffer.from(data).toString()).toBe('three');
      break;
    }
    again.close();
  });

  it.each([
    ['where others are asked for', true, 'ctrl-x'],
    ['where there is no terminal', false, undefined],
  ])('are passed on %s', async (_name, tty, detachKeys) => {
    const container = await echoing(tty);
    const stream = await container.attach({stdin: true, detachKeys});
    stream.stdin.write('\x10\x11 on');
    let output = '';
    for await (const {data} of stream.output) {
      output += Buffer.from(data).toString();
      if (output.endsWith(' on')) break;
    }
    expect(output).toBe('\x10\x11 on');
    stream.close();
  });

  it('that are none are refused', async () => {
    const container = await echoing(true);
    await expect(container.attach({stdin: true, detachKeys: 'control-p'})).rejects.toMatchObject({
      kind: 'invalid',
      statusCode: 400,
    });
  });
});

describeTargets('exec', (target) => {
  it('runs a process in a container', async () => {
    const container = await target.run({Env: ['A=1'], WorkingDir: '/tmp'});
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'id -u; pwd; echo $A $B; hostname; echo err >&2; exit 9'],
      AttachStdout: true,
      AttachStderr: true,
      Env: ['B=2'],
      User: '12:34',
      WorkingDir: '/etc',
    });
    expect(exec.id).toMatch(/^[0-9a-f]{64}$/);
    expect(await exec.inspect()).toMatchObject({
      ID: exec.id,
      Running: false,
      ExitCode: null,
      ContainerID: container.id,
    });
    const stream = await exec.start();
    const [stdout, stderr] = await Promise.all([read(stream.stdout), read(stream.stderr)]);
    expect(stdout).toBe(`12\n/etc\n1 2\n${container.id.slice(0, 12)}\n`);
    expect(stderr).toBe('err\n');
    // The exit code is known once the output has ended.
    expect(await exec.inspect()).toMatchObject({Running: false, ExitCode: 9});
    const {ProcessConfig} = await exec.inspect();
    expect(ProcessConfig).toMatchObject({tty: false, entrypoint: 'sh', privileged: false, user: '12:34'});
  });

  it('passes the input on, and its end', async () => {
    const container = await target.run();
    const exec = await container.exec({Cmd: ['wc', '-c'], AttachStdin: true, AttachStdout: true});
    const stream = await exec.start();
    stream.stdin.end(Buffer.alloc(1_000_000));
    expect(await textOf(stream.output)).toBe('1000000\n');
  });

  it('has a terminal of a given size', async () => {
    const container = await target.run();
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'tty; stty size; read x; stty size'],
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
      ConsoleSize: [33, 66],
    });
    const stream = await exec.start({Tty: true, ConsoleSize: [33, 66]});
    let text = '';
    for await (const {data} of stream.output) {
      text += Buffer.from(data).toString();
      if (text !== '/dev/pts/0\r\n33 66\r\n') continue;
      await exec.resize({h: 20, w: 40});
      stream.stdin.write('\n');
    }
    expect(text).toBe('/dev/pts/0\r\n33 66\r\n\r\n20 40\r\n');
  });

  it('may run on its own', async () => {
    const container = await target.run();
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'until test -e /go; do sleep 0.05; done; echo made >/made; exit 2'],
    });
    await exec.startDetached();
    expect(await exec.inspect()).toMatchObject({Running: true, ExitCode: null});
    await (await container.exec({Cmd: ['touch', '/go']})).startDetached();
    await expect.poll(async () => (await exec.inspect()).ExitCode).toBe(2);
    const look = await container.exec({Cmd: ['cat', '/made'], AttachStdout: true});
    expect(await textOf((await look.start()).output)).toBe('made\n');
  });

  it.each([
    ['is not there', ['/no/such/program'], 127],
    ['may not be executed', ['/etc/hosts'], 126],
  ])('ends with a code of its own when the command %s', async (_, Cmd, code) => {
    const container = await target.run();
    const exec = await container.exec({Cmd, AttachStdout: true, AttachStderr: true});
    const stream = await exec.start();
    expect(await textOf(stream.output)).not.toBe('');
    expect(await exec.inspect()).toMatchObject({Running: false, ExitCode: code});
  });

  it('dies with its container', async () => {
    const container = await target.run();
    const exec = await container.exec({Cmd: ['sh', '-c', 'echo up; sleep 1000'], AttachStdout: true});
    const stream = await exec.start();
    let text = '';
    for await (const {data} of stream.output) {
      text += Buffer.from(data).toString();
      if (text === 'up\n') await container.kill();
    }
    expect(text).toBe('up\n');
    await container.wait();
    expect((await container.inspect()).State.Running).toBe(false);
  });

  it('is refused where it makes no sense', async () => {
    const created = await target.create();
    await expect(created.exec({Cmd: ['true']})).rejects.toMatchObject({kind: 'conflict'});
    const container = await target.run();
    await expect(container.exec({Cmd: []})).rejects.toMatchObject({kind: 'invalid'});
    const missing = target.docker.getExec('0'.repeat(64));
    await expect(missing.inspect()).rejects.toMatchObject({kind: 'notFound'});
    await expect(missing.start()).rejects.toMatchObject({kind: 'notFound'});
    const exec = await container.exec({Cmd: ['true'], AttachStdout: true});
    await textOf((await exec.start()).output);
    // An engine may say so with a status, or in the stream.
    const again = await exec.start().then(
      (stream) => textOf(stream.output),
      (error: {readonly kind: string}) => error.kind,
    );
    expect(again).toMatch(/conflict|has already run/);
  });

  it('runs many at once', async () => {
    const container = await target.run();
    const one = async (index: number) => {
      const exec = await container.exec({Cmd: ['sh', '-c', `echo ${index}; exit ${index}`], AttachStdout: true});
      const text = await textOf((await exec.start()).output);
      return [text, (await exec.inspect()).ExitCode];
    };
    const results = await Promise.all(Array.from({length: 10}, (_, index) => one(index)));
    expect(results).toEqual(Array.from({length: 10}, (_, index) => [`${index}\n`, index]));
  });
});

async function read(readable: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readable) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
