import {expect, it} from 'vitest';
import type {ContainerCreateBody} from '../../src/api/types/container.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('commit', (target) => {
  /** A repository whose images go with the tests'. */
  const repo = () => target.image.slice(0, target.image.lastIndexOf(':'));

  /** What a line of shell says in a container of an image. */
  async function say(Image: string, line: string, body: Partial<ContainerCreateBody> = {}): Promise<string> {
    const container = await target.create({...body, Image, Entrypoint: ['sh', '-c', line], Cmd: []});
    const ended = container.wait({condition: 'next-exit'});
    await container.start();
    await ended;
    return await textOf(await container.logs());
  }

  /** A container that has changed its files. */
  async function changed(line: string, body: Partial<ContainerCreateBody> = {}) {
    const container = await target.run({...body, Cmd: ['sh', '-c', line]});
    expect(await container.wait()).toEqual({StatusCode: 0});
    return container;
  }

  it('has what was made, changed and removed, with all that belongs to it', async () => {
    const container = await changed(
      [
        'umask 022; mkdir -p /made/deep /root/kept',
        'echo content >/made/file; ln /made/file /made/deep/again; ln -s ../nowhere /made/link; mkfifo /made/pipe',
        'chown 12:34 /made/deep; chmod 2751 /made/deep; touch -d "2001-02-03 04:05:06" /made/file',
        'rm /bin/wget; head -c 3000000 /dev/zero >/made/large; mkdir "/made/a b"; : >"/made/a b/c\nd"',
        'touch /made/there; rm -r /made/there',
      ].join('; '),
    );
    const {Id} = await container.commit({repo: repo(), tag: 'changed'});
    expect(Id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const text = await say(
      `${repo()}:changed`,
      [
        'cd /made; cat deep/again; ls -A; ls "a b" | wc -l; readlink link; [ -p pipe ] && echo pipe',
        'stat -c "%u:%g %a" deep; stat -c "%h %Y" file; stat -c %i file deep/again | uniq | wc -l; stat -c %s large',
        'ls /bin/wget 2>&1; ls -d /root/kept',
      ].join('; '),
    );
    expect(text).toBe(
      [
        'content',
        ...['a b', 'deep', 'file', 'large', 'link', 'pipe'],
        '1',
        '../nowhere',
        'pipe',
        '12:34 2751',
        '2 981173106',
        '1',
        '3000000',
        'ls: /bin/wget: No such file or directory',
        '/root/kept',
        '',
      ].join('\n'),
    );
  });

  it('a directory that was removed and made anew has nothing of the one before', async () => {
    const first = await changed('mkdir -p /d/sub; echo old >/d/old; echo old >/d/sub/old; echo old >/e');
    await first.commit({repo: repo(), tag: 'first'});
    const second = await changed('rm -r /d /e; mkdir -p /d/sub /e; echo new >/d/new', {Image: `${repo()}:first`});
    await second.commit({repo: repo(), tag: 'second'});
    expect(await say(`${repo()}:second`, 'cd /; find d e | sort')).toBe('d\nd/new\nd/sub\ne\n');
    expect((await target.docker.getImage(`${repo()}:second`).inspect()).RootFS.Layers).toHaveLength(3);
  });

  it('leaves out what is mounted', async () => {
    const container = await changed('echo in >/volume/file; echo out >/file', {Volumes: {'/volume': {}}});
    await container.commit({repo: repo(), tag: 'volume'});
    expect(await say(`${repo()}:volume`, 'ls -A /volume; cat /file')).toBe('out\n');
    expect((await target.docker.getImage(`${repo()}:volume`).inspect()).Config.Volumes).toEqual({'/volume': {}});
  });

  it('of a container that changed nothing adds no layer', async () => {
    const container = await target.create();
    await container.commit({repo: repo(), tag: 'same'});
    const before = await target.docker.getImage(target.image).inspect();
    const after = await target.docker.getImage(`${repo()}:same`).inspect();
    expect(after.RootFS.Layers).toEqual(before.RootFS.Layers);
    expect(after.Id).not.toBe(before.Id);
  });

  it('takes the configuration of the container, what the request says and changes as in a Dockerfile', async () => {
    const container = await target.create({Env: ['A=1', 'B=1'], User: '12:34', WorkingDir: '/tmp', Labels: {a: 'b'}});
    const {Id} = await container.commit({
      author: 'somebody',
      config: {Env: ['B=2'], StopSignal: 'SIGINT'},
      changes: ['CMD ["new", "command"]', 'ENV C=3', 'EXPOSE 80', 'LABEL c=d'],
    });
    const inspected = await target.docker.getImage(Id).inspect();
    expect(inspected.Config).toMatchObject({
      Cmd: ['new', 'command'],
      User: '12:34',
      WorkingDir: '/tmp',
      StopSignal: 'SIGINT',
      ExposedPorts: {'80/tcp': {}},
      Labels: {a: 'b', c: 'd'},
    });
    expect(inspected.Config.Env?.toSorted()).toEqual(['A=1', 'B=2', 'C=3', expect.stringMatching(/^PATH=/)]);
    expect(inspected).toMatchObject({Author: 'somebody', RepoTags: []});
    await target.docker.getImage(Id).remove();
  });

  it.each([
    ['pauses a running container meanwhile', undefined, ['pause', 'commit', 'unpause']],
    ['lets it go on where it is told to', false, ['commit']],
  ])('%s', async (_name, pause, expected) => {
    const container = await target.run();
    const since = (await target.docker.info()).SystemTime;
    await container.commit({repo: repo(), tag: 'running', comment: 'a word', ...(pause === undefined ? {} : {pause})});
    expect((await container.inspect()).State).toMatchObject({Running: true, Paused: false});
    const until = Date.now() / 1000 + 1;
    const filters = {container: [container.id], event: ['pause', 'commit', 'unpause']};
    const seen: string[] = [];
    for await (const {Action, Actor} of await target.docker.getEvents({
      since: Math.floor(Date.parse(since ?? '') / 1000) - 1,
      until,
      filters,
    })) {
      seen.push(Action);
      if (Action === 'commit')
        expect(Actor.Attributes).toMatchObject({comment: 'a word', imageRef: `${repo()}:running`});
    }
    expect(seen).toEqual(expected);
  });

  it('of a paused container leaves it paused', async () => {
    const container = await target.run();
    await container.pause();
    await container.commit({repo: repo(), tag: 'paused'});
    expect((await container.inspect()).State.Paused).toBe(true);
    await container.unpause();
  });

  it('is refused for what there is not, and what is no name or change', async () => {
    const container = await target.create();
    await expect(container.commit({repo: 'UPPER'})).rejects.toMatchObject({kind: 'invalid', statusCode: 400});
    await expect(container.commit({changes: 'RUN x'})).rejects.toThrow(/not a valid change/);
    await expect(target.docker.getContainer(target.name('none')).commit()).rejects.toMatchObject({
      kind: 'notFound',
      message: `No such container: ${target.name('none')}`,
    });
  });
});
