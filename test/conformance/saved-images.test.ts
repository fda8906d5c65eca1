import {expect, it} from 'vitest';
import {bytesOf, readTar} from '../support/read-tar.ts';
import {taggedArchive} from './image.ts';
import {describeTargets} from './targets.ts';

describeTargets('saved images', (target) => {
  const repository = () => target.image.slice(0, target.image.indexOf(':'));
  const textIn = (files: Awaited<ReturnType<typeof readTar>>, name: string) => files[name]?.text ?? '';

  it('are an OCI layout and what load reads, with a manifest that is the same everywhere', async () => {
    const image = target.docker.getImage(target.image);
    const {Id, RootFS} = await image.inspect();
    const files = await readTar(await image.get());
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(['index.json', 'manifest.json', 'oci-layout', 'blobs/', 'blobs/sha256/']),
    );
    const blob = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
    const [listed] = JSON.parse(textIn(files, 'manifest.json'));
    expect(listed).toMatchObject({Config: blob(Id), RepoTags: [target.image], Layers: RootFS.Layers.map(blob)});
    const {manifests} = JSON.parse(textIn(files, 'index.json'));
    expect(manifests).toEqual([
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: expect.stringMatching(/^sha256:/),
        size: expect.any(Number),
        annotations: {
          'io.containerd.image.name': `docker.io/${target.image}`,
          'org.opencontainers.image.ref.name': target.image.slice(target.image.indexOf(':') + 1),
        },
      },
    ]);
    expect(JSON.parse(textIn(files, blob(manifests[0].digest)))).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: Id, size: files[blob(Id)]?.size},
      layers: RootFS.Layers.map((digest) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest,
        size: files[blob(digest)]?.size,
      })),
    });
  });

  it('are loaded again with the same id', async () => {
    const reference = `${repository()}:saved`;
    await target.docker.followProgress(await target.docker.loadImage(taggedArchive(reference)));
    const {Id} = await target.docker.getImage(reference).inspect();
    const archive = await bytesOf(await target.docker.getImages([reference]));
    await target.docker.getImage(reference).remove();
    const lines = await target.docker.followProgress(await target.docker.loadImage(once(archive)));
    expect(lines.map(({stream}) => stream ?? '').join('')).toContain(`Loaded image: ${reference}\n`);
    expect((await target.docker.getImage(reference).inspect()).Id).toBe(Id);
    await target.docker.getImage(reference).remove();
  });

  it('several at once, each tag of a name without one', async () => {
    const names = ['multi-a', 'multi-b'].map((name) => `${target.name(name)}`);
    const tags = names.flatMap((name) => [`${name}:1`, `${name}:2`]);
    for (const tag of tags) {
      const [repo = '', version] = tag.split(':');
      await target.docker.getImage(target.image).tag({repo, tag: version});
    }
    try {
      const files = await readTar(await target.docker.getImages([names[0] ?? '', `${names[1]}:2`]));
      const [listed, ...more] = JSON.parse(textIn(files, 'manifest.json'));
      expect(more).toEqual([]);
      expect([...listed.RepoTags].sort()).toEqual([`${names[0]}:1`, `${names[0]}:2`, `${names[1]}:2`]);
    } finally {
      for (const tag of tags) await target.docker.getImage(tag).remove();
    }
  });

  it('that are not there, or not of that platform', async () => {
    const missing = target.docker.getImage('tscompose-test/missing:1');
    await expect(missing.get()).rejects.toMatchObject({
      kind: 'notFound',
      message: expect.stringMatching(/no such image|does not exist/i),
    });
    await expect(missing.history()).rejects.toMatchObject({kind: 'notFound'});
    const other = target.docker.getImage(target.image);
    await expect(other.inspect({platform: 'linux/s390x'})).rejects.toMatchObject({
      kind: 'notFound',
      message: expect.stringMatching(/does not match the specified platform/),
    });
    await expect(other.history({platform: 'linux/s390x'})).rejects.toMatchObject({kind: 'notFound'});
    const architecture = (await other.inspect()).Architecture;
    await other.inspect({platform: `linux/${architecture}`});
  });

  it('have a history, newest step first', async () => {
    const container = await target.create();
    const repo = target.name('history');
    await container.commit({repo, tag: '1', comment: 'a step', changes: 'ENV a=b'});
    const image = target.docker.getImage(`${repo}:1`);
    const {Id} = await image.inspect();
    const history = await image.history();
    const below = await target.docker.getImage(target.image).history();
    expect(history[0]).toMatchObject({Id, Tags: [`${repo}:1`], Size: 0, Comment: 'a step'});
    expect(history[0]?.Created).toBeGreaterThan(1_700_000_000);
    // Docker's old store knows which image is below one that was made here, and tells its id and tags.
    const shared = ({Id: _id, Tags: _tags, ...rest}: (typeof below)[number]) => rest;
    expect(history.slice(1).map(shared)).toEqual(below.map(shared));
    await image.remove();
    await container.remove();
  });
});

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
