import {expect, it} from 'vitest';
import type {Filters} from '../../src/api/types/system.ts';
import {describeTargets, type Target} from './targets.ts';

/** Always with a label of this test's own: others may use the same engine. */
function only(target: Target, more: Filters = {}): {readonly filters: Filters} {
  return {filters: {...more, label: [target.label, ...(more['label'] ?? [])]}};
}

const labelsOf = (target: Target, more: Readonly<Record<string, string>> = {}) => ({
  ...(Object.fromEntries([target.label.split('=')]) as Record<string, string>),
  ...more,
});

describeTargets('prune', (target) => {
  it('removes containers that do not run, and tells what', async () => {
    const since = Date.now() / 1000 - 0.001;
    const created = await target.create();
    const exited = await target.run({Cmd: ['sh', '-c', 'head -c 100000 /dev/zero >/file']});
    await exited.wait();
    const kept = await target.create({Labels: {keep: 'yes'}});
    const running = await target.run();
    const paused = await target.run();
    await paused.pause();
    // Nothing here is an hour old, or from before 1970.
    for (const until of ['1h', '10', '2001-01-01T00:00:00Z'])
      expect(await target.docker.pruneContainers(only(target, {until: [until]}))).toEqual({
        ContainersDeleted: null,
        SpaceReclaimed: 0,
      });
    const {ContainersDeleted, SpaceReclaimed} = await target.docker.pruneContainers(
      only(target, {'label!': ['keep'], until: ['0s']}),
    );
    expect(ContainersDeleted?.toSorted()).toEqual([created.id, exited.id].toSorted());
    expect(SpaceReclaimed).toBeGreaterThanOrEqual(100_000);
    const left = (await target.docker.listContainers({all: true, ...only(target)})).map(({Id}) => Id);
    expect(left.toSorted()).toEqual([kept.id, running.id, paused.id].toSorted());
    const told: string[] = [];
    const filters = {type: ['container'], event: ['prune']};
    for await (const {Actor} of await target.docker.getEvents({since, until: Date.now() / 1000 + 0.1, filters}))
      told.push(Actor.Attributes['reclaimed'] ?? '');
    expect(told).toContain(String(SpaceReclaimed));
    for (const container of [kept, running, paused]) await container.remove({force: true});
  });

  it('removes anonymous volumes that nobody uses, and named ones where all are meant', async () => {
    const named = target.name('named');
    const used = target.name('used');
    const Labels = labelsOf(target);
    await target.docker.createVolume({Name: named, Labels});
    await target.docker.createVolume({Name: used, Labels});
    const {Name: anonymous} = await target.docker.createVolume({Labels});
    const user = await target.create({HostConfig: {Binds: [`${used}:/data`]}});
    expect((await target.docker.pruneVolumes(only(target, {label: ['no-such']}))).VolumesDeleted).toEqual([]);
    expect((await target.docker.pruneVolumes(only(target))).VolumesDeleted).toEqual([anonymous]);
    expect((await target.docker.pruneVolumes(only(target, {all: ['true']}))).VolumesDeleted).toEqual([named]);
    await user.remove();
    expect((await target.docker.pruneVolumes(only(target, {all: ['1']}))).VolumesDeleted).toEqual([used]);
  });

  it('removes networks that nobody is attached to', async () => {
    const Labels = labelsOf(target);
    const free = await target.docker.createNetwork({Name: target.name('free'), Labels});
    const kept = await target.docker.createNetwork({Name: target.name('keep'), Labels: {...Labels, keep: ''}});
    const used = await target.docker.createNetwork({Name: target.name('used'), Labels});
    const user = await target.run({HostConfig: {NetworkMode: target.name('used')}});
    expect(await target.docker.pruneNetworks(only(target, {until: ['1h']}))).toEqual({NetworksDeleted: null});
    expect(await target.docker.pruneNetworks(only(target, {'label!': ['keep']}))).toEqual({
      NetworksDeleted: [target.name('free')],
    });
    await expect(free.inspect()).rejects.toMatchObject({kind: 'notFound'});
    await user.remove({force: true});
    for (const network of [kept, used]) await network.remove();
  });

  it('removes images that nobody uses, without a name or with', async () => {
    const label = target.label.split('=').join('-');
    const changes = [`LABEL ${label}=yes`];
    const one = target.image.replace(':busybox', ':pruned');
    const [repo = '', tag = ''] = one.split(':');
    const make = async (content: string) =>
      void (await target.docker.followProgress(
        await target.docker.importImage(await rootOf(content), {repo, tag, changes}),
      ));
    await make('first');
    const first = (await target.docker.getImage(one).inspect()).Id;
    await make('second');
    const second = (await target.docker.getImage(one).inspect()).Id;
    const filters = {label: [label]};
    const gone = async (more: Filters) =>
      ((await target.docker.pruneImages({filters: {...filters, ...more}})).ImagesDeleted ?? []).flatMap(
        ({Deleted, Untagged}) => [
          ...(Deleted?.length === first.length ? [Deleted] : []),
          ...(Untagged ? [Untagged] : []),
        ],
      );
    expect(await gone({until: ['2001-01-01T00:00:00Z']})).toEqual([]);
    expect(await gone({})).toContain(first);
    const user = await target.create({Image: one, Cmd: ['x']});
    expect(await gone({dangling: ['false']})).toEqual([]);
    await user.remove();
    const last = await gone({dangling: ['false']});
    expect(last).toContain(one);
    expect(last).toContain(second);
    await expect(target.docker.getImage(one).inspect()).rejects.toMatchObject({kind: 'notFound'});
  });

  it.each<[string, (filters: Filters) => Promise<unknown>, Filters, string]>([
    ['a filter', (filters) => target.docker.pruneContainers({filters}), {foo: ['x']}, "invalid filter 'foo'"],
    ['a filter', (filters) => target.docker.pruneVolumes({filters}), {until: ['1h']}, "invalid filter 'until'"],
    [
      'a time',
      (filters) => target.docker.pruneContainers({filters}),
      {until: ['xx']},
      'failed to parse value as time or duration: "xx"',
    ],
    [
      'two times',
      (filters) => target.docker.pruneNetworks({filters}),
      {until: ['1h', '2h']},
      'more than one until filter specified',
    ],
    ['a switch', (filters) => target.docker.pruneImages({filters}), {dangling: ['x']}, "invalid filter 'dangling=[x]'"],
    [
      'a switch on and off',
      (filters) => target.docker.pruneVolumes({filters}),
      {all: ['1', '0']},
      "invalid filter 'all=[",
    ],
  ])('refuses %s that is none', async (_what, prune, filters, message) => {
    await expect(prune({label: [target.label], ...filters})).rejects.toThrow(message);
  });
});

async function rootOf(content: string): Promise<AsyncIterable<Uint8Array>> {
  const {pack} = await import('tar-stream');
  const {Readable} = await import('node:stream');
  const tar = pack();
  tar.entry({name: 'content'}, content);
  tar.finalize();
  return Readable.from(tar);
}
