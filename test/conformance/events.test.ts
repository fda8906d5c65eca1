import {expect, it} from 'vitest';
import type {EngineEvent} from '../../src/api/types/system.ts';
import {describeTargets} from './targets.ts';

describeTargets('events', (target) => {
  it('tell what happens to a container', async () => {
    const controller = new AbortController();
    const events = await target.docker.getEvents({
      filters: {label: [target.label], type: ['container']},
      abortSignal: controller.signal,
    });
    const seen: EngineEvent[] = [];
    const follow = (async () => {
      for await (const event of events) {
        seen.push(event);
        if (event.Action === 'destroy') return;
      }
    })();
    const container = await target.run({name: target.name('told'), Cmd: ['sh', '-c', 'exit 3'], Labels: {tier: 'web'}});
    await container.wait();
    await container.remove();
    await follow;
    controller.abort();
    expect(seen.map(({Action}) => Action)).toEqual(['create', 'start', 'die', 'destroy']);
    for (const event of seen) {
      expect(event).toMatchObject({Type: 'container', scope: 'local', Actor: {ID: container.id}});
      expect(event.Actor.Attributes).toMatchObject({name: target.name('told'), image: target.image, tier: 'web'});
      expect(Math.floor(event.timeNano / 1e9)).toBe(event.time);
    }
    expect(seen[2]?.Actor.Attributes['exitCode']).toBe('3');
  });

  it('tell how a container is stopped', async () => {
    const container = await target.run({name: target.name('stopped')});
    const since = Date.now() / 1000 - 0.001;
    await container.stop();
    const until = Date.now() / 1000 + 0.5;
    const actions: string[] = [];
    const filters = {container: [container.id], event: ['kill', 'die', 'stop']};
    const events = await target.docker.getEvents({since, until, filters});
    for await (const {Action, Actor} of events) {
      actions.push(Action === 'kill' ? `kill ${Actor.Attributes['signal']}` : Action);
    }
    expect(actions[0]).toBe('kill 15');
    // Which of these comes first is not promised.
    expect(actions.slice(1).toSorted()).toEqual(['die', 'stop']);
  });

  it('tell of a command in a container, and how it ended', async () => {
    const container = await target.run({name: target.name('asked')});
    const controller = new AbortController();
    const filters = {container: [container.id], event: ['exec_create', 'exec_start', 'exec_die']};
    const events = await target.docker.getEvents({filters, abortSignal: controller.signal});
    const exec = await container.exec({Cmd: ['sh', '-c', 'exit 5'], AttachStdout: true});
    const stream = await exec.start();
    for await (const chunk of stream.output) expect(chunk).toBeUndefined();
    const seen: EngineEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.Action === 'exec_die') break;
    }
    controller.abort();
    expect(seen.map(({Action}) => Action)).toEqual([
      'exec_create: sh -c exit 5',
      'exec_start: sh -c exit 5',
      'exec_die',
    ]);
    expect(seen.map(({Actor}) => Actor.Attributes['execID'])).toEqual([exec.id, exec.id, exec.id]);
    expect(seen[2]?.Actor.Attributes['exitCode']).toBe('5');
    await container.remove({force: true});
  });

  it('of a container that runs tell the name that it was given', async () => {
    const since = Date.now() / 1000 - 0.001;
    const container = await target.run({name: target.name('before')});
    await container.rename({name: target.name('after')});
    await container.kill();
    await container.wait();
    const seen: string[] = [];
    for await (const {Action, Actor} of await target.docker.getEvents({
      since,
      until: Date.now() / 1000 + 0.01,
      filters: {container: [container.id], event: ['start', 'rename', 'kill', 'die']},
    }))
      seen.push(`${Action} ${Actor.Attributes['name']}`);
    const [before, after] = [target.name('before'), target.name('after')];
    expect(seen).toEqual([`start ${before}`, `rename ${after}`, `kill ${after}`, `die ${after}`]);
  });

  it('are replayed from one time to another', async () => {
    const since = Date.now() / 1000 - 0.001;
    const container = await target.create({name: target.name('replayed')});
    await container.rename({name: target.name('renamed')});
    await container.remove();
    // Past the last millisecond that has begun.
    const until = Date.now() / 1000 + 0.01;
    const read = async (filters: Readonly<Record<string, readonly string[]>>) => {
      const actions: string[] = [];
      for await (const {Action} of await target.docker.getEvents({since, until, filters})) actions.push(Action);
      return actions;
    };
    expect(await read({container: [container.id], type: ['container']})).toEqual(['create', 'rename', 'destroy']);
    expect(await read({container: [container.id], event: ['create', 'destroy']})).toEqual(['create', 'destroy']);
    expect(await read({container: [container.id], label: ['no-such-label']})).toEqual([]);
  });

  it('tell about networks and volumes', async () => {
    const since = Date.now() / 1000 - 0.001;
    const name = target.name('both');
    const labels = Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    const network = await target.docker.createNetwork({Name: name, Labels: labels});
    await network.remove();
    await target.docker.createVolume({Name: name, Labels: labels});
    await target.docker.getVolume(name).remove();
    // Past the last millisecond that has begun.
    const until = Date.now() / 1000 + 0.01;
    const seen: string[] = [];
    for await (const {Type, Action, Actor} of await target.docker.getEvents({
      since,
      until,
      filters: {type: ['network', 'volume']},
    })) {
      if (Actor.ID === network.id || Actor.ID === name) seen.push(`${Type} ${Action}`);
    }
    expect(seen).toEqual(['network create', 'network destroy', 'volume create', 'volume destroy']);
  });
});
