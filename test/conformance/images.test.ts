import {expect, it} from 'vitest';
import {rootFileSystem, taggedArchive} from './image.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('images', (target) => {
  const repository = () => target.image.slice(0, target.image.indexOf(':'));

  it('are loaded and found', async () => {
    const reference = `${repository()}:loaded`;
    const lines = await target.docker.followProgress(await target.docker.loadImage(taggedArchive(reference)));
    expect(lines.map(({stream}) => stream ?? '').join('')).toContain(`Loaded image: ${reference}\n`);
    const image = await target.docker.getImage(reference).inspect();
    expect(image).toMatchObject({
      Id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      RepoTags: expect.arrayContaining([reference]),
      Os: 'linux',
      Architecture: expect.stringMatching(/^(amd64|arm64)$/),
      Config: {Cmd: ['sh'], Env: [expect.stringMatching(/^PATH=/)]},
      RootFS: {Type: 'layers', Layers: [expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]},
    });
    expect(image.Size).toBeGreaterThan(100_000);
    const hex = image.Id.slice('sha256:'.length);
    for (const name of [image.Id, hex, hex.slice(0, 12), `docker.io/${reference}`]) {
      expect((await target.docker.getImage(name).inspect()).Id).toBe(image.Id);
    }
  });

  it('that are not there are not found', async () => {
    const missing = target.docker.getImage('tscompose-test/missing');
    await expect(missing.inspect()).rejects.toMatchObject({
      kind: 'notFound',
      message: expect.stringMatching(/no such image/i),
    });
    await expect(missing.remove()).rejects.toMatchObject({kind: 'notFound'});
    await expect(missing.tag({repo: repository(), tag: 'x'})).rejects.toMatchObject({kind: 'notFound'});
  });

  it('are listed with their names', async () => {
    await target.docker.getImage(target.image).tag({repo: repository(), tag: 'second'});
    const {Id} = await target.docker.getImage(target.image).inspect();
    const all = await target.docker.listImages();
    const found = all.find((image) => image.Id === Id);
    expect(found?.RepoTags).toEqual(expect.arrayContaining([target.image, `${repository()}:second`]));
    const filtered = await target.docker.listImages({filters: {reference: [`${repository()}:sec*`]}});
    expect(filtered.map((image) => image.Id)).toEqual([Id]);
    expect(await target.docker.listImages({filters: {reference: ['tscompose-test/none']}})).toEqual([]);
  });

  it('lose a name, and go with their last one', async () => {
    const imported = `${repository()}:imported`;
    await target.docker.followProgress(
      await target.docker.importImage(layer(), {repo: repository(), tag: 'imported', changes: ['CMD ["true"]']}),
    );
    const {Id} = await target.docker.getImage(imported).inspect();
    await target.docker.getImage(imported).tag({repo: repository(), tag: 'other'});
    expect(await target.docker.getImage(`${repository()}:other`).remove()).toEqual([
      {Untagged: `${repository()}:other`},
    ]);
    expect(await target.docker.getImage(imported).remove()).toEqual(
      expect.arrayContaining([{Untagged: imported}, {Deleted: Id}]),
    );
    await expect(target.docker.getImage(Id).inspect()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('are made of a root file system', async () => {
    const changes = [
      'ENTRYPOINT ["sh", "-c"]',
      'CMD ["echo $A; pwd; id -u"]',
      'ENV A=1',
      'WORKDIR /tmp',
      'USER 7',
      'EXPOSE 80',
    ];
    const reference = `${repository()}:changed`;
    const lines = await target.docker.followProgress(
      await target.docker.importImage(layer(), {repo: repository(), tag: 'changed', message: 'from a test', changes}),
    );
    const {Id, Config} = await target.docker.getImage(reference).inspect();
    expect(lines.at(-1)).toMatchObject({status: Id});
    expect(Config).toMatchObject({
      Entrypoint: ['sh', '-c'],
      User: '7',
      WorkingDir: '/tmp',
      ExposedPorts: {'80/tcp': {}},
    });
    const {Cmd: _, ...body} = {Cmd: undefined};
    const container = await target.docker.createContainer({
      ...body,
      Image: reference,
      Labels: Object.fromEntries([target.label.split('=')]) as Record<string, string>,
      HostConfig: {NetworkMode: 'none'},
    });
    await container.start();
    await container.wait();
    expect(await textOf(await container.logs())).toBe('1\n/tmp\n7\n');
  });

  it('are not removed while a container uses them', async () => {
    const container = await target.run();
    const {Image} = await container.inspect();
    await expect(target.docker.getImage(Image).remove()).rejects.toMatchObject({kind: 'conflict'});
  });

  it('are refused where they are none', async () => {
    const noise = async function* () {
      yield Buffer.alloc(2048, 'this is no archive');
    };
    const load = async () => target.docker.followProgress(await target.docker.loadImage(noise()));
    await expect(load()).rejects.toBeInstanceOf(Error);
  });
});

async function* layer(): AsyncGenerator<Uint8Array> {
  yield await rootFileSystem();
}
