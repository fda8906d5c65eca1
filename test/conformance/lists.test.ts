import {expect, it} from 'vitest';
import type {ContainerSummary} from '../../src/api/types/container.ts';
import {describeTargets} from './targets.ts';

describeTargets('lists of containers', (target) => {
  const names = (containers: readonly ContainerSummary[]) =>
    containers.map(({Names}) => Names[0]?.replace(`/${target.name('')}`, ''));
  const list = async (filters: Readonly<Record<string, readonly string[]>> = {}, options = {}) =>
    names(
      await target.docker.listContainers({
        ...options,
        filters: {...filters, label: [target.label, ...(filters['label'] ?? [])]},
      }),
    );

  it('hold what runs, or everything, newest first', async () => {
    const old = await target.run({name: target.name('old'), Labels: {tier: 'web', empty: ''}});
    await target.create({name: target.name('made'), Labels: {tier: 'data'}});
    const ended = await target.run({name: target.name('ended'), Cmd: ['sh', '-c', 'exit 3']});
    await ended.wait();
    // An engine may list from a copy that is a moment old.
    await expect.poll(() => list()).toEqual(['old']);
    expect(await list({}, {all: true})).toEqual(['ended', 'made', 'old']);
    expect(await list({}, {limit: 2})).toEqual(['ended', 'made']);
    expect(await list({status: ['exited']})).toEqual(['ended']);
    expect(await list({status: ['created', 'running']})).toEqual(['made', 'old']);
    expect(await list({label: ['tier']}, {all: true})).toEqual(['made', 'old']);
    expect(await list({label: ['tier=web']}, {all: true})).toEqual(['old']);
    expect(await list({label: ['tier=web', 'tier=data']}, {all: true})).toEqual([]);
    expect(await list({label: ['empty=']}, {all: true})).toEqual(['old']);
    expect(await list({id: [old.id.slice(0, 12)]}, {all: true})).toEqual(['old']);
    expect(await list({name: ['ade$']}, {all: true})).toEqual(['made']);
    expect(await list({name: [target.name('old'), target.name('made')]}, {all: true})).toEqual(['made', 'old']);
    expect(await list({name: [`^/${target.name('o')}`]}, {all: true})).toEqual(['old']);
  });

  it('describe each of them', async () => {
    const container = await target.run({name: target.name('one'), Labels: {a: 'b'}});
    const [summary] = await target.docker.listContainers({filters: {id: [container.id]}});
    expect(summary).toMatchObject({
      Id: container.id,
      Names: [`/${target.name('one')}`],
      Image: target.image,
      ImageID: (await container.inspect()).Image,
      State: 'running',
      HostConfig: {NetworkMode: 'none'},
      Ports: [],
    });
    expect(summary?.Labels).toMatchObject({a: 'b'});
    expect(summary?.Status).toMatch(/^Up (Less than a second|\d+ seconds?)$/);
    expect(summary?.Command).toContain('trap');
    expect(Math.abs((summary?.Created ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    const ended = await target.run({Cmd: ['sh', '-c', 'exit 3']});
    await ended.wait();
    const gone = async () => (await target.docker.listContainers({all: true, filters: {id: [ended.id]}}))[0]?.Status;
    await expect.poll(gone).toMatch(/^Exited \(3\) .* ago$/);
    const made = await target.create();
    const [created] = await target.docker.listContainers({all: true, filters: {id: [made.id]}});
    expect(created).toMatchObject({State: 'created', Status: 'Created'});
  });

  it('refuse filters that they do not have', async () => {
    const list = target.docker.listContainers({filters: {colour: ['red']}});
    await expect(list).rejects.toMatchObject({kind: 'invalid', message: "invalid filter 'colour'"});
  });
});
