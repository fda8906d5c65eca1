import {expect, it} from 'vitest';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

/** What a command prints in a container that runs, errors in their place. */
async function said(container: Container, script: string): Promise<string> {
  const exec = await container.exec({Cmd: ['sh', '-c', `exec 2>&1; ${script}`], AttachStdout: true});
  return (await textOf((await exec.start()).output)).trim();
}

/** The kernel's name of a namespace of a container. */
const namespace = (container: Container, kind: string) => said(container, `readlink /proc/self/ns/${kind}`);

const refused = async (made: Promise<Container>): Promise<string> =>
  await made.then(
    () => 'made',
    (error: Error & {kind: string}) => `${error.kind}: ${error.message}`,
  );

describeTargets('the network of another container', (target) => {
  it('is shared, with its names and its files', async () => {
    const owner = await target.run({name: target.name('net'), Hostname: 'owner'});
    const guest = await target.run({HostConfig: {NetworkMode: `container:${target.name('net')}`}});
    expect(await namespace(guest, 'net')).toBe(await namespace(owner, 'net'));
    for (const kind of ['pid', 'ipc', 'mnt', 'uts'])
      expect(await namespace(guest, kind)).not.toBe(await namespace(owner, kind));
    expect(await said(guest, 'hostname; cat /etc/hostname; echo $HOSTNAME')).toBe('owner\nowner\nowner');
    // Not a copy: what the one writes the other reads.
    await said(owner, 'echo 192.0.2.7 added >>/etc/hosts');
    expect(await said(guest, 'cat /etc/hosts')).toContain('192.0.2.7 added');
    const [own, shared] = [await owner.inspect(), await guest.inspect()];
    expect(shared.HostConfig.NetworkMode).toBe(`container:${own.Id}`);
    expect(shared.Config.Hostname).toBe('owner');
    expect([shared.HostsPath, shared.HostnamePath, shared.ResolvConfPath]).toEqual([
      own.HostsPath,
      own.HostnamePath,
      own.ResolvConfPath,
    ]);
    expect(shared.NetworkSettings).toMatchObject({Networks: {}, Ports: {}, IPAddress: ''});
  });

  it('is that of the last one in a row', async () => {
    const owner = await target.run({Hostname: 'first'});
    const middle = await target.run({HostConfig: {NetworkMode: `container:${owner.id}`}});
    const last = await target.run({HostConfig: {NetworkMode: `container:${middle.id}`}});
    expect(await namespace(last, 'net')).toBe(await namespace(owner, 'net'));
    expect(await said(last, 'hostname; cat /etc/hostname')).toBe('first\nfirst');
    await said(owner, 'echo 192.0.2.8 seen >>/etc/hosts');
    expect(await said(last, 'cat /etc/hosts')).toContain('192.0.2.8 seen');
  });

  it('leaves no room for names, ports and servers of its own', async () => {
    const owner = await target.create();
    const NetworkMode = `container:${owner.id}`;
    const conflict = (what: string) => `invalid: conflicting options: ${what}`;
    const ports = conflict('port publishing and the container type network mode');
    expect(await refused(target.create({Hostname: 'x', HostConfig: {NetworkMode}}))).toBe(
      conflict('hostname and the network mode'),
    );
    expect(await refused(target.create({HostConfig: {NetworkMode, Dns: ['192.0.2.1']}}))).toBe(
      conflict('dns and the network mode'),
    );
    expect(await refused(target.create({HostConfig: {NetworkMode, ExtraHosts: ['a:192.0.2.1']}}))).toBe(
      conflict('custom host-to-IP mapping and the network mode'),
    );
    expect(await refused(target.create({HostConfig: {NetworkMode, PublishAllPorts: true}}))).toBe(ports);
    expect(await refused(target.create({HostConfig: {NetworkMode, PortBindings: {'80/tcp': [{}]}}}))).toBe(ports);
    expect(await refused(target.create({ExposedPorts: {'80/tcp': {}}, HostConfig: {NetworkMode}}))).toBe(
      conflict('port exposing and the container type network mode'),
    );
    const links = {NetworkMode, Links: [`${owner.id}:x`]};
    expect(await refused(target.create({HostConfig: links}))).toBe(
      conflict("container type network can't be used with links. This would result in undefined behavior"),
    );
    expect(await refused(target.create({HostConfig: {NetworkMode: 'container:'}}))).toBe(
      'invalid: invalid network mode: invalid container format container:<name|id>',
    );
  });

  it('is only there while that one runs', async () => {
    const name = target.name('away');
    const owner = await target.run({name});
    const guest = await target.run({HostConfig: {NetworkMode: `container:${owner.id}`}});
    const before = await namespace(guest, 'net');
    await owner.stop({t: 0});
    // It goes on in what it has.
    expect(await namespace(guest, 'net')).toBe(before);
    await guest.stop({t: 0});
    const gone = `cannot join network namespace of a non running container: container ${name} is exited`;
    await expect(guest.start()).rejects.toMatchObject({kind: 'conflict', message: gone});
    expect((await guest.inspect()).State.Status).toBe('exited');
    await owner.start();
    await guest.start();
    expect(await namespace(guest, 'net')).toBe(await namespace(owner, 'net'));
    await owner.restart({t: 0});
    // As in Docker it keeps the old one, until it is restarted itself.
    await guest.restart({t: 0});
    expect(await namespace(guest, 'net')).toBe(await namespace(owner, 'net'));
  });

  it('is looked for at the start', async () => {
    const missing = target.name('missing');
    const guest = await target.create({HostConfig: {NetworkMode: `container:${missing}`}});
    await expect(guest.start()).rejects.toMatchObject({
      message: `joining network namespace of container: No such container: ${missing}`,
    });
    const own = await target.create({
      name: target.name('own'),
      HostConfig: {NetworkMode: `container:${target.name('own')}`},
    });
    await expect(own.start()).rejects.toMatchObject({message: 'cannot join own network namespace'});
  });
});

describeTargets('the processes of another container', (target) => {
  it('are seen, and may be signalled', async () => {
    const owner = await target.run({Cmd: ['sh', '-c', 'trap "exit 7" USR1; while :; do sleep 0.1; done']});
    const guest = await target.run({HostConfig: {PidMode: `container:${owner.id}`}});
    expect(await namespace(guest, 'pid')).toBe(await namespace(owner, 'pid'));
    expect(await namespace(guest, 'net')).not.toBe(await namespace(owner, 'net'));
    expect(await said(guest, 'tr "\\0" " " </proc/1/cmdline')).toContain('exit 7');
    expect((await guest.inspect()).HostConfig.PidMode).toBe(`container:${owner.id}`);
    // With its first process the namespace ends, and everything in it.
    await said(guest, 'kill -USR1 1');
    expect(await owner.wait()).toMatchObject({StatusCode: 7});
    expect(await guest.wait()).toMatchObject({StatusCode: 137});
    await expect(guest.start()).rejects.toMatchObject({
      message: `failed to join PID namespace: container ${owner.id} is not running`,
    });
  });

  it('outlive those of the one that joined, which leaves none behind', async () => {
    const owner = await target.run();
    const guest = await target.run({
      Cmd: ['sh', '-c', 'sleep 4567 & exit 3'],
      HostConfig: {PidMode: `container:${owner.id}`},
    });
    expect(await guest.wait()).toMatchObject({StatusCode: 3});
    await expect.poll(() => said(owner, 'ps')).not.toContain('sleep 4567');
    expect((await owner.inspect()).State.Running).toBe(true);
  });

  it('may have a small init beside them', async () => {
    const owner = await target.run();
    const guest = await target.run({
      Cmd: ['sh', '-c', 'trap "exit 5" TERM; echo on; while :; do sleep 0.1; done'],
      HostConfig: {PidMode: `container:${owner.id}`, Init: true},
    });
    await expect.poll(async () => textOf(await guest.logs())).toBe('on\n');
    // What its processes leave behind is reaped by it or by the first process of the other container.
    await said(guest, 'sh -c "sleep 0.1 &"');
    await guest.stop();
    expect(await guest.wait()).toMatchObject({StatusCode: 5});
    expect((await owner.inspect()).State.Running).toBe(true);
  });

  it('are those of the machine, if asked for: nothing else of it is given', async () => {
    const guest = await target.run({HostConfig: {PidMode: 'host'}});
    const plain = await target.run();
    expect(await namespace(guest, 'pid')).not.toBe(await namespace(plain, 'pid'));
    const {Pid} = (await plain.inspect()).State;
    // The number that the machine knows it by.
    expect(await said(guest, `tr "\\0" " " </proc/${Pid}/cmdline`)).toContain('trap');
    expect((await guest.inspect()).HostConfig.PidMode).toBe('host');
    const status = (container: Container) =>
      said(container, 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status');
    expect(await status(guest)).toBe(await status(plain));
    expect(await said(guest, 'wc -c </proc/keys; echo 1 >/proc/sys/kernel/panic; ls /proc/1/root')).toMatch(
      /^0\n.*Read-only file system\n.*Permission denied$/s,
    );
  });

  it.each(['foo', 'private', 'container:'])('are not shared by the mode "%s"', async (PidMode) => {
    expect(await refused(target.create({HostConfig: {PidMode}}))).toBe(`invalid: invalid PID mode: ${PidMode}`);
  });

  it('belong to a container that is there', async () => {
    const missing = target.name('missing');
    for (const HostConfig of [{PidMode: `container:${missing}`}, {IpcMode: `container:${missing}`}])
      expect(await refused(target.create({HostConfig}))).toBe(`invalid: No such container: ${missing}`);
  });
});

describeTargets('the shared memory of another container', (target) => {
  it('is the same, semaphores and queues too', async () => {
    const owner = await target.run({HostConfig: {IpcMode: 'shareable', ShmSize: 1024 * 1024}});
    const guest = await target.run({HostConfig: {IpcMode: `container:${owner.id}`}});
    expect(await namespace(guest, 'ipc')).toBe(await namespace(owner, 'ipc'));
    await said(owner, 'echo there >/dev/shm/file');
    expect(await said(guest, 'cat /dev/shm/file; echo back >/dev/shm/other')).toBe('there');
    expect(await said(owner, 'cat /dev/shm/other')).toBe('back');
    expect(await said(guest, 'grep " /dev/shm " /proc/mounts')).toMatch(
      /^shm \/dev\/shm tmpfs (?=.*\bnosuid)(?=.*\bnodev)(?=.*\bnoexec)(?=.*size=1024k)/,
    );
    const third = await target.run({HostConfig: {IpcMode: `container:${guest.id}`}});
    expect(await said(third, 'cat /dev/shm/other')).toBe('back');
    // Nothing of it is mounted for longer than it is used.
    await owner.remove({force: true});
    expect(await said(third, 'cat /dev/shm/other')).toBe('back');
  });

  it('is only lent by one that says so', async () => {
    const owner = await target.run();
    expect((await owner.inspect()).HostConfig.IpcMode).toBe('private');
    const guest = await target.create({HostConfig: {IpcMode: `container:${owner.id}`}});
    await expect(guest.start()).rejects.toMatchObject({
      kind: 'invalid',
      message: `failed to join IPC namespace: container ${owner.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    });
    await owner.stop({t: 0});
    await expect(guest.start()).rejects.toMatchObject({
      kind: 'conflict',
      message: `failed to join IPC namespace: container ${owner.id} is not running`,
    });
  });

  it('may be none', async () => {
    const container = await target.run({HostConfig: {IpcMode: 'none'}});
    expect(await said(container, 'ls -d /dev/shm; grep -c " /dev/shm " /proc/mounts')).toMatch(/No such file.*\n0$/s);
  });

  it('may be the machine’s', async () => {
    const [one, two] = [await target.run({HostConfig: {IpcMode: 'host'}}), await target.run()];
    expect(await namespace(one, 'ipc')).not.toBe(await namespace(two, 'ipc'));
    const name = `/dev/shm/${target.name('host')}`;
    const three = await target.run({HostConfig: {IpcMode: 'host'}});
    expect(await namespace(three, 'ipc')).toBe(await namespace(one, 'ipc'));
    await said(one, `echo shared >${name}`);
    expect(await said(three, `cat ${name}; rm ${name}`)).toBe('shared');
  });

  it('is given way to by a mount of its own', async () => {
    const owner = await target.run({HostConfig: {IpcMode: 'shareable'}});
    const guest = await target.run({HostConfig: {IpcMode: `container:${owner.id}`, Tmpfs: {'/dev/shm': 'size=64k'}}});
    expect(await said(guest, 'grep " /dev/shm " /proc/mounts')).toContain('size=64k');
    expect(await namespace(guest, 'ipc')).toBe(await namespace(owner, 'ipc'));
  });

  it.each(['foo'])('is not shared by the mode "%s"', async (IpcMode) => {
    expect(await refused(target.create({HostConfig: {IpcMode}}))).toBe(`invalid: invalid IPC mode: ${IpcMode}`);
  });
});

describeTargets('the names of the machine', (target) => {
  it('are seen and not changed', async () => {
    const container = await target.run({HostConfig: {UTSMode: 'host'}});
    const {Config, HostConfig} = await container.inspect();
    expect(HostConfig.UTSMode).toBe('host');
    expect(Config.Hostname).toBe(container.id.slice(0, 12));
    const machine = await said(container, 'hostname');
    expect(machine).not.toBe(Config.Hostname);
    expect(await said(container, 'hostname stolen; hostname')).toMatch(new RegExp(`${machine}$`));
    expect(await said(container, 'cat /etc/hostname')).toBe(Config.Hostname);
  });

  it('are nobody else’s to give', async () => {
    expect(await refused(target.create({Hostname: 'x', HostConfig: {UTSMode: 'host'}}))).toBe(
      'invalid: conflicting options: hostname and the UTS mode',
    );
    const owner = await target.create();
    for (const UTSMode of ['foo', `container:${owner.id}`])
      expect(await refused(target.create({HostConfig: {UTSMode}}))).toBe(`invalid: invalid UTS mode: ${UTSMode}`);
  });
});

describeTargets('the users of the machine', (target: Target) => {
  it('are those of a container', async () => {
    const container = await target.run({HostConfig: {UsernsMode: 'host'}});
    expect((await container.inspect()).HostConfig.UsernsMode).toBe('host');
    expect(await said(container, 'cat /proc/self/uid_map')).toMatch(/^0\s+0\s+4294967295$/);
  });
});
