import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {readTar} from '../support/read-tar.ts';
import {describeTargets} from './targets.ts';

const script = [
  'rm /bin/ar',
  'rm -r /home',
  'mkdir -p /n/m',
  'echo 1 >/n/m/f',
  'echo >>/etc/passwd',
  'chmod 700 /root',
  'touch /data/x',
  'mv /bin/cut /bin/cut2',
  'ln -s a /lnk',
  // Copied up, and as it was before.
  'chmod 600 /etc/group; chmod 644 /etc/group; touch -r /bin/busybox /etc/group',
  // A directory that takes another's place shows nothing of it.
  'mkdir -p /var/old; rm -r /var; mkdir /var; touch /var/new',
].join('\n');

describeTargets('changes of a container', (target) => {
  const changesOf = async (container: Container) =>
    Object.fromEntries((await container.changes()).map(({Path, Kind}) => [Path, 'CAD'.charAt(Kind)]));

  it('are none before it is started, and after a run that changed nothing', async () => {
    const container = await target.create({Cmd: ['true']});
    expect(await container.changes()).toEqual([]);
    await container.start();
    await container.wait();
    expect(await container.changes()).toEqual([]);
  });

  it('are told by kind, as long as it runs and afterwards', async () => {
    const volume = target.name('volume');
    const Labels = Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    await target.docker.createVolume({Name: volume, Labels});
    const container = await target.run({
      Cmd: ['sh', '-c', `${script}\ntouch /ready\ntrap "exit 0" TERM; sleep 1000 & wait`],
      HostConfig: {Binds: [`${volume}:/data`]},
    });
    await expect.poll(async () => (await changesOf(container))['/ready']).toBe('A');
    const expected = {
      '/bin': 'C',
      '/bin/ar': 'D',
      '/bin/cut': 'D',
      '/bin/cut2': 'A',
      '/data': 'A',
      '/etc': 'C',
      '/etc/passwd': 'C',
      '/home': 'D',
      '/lnk': 'A',
      '/n': 'A',
      '/n/m': 'A',
      '/n/m/f': 'A',
      '/ready': 'A',
      '/root': 'C',
      '/var/new': 'A',
    };
    const withoutVar = (changes: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(changes).filter(([path]) => path !== '/var'));
    // Images differ in whether they have it.
    expect(withoutVar(await changesOf(container))).toMatchObject(expected);
    const unexpected = Object.keys(withoutVar(await changesOf(container))).filter((path) => !(path in expected));
    expect(unexpected.filter((path) => !path.startsWith('/var/') && path !== '/etc/group')).toEqual([]);
    await container.stop();
    expect(withoutVar(await changesOf(container))).toMatchObject(expected);
  });

  it('are refused for a container that is not there', async () => {
    const missing = target.docker.getContainer(target.name('missing'));
    await expect(missing.changes()).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
    await expect(missing.export()).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
  });
});

describeTargets('an exported container', (target) => {
  it('is its root file system without what is mounted in it', async () => {
    const volume = target.name('mounted');
    const Labels = Object.fromEntries([target.label.split('=')]) as Record<string, string>;
    await target.docker.createVolume({Name: volume, Labels});
    const container = await target.run({
      Cmd: ['sh', '-c', 'echo mine >/file; chown 5:6 /file; echo x >/data/x; rm /bin/ar; echo t >/tmpfs/t; sleep 1000'],
      HostConfig: {Binds: [`${volume}:/data`], Tmpfs: {'/tmpfs': ''}},
    });
    await expect.poll(async () => (await container.changes()).some(({Path}) => Path === '/bin/ar')).toBe(true);
    const check = async () => {
      const whole = await readTar(await container.export());
      expect(whole['file']).toMatchObject({type: 'file', uid: 5, gid: 6, text: 'mine\n'});
      expect(whole['bin/busybox'] ?? whole['bin/[']).toBeDefined();
      expect(whole['bin/ar']).toBeUndefined();
      expect(whole['data/']).toMatchObject({type: 'directory'});
      expect(Object.keys(whole).filter((name) => /^(data|tmpfs|proc|sys)\/./.test(name))).toEqual([]);
      expect(Object.keys(whole).filter((name) => name.startsWith('/') || name.startsWith('./'))).toEqual([]);
    };
    await check();
    await container.stop({t: 0});
    await check();
  });
});
