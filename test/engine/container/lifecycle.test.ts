import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as immediate} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {EngineEvent} from '../../../src/api/types/system.ts';
import {readMachine} from '../../../src/engine/container/machine.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const sleeper = ['sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'];

async function ready(id: string): Promise<void> {
  await eventually(async () => expect(await bed.logs(id)).toContain('ready'));
}

describe('a container', () => {
  it('runs to its end, with its output and exit code', async () => {
    expect(await bed.run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({code: 3, output: 'out\nerr\n'});
  });

  it('goes through created, running and exited', async () => {
    const id = await bed.create(sleeper);
    expect(await bed.state(id)).toMatchObject({
      Status: 'created',
      Running: false,
      Pid: 0,
      ExitCode: 0,
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    });
    await bed.engine.containers.start(id);
    const running = await bed.state(id);
    expect(running).toMatchObject({Status: 'running', Running: true, ExitCode: 0});
    expect(running.Pid).toBeGreaterThan(1);
    await expect(bed.engine.containers.start(id)).rejects.toMatchObject({kind: 'notModified'});
    await ready(id);
    await bed.engine.containers.stop(id);
    expect(await bed.state(id)).toMatchObject({Status: 'exited', Running: false, Pid: 0, ExitCode: 0, Error: ''});
    await expect(bed.engine.containers.stop(id)).rejects.toMatchObject({kind: 'notModified'});
    // And again.
    await bed.engine.containers.start(id);
    expect((await bed.state(id)).Running).toBe(true);
    await bed.engine.containers.remove(id, {force: true});
    await expect(bed.engine.containers.inspect(id)).rejects.toMatchObject({
      kind: 'notFound',
      message: `No such container: ${id}`,
    });
  });

  it('that does not stop by itself is killed after its time', async () => {
    const id = await bed.start(['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']);
    await bed.engine.containers.stop(id, {timeoutSeconds: 0});
    expect((await bed.state(id)).ExitCode).toBe(137);
    await bed.engine.containers.remove(id);
  });

  it('is stopped by the signal it asks for, or the one given', async () => {
    const words = ['sh', '-c', 'trap "exit 5" USR1; trap "exit 6" USR2; echo ready; while :; do sleep 0.1; done'];
    const id = await bed.start(words, {StopSignal: 'SIGUSR1'});
    await ready(id);
    await bed.engine.containers.stop(id);
    expect((await bed.state(id)).ExitCode).toBe(5);
    await bed.engine.containers.start(id);
    await eventually(async () => expect(await bed.logs(id)).toBe('ready\nready\n'));
    await bed.engine.containers.stop(id, {signal: 'usr2'});
    expect((await bed.state(id)).ExitCode).toBe(6);
    await bed.engine.containers.remove(id);
  });

  it('is killed by a signal', async () => {
    const id = await bed.start(['sleep', '100']);
    await bed.engine.containers.kill(id);
    expect(await bed.engine.containers.wait(id, 'not-running')).toEqual({StatusCode: 137});
    await expect(bed.engine.containers.kill(id)).rejects.toMatchObject({
      kind: 'conflict',
      message: `cannot kill container: ${id}: container ${id} is not running`,
    });
    await expect(bed.engine.containers.kill(id, 'SIGNOPE')).rejects.toMatchObject({
      kind: 'invalid',
      message: 'invalid signal: SIGNOPE',
    });
    await bed.engine.containers.remove(id);
  });

  it('is restarted', async () => {
    const id = await bed.start(['sh', '-c', 'echo $$ started; exec sleep 100'], {StopSignal: 'KILL'});
    const before = await bed.state(id);
    await bed.engine.containers.restart(id);
    const after = await bed.state(id);
    expect(after.Running).toBe(true);
    expect(after.Pid).not.toBe(before.Pid);
    expect(after.StartedAt > before.StartedAt).toBe(true);
    await bed.engine.containers.remove(id, {force: true});
  });

  it('that runs is not removed without force', async () => {
    const id = await bed.start(['sleep', '100'], {}, 'keep');
    await expect(bed.engine.containers.remove('keep')).rejects.toMatchObject({
      kind: 'conflict',
      message:
        'cannot remove container "keep": container is running: stop the container before removing or force remove',
    });
    await bed.engine.containers.remove(id, {force: true});
  });

  it('whose program does not exist says so, and can be removed', async () => {
    const id = await bed.create(['nonsense']);
    await expect(bed.engine.containers.start(id)).rejects.toMatchObject({kind: 'invalid', exitCode: 127});
    expect((await bed.state(id)).Running).toBe(false);
    expect(existsSync(bed.layout.container(id).run)).toBe(false);
    await bed.engine.containers.remove(id);
    const directory = await bed.create(['/etc']);
    await expect(bed.engine.containers.start(directory)).rejects.toMatchObject({kind: 'invalid', exitCode: 126});
    await bed.engine.containers.remove(directory);
  });

  it('leaves nothing', async () => {
    for (const {Id} of await bed.engine.containers.list({all: true}))
      await bed.engine.containers.remove(Id, {force: true, volumes: true});
    const {cgroups} = await readMachine();
    for (const mount of [...cgroups.v1, ...(cgroups.v2 ? [cgroups.v2] : [])].map((hierarchy) => hierarchy.mount)) {
      expect(existsSync(join(mount, bed.cgroupParent))).toBe(false);
    }
    expect(readdirSync(bed.layout.containers)).toEqual([]);
    expect(readdirSync(bed.layout.names)).toEqual([]);
    expect(readdirSync(join(bed.layout.run, 'containers'))).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(bed.base);
  });
});

describe('names', () => {
  it('are unique, found with and without a slash, and by id prefix', async () => {
    const id = await bed.create(['true'], {}, 'web');
    await expect(bed.create(['true'], {}, '/web')).rejects.toMatchObject({
      kind: 'conflict',
      message: `Conflict. The container name "/web" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    });
    for (const reference of ['web', '/web', id, id.slice(0, 12)])
      expect((await bed.engine.containers.inspect(reference)).Id).toBe(id);
    await expect(bed.create(['true'], {}, 'x')).rejects.toMatchObject({
      kind: 'invalid',
      message: 'Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    });
    await bed.engine.containers.rename('web', 'site');
    expect((await bed.engine.containers.inspect('site')).Name).toBe('/site');
    await expect(bed.engine.containers.inspect('web')).rejects.toMatchObject({kind: 'notFound'});
    const other = await bed.create(['true'], {}, 'web');
    await expect(bed.engine.containers.rename(other, 'site')).rejects.toMatchObject({kind: 'conflict'});
    await Promise.all([bed.engine.containers.remove('web'), bed.engine.containers.remove('site')]);
    const unnamed = await bed.create(['true']);
    expect((await bed.engine.containers.inspect(unnamed)).Name).toMatch(/^\/[a-z]+_[a-z]+$/);
    await bed.engine.containers.remove(unnamed);
  });

  it('go to one of eight that ask at once', async () => {
    const engines = await Promise.all(Array.from({length: 4}, () => bed.another()));
    const attempts = await Promise.allSettled(
      [...engines, ...engines].map((engine) =>
        engine.containers.create({Image: 'busybox', HostConfig: {NetworkMode: 'none'}}, {name: 'wanted'}),
      ),
    );
    expect(attempts.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({kind: 'conflict'});
    expect(await bed.engine.containers.list({all: true, filters: {name: ['wanted']}})).toHaveLength(1);
    expect(readdirSync(bed.layout.containers)).toHaveLength(1);
    await bed.engine.containers.remove('wanted');
  });
});

describe('eight processes at once', () => {
  it('start one container once, and stop it once', async () => {
    const engines = await Promise.all(Array.from({length: 8}, () => bed.another()));
    const id = await bed.create(sleeper);
    const starts = await Promise.allSettled(engines.map((engine) => engine.containers.start(id)));
    expect(starts.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    for (const start of starts)
      if (start.status === 'rejected') expect(start.reason).toMatchObject({kind: 'notModified'});
    await ready(id);
    const stops = await Promise.allSettled(engines.map((engine) => engine.containers.stop(id)));
    expect(stops.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    const removals = await Promise.allSettled(engines.map((engine) => engine.containers.remove(id, {force: true})));
    expect(removals.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    for (const removal of removals)
      if (removal.status === 'rejected') expect(removal.reason).toMatchObject({kind: 'notFound'});
  });

  it('start, stop and remove in any order end in one of the right states', async () => {
    const engines = await Promise.all(Array.from({length: 8}, () => bed.another()));
    for (let round = 0; round < 3; round++) {
      const id = await bed.create(sleeper);
      const outcomes = await Promise.allSettled(
        engines.map((engine, index) => {
          const containers = engine.containers;
          return index % 4 === 0
            ? containers.start(id)
            : index % 4 === 1
              ? containers.stop(id, {timeoutSeconds: 1})
              : index % 4 === 2
                ? containers.restart(id, {timeoutSeconds: 1})
                : containers.remove(id, {force: true});
        }),
      );
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(['notFound', 'notModified', 'conflict']).toContain(
            (outcome.reason as {kind?: string}).kind ?? outcome.reason,
          );
      }
      expect(await bed.engine.containers.list({all: true})).toEqual([]);
    }
  });
});

describe('a list', () => {
  it('takes no container that another process is just making for what a killed one left', async () => {
    const other = await bed.another();
    let done = false;
    const looking = (async () => {
      while (!done) {
        await other.containers.list({all: true});
        await immediate();
      }
    })();
    try {
      for (let round = 0; round < 10; round++) {
        const ids = await Promise.all(Array.from({length: 4}, () => bed.create(['true'])));
        for (const id of ids) await bed.engine.containers.remove(id);
      }
    } finally {
      done = true;
      await looking;
    }
  });
});

describe('events', () => {
  it('tell the life of a container in order', async () => {
    const since = Date.now() / 1000;
    const id = await bed.start(sleeper, {Labels: {app: 'a'}}, 'told');
    await ready(id);
    await bed.engine.containers.stop(id);
    await bed.engine.containers.remove(id);
    const seen: EngineEvent[] = [];
    for await (const event of bed.engine.system.events({
      since,
      until: Date.now() / 1000 + 0.01,
      filters: {container: [id]},
    }))
      seen.push(event);
    expect(seen.map(({Action}) => Action)).toEqual(['create', 'start', 'kill', 'die', 'stop', 'destroy']);
    for (const {Actor} of seen)
      expect(Actor).toMatchObject({ID: id, Attributes: {name: 'told', image: 'busybox', app: 'a', from: 'image'}});
    expect(seen.find(({Action}) => Action === 'die')?.Actor.Attributes['exitCode']).toBe('0');
  });
});
