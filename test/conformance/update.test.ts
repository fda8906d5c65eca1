import {existsSync} from 'node:fs';
import {expect, it} from 'vitest';
import type {HostConfig} from '../../src/api/types/container.ts';
import type {EngineEvent} from '../../src/api/types/system.ts';
import type {ContainerUpdateBody} from '../../src/api/types/update.ts';
import type {Container} from '../../src/client/container.ts';
import {textOf} from './output.ts';
import {describeTargets, type Target} from './targets.ts';

/** A container that ends when it finds a file; what is read in it is printed by a process beside. */
async function runReadable(target: Target, host: HostConfig = {}) {
  const container = await target.run({
    Cmd: ['sh', '-c', 'until rm /end 2>/dev/null; do sleep 0.1; done; exit 3'],
    HostConfig: {CgroupnsMode: 'private', ...host},
  });
  return {container, read: (line: string) => printedBy(container, line)};
}

async function printedBy(container: Container, line: string): Promise<string> {
  const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true, AttachStderr: true});
  return (await textOf((await exec.start()).output)).trim();
}

/** A file of the container's own cgroup: of version 1, else of version 2. */
const file = (v1: string, v2: string) => `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;
const pids = file('pids/pids.max', 'pids.max');
const memory = file('memory/memory.limit_in_bytes', 'memory.max');
const shares = file('cpu/cpu.shares', 'cpu.weight');
const cpuset = file('cpuset/cpuset.cpus', 'cpuset.cpus');
const hasSwapAccount = existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes');

/** A run that ends is followed by a longer and longer wait. */

describeTargets('update', (target) => {
  it('changes the limits of a running container', async () => {
    const {container, read} = await runReadable(target, {Memory: 100 << 20, PidsLimit: 50});
    const body: ContainerUpdateBody = {
      Memory: 150 << 20,
      PidsLimit: 60,
      CpuShares: 512,
      CpusetCpus: '0',
      CpusetMems: '0',
    };
    expect(await container.update(body)).toEqual({Warnings: null});
    expect((await container.inspect()).HostConfig).toMatchObject({...body, MemorySwap: 200 << 20});
    expect(await read(memory)).toBe(String(150 << 20));
    expect(await read(pids)).toBe('60');
    expect(await read(shares)).toMatch(/^(?:512|20|59)$/);
    expect(await read(cpuset)).toBe('0');
    expect(await container.update({PidsLimit: -1})).toEqual({Warnings: null});
    expect(await read(pids)).toBe('max');
    expect((await container.inspect()).HostConfig).toMatchObject({PidsLimit: 0, CpuShares: 512});
  });

  it.runIf(hasSwapAccount)('raises and lowers memory together with swap', async () => {
    const {container, read} = await runReadable(target, {Memory: 100 << 20});
    const swap = 'cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes';
    for (const [Memory, MemorySwap] of [
      [300 << 20, 400 << 20],
      [50 << 20, 60 << 20],
    ] as const) {
      await container.update({Memory, MemorySwap});
      expect([await read(memory), await read(swap)]).toEqual([String(Memory), String(MemorySwap)]);
    }
  });

  it('holds for later starts, also of a container that did not run', async () => {
    const container = await target.create({Cmd: ['sh', '-c', pids], HostConfig: {CgroupnsMode: 'private'}});
    await container.update({PidsLimit: 33, RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 4}});
    expect((await container.inspect()).HostConfig).toMatchObject({
      PidsLimit: 33,
      RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 4},
    });
    await container.start();
    expect(await container.wait()).toEqual({StatusCode: 0});
    expect((await textOf(await container.logs())).trim()).toBe('33');
  });

  it('changes the restart policy of a running container', async () => {
    const {container} = await runReadable(target);
    await container.update({RestartPolicy: {Name: 'always'}});
    await printedBy(container, 'touch /end');
    await expect.poll(async () => (await container.inspect()).RestartCount).toBeGreaterThan(0);
    await expect.poll(async () => (await container.inspect()).State.Status).toBe('running');
    await container.update({RestartPolicy: {Name: 'no'}});
    await printedBy(container, 'touch /end');
    await expect.poll(async () => (await container.inspect()).State.Status).toBe('exited');
    expect((await container.inspect()).HostConfig.RestartPolicy).toEqual({Name: 'no', MaximumRetryCount: 0});
  });

  it('refuses what contradicts what the container has, and changes nothing', async () => {
    const {container, read} = await runReadable(target, {Memory: 100 << 20, NanoCpus: 5e8});
    const refused: readonly (readonly [ContainerUpdateBody, string, string])[] = [
      [
        {PidsLimit: 5, Memory: 300 << 20},
        'conflict',
        'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
      ],
      [
        {PidsLimit: 5, CpuQuota: 20_000},
        'conflict',
        'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set',
      ],
    ];
    for (const [body, kind, reason] of refused) {
      await expect(container.update(body)).rejects.toMatchObject({
        kind,
        message: `Cannot update container ${container.id}: ${reason}`,
      });
    }
    const invalid: readonly (readonly [ContainerUpdateBody, string])[] = [
      [{PidsLimit: 5, Memory: 1000}, 'Minimum memory limit allowed is 6MB'],
      [{PidsLimit: 5, CpusetCpus: 'x'}, 'Invalid value x for cpuset cpus: invalid format: x'],
      [
        {PidsLimit: 5, RestartPolicy: {Name: 'always', MaximumRetryCount: 3}},
        "invalid restart policy: maximum retry count can only be used with 'on-failure'",
      ],
    ];
    for (const [body, message] of invalid)
      await expect(container.update(body)).rejects.toMatchObject({kind: 'invalid', message});
    // A record that took this in could not be started any more; the words are each engine's own.
    for (const body of [{CpuShares: '5'}, {CpuShares: 1.5}, {RestartPolicy: {Name: 'always', MaximumRetryCount: 'x'}}])
      await expect(container.update(body as ContainerUpdateBody)).rejects.toMatchObject({kind: 'invalid'});
    expect(await read(pids)).toBe('max');
    expect((await container.inspect()).HostConfig).toMatchObject({
      PidsLimit: null,
      Memory: 100 << 20,
      NanoCpus: 5e8,
      RestartPolicy: {Name: 'no'},
    });
  });

  it('of a container that is not there is not found', async () => {
    const missing = target.docker.getContainer(target.name('missing'));
    await expect(missing.update({})).rejects.toMatchObject({
      kind: 'notFound',
      message: `No such container: ${target.name('missing')}`,
    });
  });

  it('is an event', async () => {
    const name = target.name('updated');
    const container = await target.create({name});
    const since = Date.now() / 1000 - 60;
    await container.update({CpuShares: 100});
    const until = Date.now() / 1000 + 0.5;
    const filters = {container: [container.id], event: ['update']};
    const seen: EngineEvent[] = [];
    for await (const event of await target.docker.getEvents({since, until, filters})) seen.push(event);
    expect(seen).toMatchObject([{Type: 'container', Action: 'update', Actor: {ID: container.id, Attributes: {name}}}]);
  });
});
