import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {describeTargets} from './targets.ts';

const AutoRemove = true;

describeTargets('a container that removes itself', (target) => {
  const isGone = async (container: Container) =>
    (await target.docker.listContainers({all: true, filters: {id: [container.id]}})).length === 0;
  const anonymous = async (container: Container) => (await container.inspect()).Mounts[0]?.Name ?? '';

  it('is gone with its anonymous volumes once its removal was waited for, and not with those of a name', async () => {
    const named = target.name('kept');
    const container = await target.create({
      name: target.name('itself'),
      Cmd: ['sh', '-c', 'exit 4'],
      Volumes: {'/data': {}},
      HostConfig: {AutoRemove, Mounts: [{Type: 'volume', Source: named, Target: '/named'}]},
    });
    const found = await container.inspect();
    expect(found.HostConfig.AutoRemove).toBe(true);
    const volume = found.Mounts.find(({Destination}) => Destination === '/data')?.Name ?? '';
    const since = Date.now() / 1000 - 0.001;
    // It never ended: it stays until it is started.
    expect(await isGone(container)).toBe(false);
    const removed = container.wait({condition: 'removed'});
    const exited = container.wait({condition: 'next-exit'});
    await container.start();
    expect(await exited).toMatchObject({StatusCode: 4});
    expect(await removed).toMatchObject({StatusCode: 4});
    await expect(container.inspect()).rejects.toMatchObject({kind: 'notFound'});
    await expect(target.docker.getVolume(volume).inspect()).rejects.toMatchObject({kind: 'notFound'});
    await target.docker.getVolume(named).remove();
    const told: string[] = [];
    const filters = {type: ['container', 'volume'], event: ['start', 'die', 'destroy']};
    for await (const {Type, Action, Actor} of await target.docker.getEvents({
      since,
      until: Date.now() / 1000 + 0.1,
      filters,
    })) {
      if (Actor.ID === container.id || Actor.ID === volume) told.push(`${Type} ${Action}`);
    }
    expect(told).toEqual(['container start', 'container die', 'volume destroy', 'container destroy']);
  });

  it.each(['stop', 'kill'] as const)('goes after %s', async (how) => {
    // As the first process it does not hear SIGTERM.
    const container = await target.run({Cmd: ['sleep', '1000'], Volumes: {'/data': {}}, HostConfig: {AutoRemove}});
    const volume = await anonymous(container);
    const removed = container.wait({condition: 'removed'});
    await (how === 'stop' ? container.stop({t: 0}) : container.kill());
    expect((await removed).StatusCode).toBe(137);
    expect(await isGone(container)).toBe(true);
    await expect(target.docker.getVolume(volume).inspect()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('survives a restart', async () => {
    const container = await target.run({Volumes: {'/data': {}}, HostConfig: {AutoRemove}});
    const volume = await anonymous(container);
    await container.restart({t: 0});
    expect((await container.inspect()).State.Running).toBe(true);
    expect(await anonymous(container)).toBe(volume);
    await container.remove({force: true});
    await expect.poll(() => isGone(container)).toBe(true);
  });

  it('gives its name to the next one', async () => {
    const name = target.name('again');
    for (let run = 0; run < 3; run++) {
      const container = await target.create({name, Cmd: ['true'], HostConfig: {AutoRemove}});
      const removed = container.wait({condition: 'removed'});
      await container.start();
      expect((await removed).StatusCode).toBe(0);
    }
  });

  it('is gone, too, where it could not be started', async () => {
    const container = await target.create({Cmd: ['/no/such/program'], HostConfig: {AutoRemove}});
    await expect(container.start()).rejects.toThrow('no such file or directory');
    await expect.poll(() => isGone(container)).toBe(true);
  });

  it('has no restart policy', async () => {
    const HostConfig = {AutoRemove, RestartPolicy: {Name: 'always'}} as const;
    await expect(target.create({HostConfig})).rejects.toMatchObject({
      kind: 'invalid',
      message: "can't create 'AutoRemove' container with restart policy",
    });
  });
});
