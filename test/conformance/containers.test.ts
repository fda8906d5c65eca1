import {expect, it} from 'vitest';
import {textOf} from './output.ts';
import {describeTargets, skipUnsupported} from './targets.ts';

describeTargets('containers', (target) => {
  it('are created with what the image and the request say', async () => {
    const name = target.name('created');
    const container = await target.create({name, Env: ['A=b c'], WorkingDir: '/tmp', Labels: {x: 'y'}, Cmd: ['true']});
    expect(container.id).toMatch(/^[0-9a-f]{64}$/);
    const found = await container.inspect();
    expect(found).toMatchObject({Id: container.id, Name: `/${name}`, Path: 'true', Args: [], RestartCount: 0});
    expect(found.Image).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(found.Created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    expect(found.State).toMatchObject({
      Status: 'created',
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: 0,
      Error: '',
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    });
    expect(found.Config).toMatchObject({
      Hostname: container.id.slice(0, 12),
      Image: target.image,
      Cmd: ['true'],
      WorkingDir: '/tmp',
      Tty: false,
      Labels: {x: 'y'},
    });
    expect(found.Config.Env).toContain('A=b c');
    expect(found.Config.Env?.find((one) => one.startsWith('PATH='))).toBeDefined();
  });

  it('are found by id, by a prefix of it, and by name', async () => {
    const name = target.name('found');
    const container = await target.create({name});
    for (const reference of [container.id, container.id.slice(0, 12), name, `/${name}`]) {
      expect((await target.docker.getContainer(reference).inspect()).Id).toBe(container.id);
    }
  });

  it('that are not there are not found', async () => {
    const missing = target.docker.getContainer(target.name('missing'));
    const calls = [
      missing.inspect(),
      missing.start(),
      missing.stop(),
      missing.restart(),
      missing.kill(),
      missing.rename({name: target.name('other')}),
      missing.remove(),
      missing.wait(),
      missing.logs(),
      missing.attach(),
      missing.exec({Cmd: ['true']}),
      missing.resize({h: 1, w: 1}),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({status: 'rejected', reason: {kind: 'notFound', statusCode: 404}});
    }
    // Clients branch on this text.
    await expect(missing.inspect()).rejects.toThrow(/no such container/i);
  });

  it('need an image that is there', async () => {
    const create = target.create({Image: 'tscompose-test/missing:1'});
    await expect(create).rejects.toMatchObject({kind: 'notFound', message: expect.stringMatching(/no such image/i)});
  });

  it('have a name that no other has', async () => {
    const name = target.name('taken');
    const container = await target.create({name});
    await expect(target.create({name})).rejects.toMatchObject({kind: 'conflict', statusCode: 409});
    const other = await target.create({name: target.name('free')});
    await expect(other.rename({name})).rejects.toMatchObject({kind: 'conflict'});
    await container.remove();
    await other.rename({name});
    expect((await target.docker.getContainer(name).inspect()).Id).toBe(other.id);
  });

  it.each(['', '-dash', 'a b', 'a/b', 'ü'])('refuse the name "%s"', async (bad) => {
    const container = await target.create();
    await expect(container.rename({name: bad})).rejects.toMatchObject({kind: 'invalid'});
  });

  it('run, and know that they do', async () => {
    const container = await target.run();
    const {State} = await container.inspect();
    expect(State).toMatchObject({Status: 'running', Running: true, ExitCode: 0, FinishedAt: '0001-01-01T00:00:00Z'});
    expect(State.Pid).toBeGreaterThan(0);
    expect(Date.parse(State.StartedAt)).toBeGreaterThan(Date.now() - 60_000);
    await expect(container.start()).rejects.toMatchObject({kind: 'notModified', statusCode: 304});
    await container.remove({force: true});
    await expect(container.inspect()).rejects.toMatchObject({kind: 'notFound'});
  });

  it.each([0, 1, 42, 255])('end with exit code %d', async (code) => {
    const container = await target.run({Cmd: ['sh', '-c', `exit ${code}`]});
    expect(await container.wait()).toMatchObject({StatusCode: code});
    const {State} = await container.inspect();
    expect(State).toMatchObject({Status: 'exited', Running: false, Pid: 0, ExitCode: code});
    expect(Date.parse(State.FinishedAt)).toBeGreaterThanOrEqual(Date.parse(State.StartedAt));
    await container.start();
    expect(await container.wait()).toMatchObject({StatusCode: code});
  });

  it('keep their files over a restart', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'echo again >>/count; cat /count; sleep 1000']});
    await expect.poll(async () => textOf(await container.logs())).toBe('again\n');
    await container.restart({t: 0});
    await expect.poll(async () => textOf(await container.logs())).toBe('again\nagain\nagain\n');
  });

  it.each([
    ['is not there', ['/no/such/program'], 127],
    ['is not in the path', ['no-such-program'], 127],
    ['may not be executed', ['/etc/hosts'], 126],
  ])('do not start when the command %s', async (_, Cmd, code) => {
    const container = await target.create({Cmd});
    await expect(container.start()).rejects.toMatchObject({statusCode: expect.any(Number)});
    const {State} = await container.inspect();
    expect(State).toMatchObject({Running: false, ExitCode: code});
    expect(State.Error).not.toBe('');
  });

  it('see what they were given', async () => {
    const container = await target.run({
      Entrypoint: ['sh', '-c'],
      Cmd: ['id -u; id -g; id -G; pwd; hostname; echo "$A"; env | grep -c ^B'],
      User: '1000:1001',
      WorkingDir: '/made/here',
      Hostname: 'box',
      Env: ['A=1', 'A=2', 'B'],
      HostConfig: {GroupAdd: ['50']},
    });
    await container.wait();
    expect(await textOf(await container.logs())).toBe('1000\n1001\n1001 50\n/made/here\nbox\n2\n0\n');
  });

  it('end in their own time when they are stopped', async () => {
    const container = await target.run({
      Cmd: ['sh', '-c', 'trap "echo bye; exit 5" TERM; echo ready; sleep 1000 & wait'],
    });
    await expect.poll(async () => textOf(await container.logs())).toBe('ready\n');
    await container.stop({t: 30});
    expect((await container.inspect()).State).toMatchObject({Status: 'exited', ExitCode: 5});
    expect(await textOf(await container.logs())).toBe('ready\nbye\n');
    await expect(container.stop()).rejects.toMatchObject({kind: 'notModified'});
  });

  it('are killed when they do not end in time', async () => {
    const container = await target.run({Cmd: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']});
    await expect.poll(async () => textOf(await container.logs())).toBe('ready\n');
    const before = Date.now();
    await container.stop({t: 1});
    expect(Date.now() - before).toBeGreaterThanOrEqual(900);
    expect((await container.inspect()).State).toMatchObject({Status: 'exited', ExitCode: 137, OOMKilled: false});
  });

  it('are stopped by the signal that they state', async () => {
    const container = await target.run({
      StopSignal: 'SIGUSR1',
      Cmd: ['sh', '-c', 'trap "exit 7" USR1; trap "exit 8" INT; echo ready; sleep 1000 & wait'],
    });
    await expect.poll(async () => textOf(await container.logs())).toBe('ready\n');
    await container.stop();
    expect((await container.inspect()).State.ExitCode).toBe(7);
    await container.start();
    await expect.poll(async () => textOf(await container.logs())).toBe('ready\nready\n');
    await container.stop({signal: 'SIGINT'});
    expect((await container.inspect()).State.ExitCode).toBe(8);
  });

  it('are killed by any signal', async () => {
    const container = await target.run({Cmd: ['sleep', '1000'], HostConfig: {Init: true}});
    await expect(container.kill({signal: 'SIGNONSENSE'})).rejects.toMatchObject({kind: 'invalid'});
    await container.kill({signal: 'TERM'});
    expect(await container.wait()).toMatchObject({StatusCode: 143});
    await expect(container.kill()).rejects.toMatchObject({kind: 'conflict'});
    await container.start();
    await container.kill();
    expect(await container.wait()).toMatchObject({StatusCode: 137});
    await container.start();
    await container.kill({signal: '9'});
    expect(await container.wait()).toMatchObject({StatusCode: 137});
  });

  it('are restarted, also when they do not run', async () => {
    const container = await target.create();
    await container.restart();
    const first = (await container.inspect()).State;
    expect(first.Running).toBe(true);
    await container.restart({t: 0});
    const second = (await container.inspect()).State;
    expect(second.Running).toBe(true);
    expect(second.Pid).not.toBe(first.Pid);
    expect(Date.parse(second.StartedAt)).toBeGreaterThan(Date.parse(first.StartedAt));
  });

  it('are removed only when they do not run, unless by force', async () => {
    const container = await target.run();
    await expect(container.remove()).rejects.toMatchObject({kind: 'conflict'});
    await container.remove({force: true});
    await expect(container.remove()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('are waited for', async () => {
    const created = await target.create();
    expect(await created.wait()).toMatchObject({StatusCode: 0});
    const container = await target.run({Cmd: ['sh', '-c', 'trap "exit 9" TERM; echo ready; sleep 1000 & wait']});
    await expect.poll(async () => textOf(await container.logs())).toBe('ready\n');
    const waits = [container.wait(), container.wait({condition: 'next-exit'})];
    const removed = container.wait({condition: 'removed'});
    // Over a socket each call has its own connection: theirs must have arrived.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await container.stop();
    for (const wait of waits) expect(await wait).toMatchObject({StatusCode: 9});
    await container.remove();
    expect(await removed).toMatchObject({StatusCode: 9});
  });

  it('remove themselves when they were told to', async (context) => {
    const body = {Cmd: ['sh', '-c', 'sleep 0.5; exit 4'], HostConfig: {AutoRemove: true}};
    const container = await target.create(body).catch(skipUnsupported(context));
    const removed = container.wait({condition: 'removed'});
    await container.start();
    expect(await removed).toMatchObject({StatusCode: 4});
    await expect(container.inspect()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('come back after a failure as often as their policy says', async () => {
    const container = await target.create({
      Cmd: ['sh', '-c', 'echo run; exit 3'],
      HostConfig: {RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 2}},
    });
    await container.start();
    await expect.poll(async () => (await container.inspect()).State.Status).toBe('exited');
    expect(await container.inspect()).toMatchObject({RestartCount: 2, State: {ExitCode: 3}});
    expect(await textOf(await container.logs())).toBe('run\nrun\nrun\n');
  });

  it('do not come back when they were stopped', async () => {
    const container = await target.run({HostConfig: {RestartPolicy: {Name: 'always'}}});
    await container.stop();
    expect((await container.inspect()).State).toMatchObject({Status: 'exited', Restarting: false});
  });

  it('are as healthy as their probe', async () => {
    const probe = {Interval: 500_000_000, Timeout: 60_000_000_000, Retries: 1};
    const container = await target.run({Healthcheck: {Test: ['CMD-SHELL', 'echo looked; test -e /ok'], ...probe}});
    const health = async () => (await container.inspect()).State.Health;
    expect((await health())?.Status).toMatch(/starting|unhealthy/);
    await expect.poll(async () => (await health())?.Status).toBe('unhealthy');
    const exec = await container.exec({Cmd: ['touch', '/ok']});
    await exec.startDetached();
    await expect.poll(async () => (await health())?.Status).toBe('healthy');
    const last = (await health())?.Log.at(-1);
    expect(last).toMatchObject({ExitCode: 0, Output: 'looked\n'});
    const [summary] = await target.docker.listContainers({filters: {id: [container.id]}});
    expect(summary?.Status).toMatch(/^Up .* \(healthy\)$/);
  });
});
