import {existsSync, statSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {Docker} from '../../src/client/docker.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {type LongCommand, startCommand} from '../support/watching.ts';

/** `engine serve`, once it listens at so many places. */
async function serve(host: TestHost, hosts: readonly string[] = []): Promise<LongCommand> {
  const command = startCommand(host, ['engine', 'serve', ...hosts.flatMap((address) => ['--host', address])]);
  await eventually(() =>
    expect(command.stdout().match(/^listening at /gm) ?? []).toHaveLength(Math.max(hosts.length, 1)),
  );
  return command;
}

test('a socket in the run directory is for root alone; an end by SIGTERM takes it away, and containers go on', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const socketPath = join(host.run, 'engine.sock');
  let id = '';
  {
    await using command = await serve(host);
    expect(command.stdout()).toBe(`listening at unix://${socketPath}\n`);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const docker = new Docker({socketPath});
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      HostConfig: {NetworkMode: 'none'},
    });
    id = container.id;
    await container.start();
    await docker.close();
    process.kill(command.pid, 'SIGTERM');
    expect(await command.exited).toBe(0);
    expect(command.stderr()).toBe('');
    expect(existsSync(socketPath)).toBe(false);
  }
  {
    await using command = await serve(host);
    const docker = new Docker({socketPath});
    expect((await docker.getContainer(id).inspect()).State.Running).toBe(true);
    await docker.getContainer(id).remove({force: true});
    await docker.close();
    expect(await command.interrupt()).toBe(0);
  }
  expect(host.leftovers()).toEqual([]);
});

test('it listens where it is told to, and not beside somebody else', async () => {
  await using host = await makeHost();
  const first = join(host.directory, 'first.sock');
  const second = join(host.directory, 'second.sock');
  {
    await using command = await serve(host, [`unix://${first}`, `unix://${second}`, 'tcp://127.0.0.1:2375']);
    for (const socketPath of [first, second]) {
      const docker = new Docker({socketPath});
      expect((await docker.version()).ApiVersion).toMatch(/^1\.\d+$/);
      await docker.close();
    }
    expect(await host.tscompose(['--host', 'tcp://127.0.0.1:2375', 'images', '--all', '-q'])).toMatchObject({code: 0});
    expect(await host.tscompose(['engine', 'serve', '--host', `unix://${first}`])).toMatchObject({
      code: 1,
      stderr: `error: cannot listen at ${first}: something else listens there\n`,
    });
    expect(await command.interrupt()).toBe(0);
  }
  expect([existsSync(first), existsSync(second)]).toEqual([false, false]);
});

test('a socket that nobody listens on any more is replaced', async () => {
  await using host = await makeHost();
  const path = join(host.directory, 'left.sock');
  // Bound by a process that was killed: its file stays.
  const kill = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(await host.command(process.execPath, ['-e', kill])).toMatchObject({signal: 'SIGKILL'});
  expect(existsSync(path)).toBe(true);
  await using command = await serve(host, [`unix://${path}`]);
  expect(await command.interrupt()).toBe(0);
});

test('wrong use is told, and who would have the machine by an address is refused', async () => {
  await using host = await makeHost();
  const failing = async (...words: string[]) => {
    const {code, stdout, stderr} = await host.tscompose(words);
    return {code, text: `${stdout}${stderr}`};
  };
  expect(await failing('engine')).toEqual({
    code: 64,
    text: 'error: "engine" needs to be told what to do\n(tscompose engine --help lists its commands)\n',
  });
  expect(await failing('engine', 'serv')).toEqual({
    code: 64,
    text: 'error: unknown command "engine serv" (did you mean "serve"?)\n(tscompose engine --help lists its commands)\n',
  });
  expect(await failing('engine', 'serve', 'now')).toMatchObject({code: 64});
  expect(await failing('--host', 'unix:///x', 'engine', 'serve')).toMatchObject({
    code: 64,
    text: expect.stringContaining('hint: write: tscompose engine serve --host unix:///x'),
  });
  for (const address of ['tcp://0.0.0.0:2375', 'tcp://10.1.2.3', 'tcp://[::]:2375']) {
    expect((await failing('engine', 'serve', '--host', address)).text).toContain(
      `cannot listen at ${address}: without TLS whoever reaches it would have this machine`,
    );
  }
  expect((await failing('engine', 'serve', '--host', 'ssh://there')).code).toBe(65);
});

test('of several places one that cannot be had ends it, and leaves none', async () => {
  await using host = await makeHost();
  const [free, taken] = [join(host.directory, 'free.sock'), join(host.directory, 'taken.sock')];
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(taken, resolve));
  try {
    const result = await host.tscompose(['engine', 'serve', '--host', `unix://${free}`, '--host', `unix://${taken}`]);
    expect(result).toMatchObject({code: 1, stderr: expect.stringContaining('something else listens there')});
    expect(existsSync(free)).toBe(false);
  } finally {
    other.close();
  }
});
