import {expect, it} from 'vitest';
import {describeTargets} from './targets.ts';

describeTargets('the engine', (target) => {
  it('answers', async () => {
    expect(await target.docker.ping()).toBe('OK');
  });

  it('says what it is', async () => {
    const version = await target.docker.version();
    expect(version).toMatchObject({
      Os: 'linux',
      ApiVersion: expect.stringMatching(/^1\.\d\d$/),
      MinAPIVersion: expect.stringMatching(/^1\.\d\d$/),
    });
    expect(version.Version).not.toBe('');
    expect(version.KernelVersion).toMatch(/^\d+\./);
  });

  it('tells about itself and its machine', async () => {
    const container = await target.run();
    const info = await target.docker.info();
    expect(info).toMatchObject({
      ID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      OSType: 'linux',
      KernelVersion: (await target.docker.version()).KernelVersion,
      ServerVersion: (await target.docker.version()).Version,
      Driver: 'overlay2',
      LoggingDriver: 'json-file',
      CgroupVersion: expect.stringMatching(/^[12]$/),
      Name: expect.any(String),
      DockerRootDir: expect.stringMatching(/^\//),
      Swarm: {LocalNodeState: 'inactive'},
      Labels: [],
      CDISpecDirs: ['/etc/cdi', '/var/run/cdi'],
    });
    expect(info.NCPU).toBeGreaterThan(0);
    expect(info.MemTotal).toBeGreaterThan(1e8);
    expect(Math.abs(Date.parse(info.SystemTime) - Date.now())).toBeLessThan(60_000);
    expect(info.OperatingSystem).not.toBe('');
    expect(info.Images).toBeGreaterThan(0);
    expect(info.ContainersRunning).toBeGreaterThan(0);
    expect(info.Runtimes).toHaveProperty([info.DefaultRuntime]);
    for (const known of ['MemoryLimit', 'CpuCfsQuota', 'PidsLimit'] as const) expect(info[known]).toBe(true);
    await container.pause();
    expect((await target.docker.info()).ContainersPaused).toBeGreaterThan(0);
    await container.remove({force: true});
  });

  it('tells what takes up space', async () => {
    const volume = target.name('measured');
    const Labels = Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    await target.docker.createVolume({Name: volume, Labels});
    const container = await target.run({
      Cmd: [
        'sh',
        '-c',
        'head -c 300000 /dev/zero >/written; head -c 70000 /dev/zero >/data/kept; ln /data/kept /data/again',
      ],
      HostConfig: {Binds: [`${volume}:/data`]},
    });
    await container.wait();
    const usage = await target.docker.df();
    const image = usage.Images?.find(({RepoTags}) => RepoTags?.includes(target.image));
    expect(image?.Containers).toBeGreaterThanOrEqual(1);
    expect(image?.Size).toBeGreaterThan(100_000);
    expect(image?.SharedSize).toBeLessThanOrEqual(image?.Size ?? 0);
    expect(usage.LayersSize).toBeGreaterThanOrEqual(image?.Size ?? 0);
    const measured = usage.Containers?.find(({Id}) => Id === container.id);
    expect(measured?.SizeRw).toBe(300_000);
    expect(measured?.SizeRootFs).toBe(300_000 + (image?.Size ?? 0));
    // A file with two names counts once.
    expect(usage.Volumes?.find(({Name}) => Name === volume)?.UsageData).toEqual({RefCount: 1, Size: 70_000});
    const volumes = await target.docker.df({type: ['volume']});
    expect(volumes.Volumes?.map(({Name}) => Name)).toContain(volume);
    expect(volumes.Containers ?? []).toEqual([]);
    await container.remove();
    await target.docker.getVolume(volume).remove();
  });
});
