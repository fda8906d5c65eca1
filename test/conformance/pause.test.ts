import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

/** Ends by itself when it is told to, with 5; says hello to a hang-up. */
const patient = [
  'sh',
  '-c',
  'trap "exit 5" TERM; trap "echo hup" HUP; trap "exit 3" USR1; echo on; while :; do sleep 0.05; done',
];

describeTargets('a paused container', (target) => {
  it('does nothing, says so, and goes on', async () => {
    const container = await target.run({name: target.name('busy'), Cmd: ['sh', '-c', 'while :; do :; done']});
    const {Pid, StartedAt} = (await container.inspect()).State;
    await container.pause();
    expect((await container.inspect()).State).toMatchObject({
      Status: 'paused',
      Running: true,
      Paused: true,
      Restarting: false,
      Pid,
      ExitCode: 0,
      StartedAt,
    });
    expect(await listed(target, container)).toMatchObject({
      State: 'paused',
      Status: expect.stringMatching(/^Up .* \(Paused\)$/),
    });
    const before = await processorTime(container);
    expect(before).toBeGreaterThan(0);
    // Another one works on meanwhile.
    const other = await target.run({Cmd: ['sh', '-c', 'while :; do :; done']});
    await expect.poll(() => processorTime(other)).toBeGreaterThan(50e6);
    await other.remove({force: true});
    expect(await processorTime(container)).toBe(before);
    await container.unpause();
    expect((await container.inspect()).State).toMatchObject({Status: 'running', Paused: false, Running: true, Pid});
    await expect.poll(() => processorTime(container)).toBeGreaterThan(before);
    expect((await listed(target, container))?.Status).not.toContain('Paused');
    await container.remove({force: true});
  });

  it('is found by its status', async () => {
    const container = await target.run({Cmd: patient});
    const found = async (status: string) =>
      (await target.docker.listContainers({filters: {status: [status], id: [container.id]}})).length;
    expect(await found('paused')).toBe(0);
    await container.pause();
    expect(await found('paused')).toBe(1);
    expect(await found('running')).toBe(0);
    await container.remove({force: true});
  });

  it('refuses what needs it awake', async () => {
    const name = target.name('refuses');
    const container = await target.run({name, Cmd: patient});
    const {id} = container;
    const named = target.docker.getContainer(name);
    const exec = await container.exec({Cmd: ['echo', 'later'], AttachStdout: true});
    await expect.poll(async () => textOf(await container.logs())).toBe('on\n');
    await container.pause();
    const conflict = (message: string) => ({kind: 'conflict', statusCode: 409, message});
    await expect(named.pause()).rejects.toMatchObject(conflict(`Container ${id} is already paused`));
    await expect(named.attach()).rejects.toMatchObject(
      conflict(`container ${name} is paused, unpause the container before attach`),
    );
    await expect(named.exec({Cmd: ['true']})).rejects.toMatchObject(
      conflict(`Container ${name} is paused, unpause the container before exec`),
    );
    await expect(exec.start()).rejects.toMatchObject(
      conflict(`Container ${id} is paused, unpause the container before exec`),
    );
    await expect(named.start()).rejects.toMatchObject(conflict('cannot start a paused container, try unpause instead'));
    await expect(named.remove()).rejects.toMatchObject(
      conflict(`cannot remove container "${name}": container is paused and must be unpaused first`),
    );
    // What looks at it only works on.
    expect((await container.top()).Processes.length).toBeGreaterThan(0);
    expect(await textOf(await container.logs())).toBe('on\n');
    await container.rename({name: `${name}-too`});
    await container.unpause();
    const again = await container.exec({Cmd: ['echo', 'again'], AttachStdout: true});
    const stream = await again.start();
    const chunks: Buffer[] = [];
    for await (const {data} of stream.output) chunks.push(Buffer.from(data));
    expect(Buffer.concat(chunks).toString()).toBe('again\n');
    await container.remove({force: true});
  });

  it('has to run, or to be paused, or to be there', async () => {
    const container = await target.create({Cmd: patient});
    await expect(container.pause()).rejects.toMatchObject({
      kind: 'conflict',
      message: `container ${container.id} is not running`,
    });
    const notPaused = `Container ${container.id} is not paused`;
    await expect(container.unpause()).rejects.toThrow(notPaused);
    await container.start();
    await expect(container.unpause()).rejects.toThrow(notPaused);
    await container.remove({force: true});
    await expect(container.pause()).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
    await expect(container.unpause()).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
  });

  it('is stopped like any other', async () => {
    const container = await target.run({Cmd: patient});
    await expect.poll(async () => textOf(await container.logs())).toBe('on\n');
    await container.pause();
    await container.stop({t: 100});
    expect((await container.inspect()).State).toMatchObject({Status: 'exited', Paused: false, ExitCode: 5});
    await container.start();
    expect((await container.inspect()).State).toMatchObject({Status: 'running', Paused: false});
    await container.pause();
    await container.restart({t: 0});
    expect((await container.inspect()).State).toMatchObject({Status: 'running', Paused: false});
    await container.pause();
    await container.kill();
    expect(await container.wait()).toMatchObject({StatusCode: 137});
    await container.start();
    await container.pause();
    await container.remove({force: true});
  });

  it('is woken by a signal, but where it names another to stop it', async () => {
    const unnamed = await target.run({Cmd: patient});
    await expect.poll(async () => textOf(await unnamed.logs())).toBe('on\n');
    await unnamed.pause();
    await unnamed.kill({signal: 'HUP'});
    await expect.poll(async () => textOf(await unnamed.logs())).toBe('on\nhup\n');
    expect((await unnamed.inspect()).State).toMatchObject({Status: 'running', Paused: false});
    await unnamed.remove({force: true});
    const named = await target.run({Cmd: patient, StopSignal: 'USR1'});
    await expect.poll(async () => textOf(await named.logs())).toBe('on\n');
    await named.pause();
    await named.kill({signal: 'HUP'});
    expect((await named.inspect()).State).toMatchObject({Status: 'paused', Paused: true});
    await named.kill({signal: 'USR1'});
    expect(await named.wait()).toMatchObject({StatusCode: 3});
    await named.remove();
  });

  it('tells by events', async () => {
    const since = Date.now() / 1000 - 0.001;
    const container = await target.run({Cmd: patient});
    await expect.poll(async () => textOf(await container.logs())).toBe('on\n');
    await container.pause();
    await container.unpause();
    await container.pause();
    await container.stop({t: 100});
    await container.remove();
    const actions: string[] = [];
    const filters = {container: [container.id], type: ['container']};
    for await (const {Action} of await target.docker.getEvents({since, until: Date.now() / 1000 + 0.5, filters}))
      actions.push(Action);
    // Which of these comes first is not promised.
    expect(actions.slice(0, 6)).toEqual(['create', 'start', 'pause', 'unpause', 'pause', 'kill']);
    expect(actions.slice(6, -1).toSorted()).toEqual(['die', 'stop', 'unpause']);
    expect(actions.at(-1)).toBe('destroy');
  });

  it('is not probed meanwhile', async () => {
    const probed = {
      Cmd: patient,
      Healthcheck: {Test: ['CMD-SHELL', 'true'], Interval: 200e6, Timeout: 30e9, Retries: 1},
    };
    const container = await target.run(probed);
    const health = async () => (await container.inspect()).State.Health;
    await expect.poll(async () => (await health())?.Status).toBe('healthy');
    await container.pause();
    expect((await listed(target, container))?.Status).toMatch(/\(Paused\)$/);
    // Another one is probed several times meanwhile.
    const other = await target.run(probed);
    const {Log: before = []} = (await health()) ?? {};
    await expect.poll(async () => (await other.inspect()).State.Health?.Log.length).toBe(5);
    await other.remove({force: true});
    expect((await health())?.Log).toEqual(before);
    await container.unpause();
    await expect.poll(async () => (await health())?.Status).toBe('healthy');
    await expect.poll(async () => (await health())?.Log.at(-1)?.End ?? '').not.toBe(before.at(-1)?.End);
    expect((await health())?.FailingStreak).toBe(0);
    await container.remove({force: true});
  });
});

async function listed({docker}: Target, {id}: Container) {
  return (await docker.listContainers({all: true, filters: {id: [id]}}))[0];
}

async function processorTime(container: Container): Promise<number> {
  return (await container.stats({stream: false, oneShot: true})).cpu_stats.cpu_usage.total_usage;
}
