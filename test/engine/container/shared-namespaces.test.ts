import {readFileSync, readlinkSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const sleeper = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];

async function namespace(id: string, kind: string): Promise<string> {
  const {Pid} = await bed.state(id);
  return readlinkSync(`/proc/${Pid}/ns/${kind}`);
}

describe('a container that shares the processes of another one', () => {
  it('comes back with it, by its restart policy, in the new namespace', async () => {
    const RestartPolicy = {Name: 'always'} as const;
    const owner = await bed.start(sleeper, {HostConfig: {RestartPolicy}});
    const guest = await bed.start(sleeper, {HostConfig: {RestartPolicy, PidMode: `container:${owner}`}});
    const before = await namespace(owner, 'pid');
    expect(await namespace(guest, 'pid')).toBe(before);
    process.kill((await bed.state(owner)).Pid, 'SIGKILL');
    await eventually(async () => {
      expect((await bed.state(guest)).Status).toBe('running');
      expect(await namespace(guest, 'pid')).toBe(await namespace(owner, 'pid'));
      expect(await namespace(guest, 'pid')).not.toBe(before);
    });
    await bed.engine.containers.remove(guest, {force: true});
    await bed.engine.containers.remove(owner, {force: true});
  });

  it('waits for it while it is stopped, as long as its own policy says, and may be stopped meanwhile', async () => {
    const owner = await bed.start(sleeper);
    const guest = await bed.start(sleeper, {
      HostConfig: {RestartPolicy: {Name: 'always'}, PidMode: `container:${owner}`},
    });
    await bed.engine.containers.stop(owner, {timeoutSeconds: 0});
    await eventually(async () => {
      const {Status, Error: text} = await bed.state(guest);
      expect(Status).toBe('restarting');
      expect(text).toBe('join: the container whose namespace is shared is not running');
    });
    await bed.engine.containers.start(owner);
    await eventually(async () => expect((await bed.state(guest)).Status).toBe('running'));
    expect((await bed.state(guest)).Error).toBe('');
    expect(await namespace(guest, 'pid')).toBe(await namespace(owner, 'pid'));
    await bed.engine.containers.stop(owner, {timeoutSeconds: 0});
    await eventually(async () => expect((await bed.state(guest)).Status).toBe('restarting'));
    await bed.engine.containers.stop(guest);
    expect((await bed.state(guest)).Status).toBe('exited');
    await bed.engine.containers.remove(guest);
    await bed.engine.containers.remove(owner);
  });

  it('ends with it without a policy', async () => {
    const owner = await bed.start(sleeper);
    const guest = await bed.start(sleeper, {HostConfig: {PidMode: `container:${owner}`}});
    await bed.engine.containers.stop(owner, {timeoutSeconds: 0});
    await eventually(async () => expect(await bed.state(guest)).toMatchObject({Status: 'exited', ExitCode: 137}));
    await bed.engine.containers.remove(guest);
    await bed.engine.containers.remove(owner);
  });

  it('takes its own processes along when its monitor is killed', async () => {
    const owner = await bed.start(sleeper);
    const guest = await bed.start(['sh', '-c', 'sleep 5678 & while :; do sleep 0.05; done'], {
      HostConfig: {PidMode: `container:${owner}`},
    });
    await eventually(async () => expect((await bed.exec(owner, ['ps'])).output).toContain('sleep 5678'));
    const {monitor} = JSON.parse(readFileSync(bed.layout.container(guest).state, 'utf8')) as {monitor: number};
    process.kill(monitor, 'SIGKILL');
    // Whoever looks finds it dead, and clears up.
    await eventually(async () => expect((await bed.state(guest)).Status).toBe('exited'));
    expect((await bed.exec(owner, ['ps'])).output).not.toContain('sleep 5678');
    expect((await bed.state(owner)).Running).toBe(true);
    await bed.engine.containers.remove(guest);
    await bed.engine.containers.remove(owner, {force: true});
  });
});

describe('a container in the network of another one', () => {
  it('goes on there while that one is restarted by its policy', async () => {
    const owner = await bed.start(sleeper, {HostConfig: {RestartPolicy: {Name: 'always'}}});
    const guest = await bed.start(sleeper, {HostConfig: {NetworkMode: `container:${owner}`}});
    const before = await namespace(guest, 'net');
    process.kill((await bed.state(owner)).Pid, 'SIGKILL');
    await eventually(async () => expect((await bed.engine.containers.inspect(owner)).RestartCount).toBeGreaterThan(0));
    await eventually(async () => expect((await bed.state(owner)).Pid).toBeGreaterThan(0));
    expect(await namespace(owner, 'net')).toBe(before);
    expect(await namespace(guest, 'net')).toBe(before);
    await bed.engine.containers.remove(guest, {force: true});
    await bed.engine.containers.remove(owner, {force: true});
  });

  it('keeps what it was given when that one is removed', async () => {
    const owner = await bed.start(sleeper, {Hostname: 'owner'});
    const guest = await bed.start(sleeper, {HostConfig: {NetworkMode: `container:${owner}`}});
    await bed.engine.containers.remove(owner, {force: true});
    expect((await bed.exec(guest, ['cat', '/etc/hostname'])).output).toBe('owner\n');
    await bed.engine.containers.stop(guest, {timeoutSeconds: 0});
    await expect(bed.engine.containers.start(guest)).rejects.toMatchObject({
      kind: 'conflict',
      message: `joining network namespace of container: No such container: ${owner}`,
    });
    await bed.engine.containers.remove(guest);
  });

  it('refuses what would change the machine through what it shares', async () => {
    const refused = bed.create(['true'], {HostConfig: {IpcMode: 'host', Sysctls: {'kernel.shmmax': '1'}}});
    await expect(refused).rejects.toMatchObject({
      kind: 'invalid',
      message: 'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace',
    });
    const named = bed.create(['true'], {Domainname: 'x', HostConfig: {UTSMode: 'host'}});
    await expect(named).rejects.toMatchObject({message: 'conflicting options: domainname and the UTS mode'});
  });
});
