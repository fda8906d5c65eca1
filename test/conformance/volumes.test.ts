import {expect, it} from 'vitest';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

describeTargets('volumes', (target) => {
  const labels = () => Object.fromEntries([target.label.split('=')]) as Record<string, string>;
  const output = async (Cmd: readonly string[], Binds: readonly string[]) => {
    const container = await target.run({Cmd, HostConfig: {Binds}});
    await container.wait();
    const text = await textOf(await container.logs());
    await container.remove();
    return text;
  };

  it('are created once, found and removed', async () => {
    const name = target.name('plain');
    const body = {Name: name, Labels: {tier: 'data', ...labels()}};
    const volume = await target.docker.createVolume(body);
    expect(volume).toMatchObject({Name: name, Driver: 'local', Scope: 'local', Labels: {tier: 'data'}});
    expect(volume.Mountpoint).toMatch(/^\//);
    expect(Number.isNaN(Date.parse(volume.CreatedAt))).toBe(false);
    expect(await target.docker.createVolume(body)).toEqual(volume);
    expect(await target.docker.getVolume(name).inspect()).toEqual(volume);
    const found = async (filters: Readonly<Record<string, readonly string[]>>) =>
      (await target.docker.listVolumes({filters})).Volumes.map(({Name}) => Name);
    expect(await found({label: [target.label]})).toEqual([name]);
    expect(await found({label: [target.label, 'tier=web']})).toEqual([]);
    expect(await found({name: [name]})).toEqual([name]);
    expect(await found({name: [name], dangling: ['true']})).toEqual([name]);
    await target.docker.getVolume(name).remove();
    await expect(target.docker.getVolume(name).inspect()).rejects.toMatchObject({kind: 'notFound'});
    await expect(target.docker.getVolume(name).remove()).rejects.toMatchObject({kind: 'notFound'});
    await target.docker.getVolume(name).remove({force: true});
  });

  it.each(['a/b', 'x', '../up', '-x'])('refuse the name "%s"', async (Name) => {
    await expect(target.docker.createVolume({Name})).rejects.toMatchObject({kind: 'invalid'});
  });

  it('keep their files when containers go', async () => {
    const Name = target.name('kept');
    await target.docker.createVolume({Name, Labels: labels()});
    await output(['sh', '-c', 'echo one >/data/file; chown 12:34 /data/file'], [`${Name}:/data`]);
    expect(await output(['sh', '-c', 'cat /data/file; stat -c %u:%g /data/file'], [`${Name}:/data:ro`])).toBe(
      'one\n12:34\n',
    );
    expect(await output(['sh', '-c', 'echo two >/data/file'], [`${Name}:/data:ro`])).toContain('Read-only file system');
  });

  it('start with what the image has at their place', async () => {
    const Name = target.name('copied');
    await target.docker.createVolume({Name, Labels: labels()});
    expect(await output(['sh', '-c', 'ls /var | sort; stat -c %a /var/tmp'], [`${Name}:/var`])).toContain('tmp\n');
    // Only an empty volume is filled.
    await output(['sh', '-c', 'rm -r /var/*; touch /var/mine'], [`${Name}:/var`]);
    expect(await output(['ls', '/var'], [`${Name}:/var`])).toBe('mine\n');
    const bare = target.name('bare');
    await target.docker.createVolume({Name: bare, Labels: labels()});
    expect(await output(['ls', '/var'], [`${bare}:/var:nocopy`])).toBe('');
  });

  it('are made by the container that names them, and are not removed with it', async () => {
    const name = target.name('implied');
    const container = await target.run({HostConfig: {Binds: [`${name}:/data`]}});
    const {Mounts} = await container.inspect();
    expect(Mounts).toMatchObject([{Type: 'volume', Name: name, Destination: '/data', Driver: 'local', RW: true}]);
    await expect(target.docker.getVolume(name).remove()).rejects.toMatchObject({kind: 'conflict'});
    await container.remove({force: true, v: true});
    await target.docker.getVolume(name).remove();
  });

  it('without a name go with their container when that is asked', async () => {
    const one = await target.run({Volumes: {'/data': {}}});
    const two = await target.run({HostConfig: {Mounts: [{Type: 'volume', Target: '/data'}]}});
    for (const [container, v] of [
      [one, true],
      [two, false],
    ] as const) {
      const name = (await container.inspect()).Mounts[0]?.Name ?? '';
      expect(name).toMatch(/^[0-9a-f]{64}$/);
      await container.remove({force: true, v});
      if (v) await expect(target.docker.getVolume(name).inspect()).rejects.toMatchObject({kind: 'notFound'});
      else await target.docker.getVolume(name).remove();
    }
  });

  it('of other containers are taken over, at their places', async () => {
    const name = target.name('from');
    await target.docker.createVolume({Name: name, Labels: labels()});
    const one = await target.create({
      Volumes: {'/anonymous': {}, '/var': {}},
      HostConfig: {Binds: [`${name}:/named`, '/etc:/etc2:ro'], Tmpfs: {'/fast': ''}},
    });
    const places = async (from: readonly string[], HostConfig = {}) => {
      const container = await target.create({HostConfig: {VolumesFrom: from, ...HostConfig}, Volumes: {'/var': {}}});
      const {Mounts} = await container.inspect();
      const found = Mounts.map(({Destination, RW, Name, Source}) => [Destination, `${Name ?? Source} ${RW}`] as const);
      return {container, found: Object.fromEntries(found)};
    };
    const {Mounts} = await one.inspect();
    const nameAt = (place: string) => Mounts.find(({Destination}) => Destination === place)?.Name ?? '';
    const expected = (readWrite: boolean) => ({
      '/anonymous': `${nameAt('/anonymous')} ${readWrite}`,
      '/var': `${nameAt('/var')} ${readWrite}`,
      '/named': `${name} ${readWrite}`,
      '/etc2': '/etc false',
    });
    const plain = await places([one.id]);
    expect(plain.found).toEqual(expected(true));
    expect((await places([`${one.id}:rw`])).found).toEqual(expected(true));
    const readOnly = await places([`${one.id}:ro`]);
    expect(readOnly.found).toEqual(expected(false));
    // What was read-only once stays so; of two the later counts.
    expect((await places([`${readOnly.container.id}:rw`])).found).toEqual(expected(false));
    expect((await places([readOnly.container.id, one.id])).found).toEqual(expected(true));
    const own = await places([one.id], {Binds: ['/tmp:/named']});
    expect(own.found).toEqual({...expected(true), '/named': '/tmp true'});
    await plain.container.start();
    await readOnly.container.start();
    const said = async (client: typeof one, script: string) => {
      const exec = await client.exec({Cmd: ['sh', '-c', `exec 2>&1; ${script}`], AttachStdout: true});
      return await textOf((await exec.start()).output);
    };
    await said(plain.container, 'echo there >/anonymous/file');
    expect(await said(readOnly.container, 'cat /anonymous/file')).toBe('there\n');
    expect(await said(readOnly.container, 'echo >/anonymous/file')).toContain('Read-only file system');
    // A volume without a name goes with the last container that has it.
    await one.remove({v: true});
    await target.docker.getVolume(nameAt('/anonymous')).inspect();
    expect(await said(plain.container, 'cat /anonymous/file')).toBe('there\n');
  });

  it.each([
    ['nobody-at-all', 'No such container: nobody-at-all'],
    ['', 'volumes-from specification cannot be an empty string'],
  ])('are not taken over from "%s"', async (source, message) => {
    const created = target.create({HostConfig: {VolumesFrom: [source]}});
    await expect(created).rejects.toMatchObject({kind: 'invalid', message});
  });

  it.each(['foo', 'nocopy', 'ro,rw', 'ro:x', 'rshared'])('are not taken over in the mode "%s"', async (mode) => {
    const one = await target.create();
    const created = target.create({HostConfig: {VolumesFrom: [`${one.id}:${mode}`]}});
    await expect(created).rejects.toMatchObject({kind: 'invalid', message: `invalid mode: ${mode}`});
  });

  it('may be memory', async () => {
    const container = await target.run({
      Cmd: ['sh', '-c', 'grep " /fast " /proc/mounts; grep " /small " /proc/mounts'],
      HostConfig: {
        Tmpfs: {'/fast': 'size=64k,mode=1770'},
        Mounts: [{Type: 'tmpfs', Target: '/small', TmpfsOptions: {SizeBytes: 131072}}],
      },
    });
    await container.wait();
    const [fast, small] = (await textOf(await container.logs())).split('\n');
    expect(fast).toMatch(/^tmpfs \/fast tmpfs .*size=64k.*mode=1770/);
    expect(small).toMatch(/^tmpfs \/small tmpfs .*size=128k/);
  });

  it('of the machine must be there', async () => {
    const missing = `/nonexistent-${target.name('bind')}`;
    const create = async () => {
      const container = await target.create({HostConfig: {Mounts: [{Type: 'bind', Source: missing, Target: '/x'}]}});
      await container.start();
    };
    await expect(create()).rejects.toMatchObject({kind: 'invalid', message: expect.stringContaining(missing)});
  });
});
