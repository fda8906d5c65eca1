import {expect, it} from 'vitest';
import type {ContainerStats} from '../../src/api/types/stats.ts';
import {eventually} from '../support/host.ts';
import {describeTargets} from './targets.ts';

const busy = ['sh', '-c', 'while :; do :; done'];

/** As the docker command line computes it. */
function cpuPercent({cpu_stats: now, precpu_stats: before}: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const counted = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  return counted > 0 ? (used / counted) * (now.online_cpus ?? 0) * 100 : 0;
}

/** What the processors did meanwhile, by the clock. */
function cpuPercentByClock({read, preread, cpu_stats, precpu_stats}: ContainerStats): number {
  const used = cpu_stats.cpu_usage.total_usage - precpu_stats.cpu_usage.total_usage;
  return (used / ((Date.parse(read) - Date.parse(preread)) * 1e6)) * 100;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function take<T>(values: AsyncIterable<T>, count: number): Promise<readonly T[]> {
  const taken: T[] = [];
  for await (const value of values) if (taken.push(value) === count) break;
  return taken;
}

describeTargets('statistics', (target) => {
  it('of a running container are measured', async () => {
    const container = await target.run({HostConfig: {Memory: 32 * 1024 * 1024, PidsLimit: 20}});
    const stats = await container.stats({stream: false});
    expect(stats).toMatchObject({
      id: container.id,
      name: (await container.inspect()).Name,
      num_procs: 0,
      storage_stats: {},
      pids_stats: {current: expect.any(Number), limit: 20},
      memory_stats: {usage: expect.any(Number), limit: 32 * 1024 * 1024, stats: expect.any(Object)},
      cpu_stats: {throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0}},
    });
    expect(stats.pids_stats.current).toBeGreaterThanOrEqual(1);
    expect(stats.memory_stats.usage).toBeGreaterThan(4096);
    expect(stats.memory_stats.usage).toBeLessThan(32 * 1024 * 1024);
    expect(stats.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(0);
    expect(stats.cpu_stats.online_cpus).toBeGreaterThan(0);
    // One answer, two samples: what clients compute percentages from.
    expect(stats.precpu_stats.system_cpu_usage).toBeGreaterThan(0);
    expect(Date.parse(stats.read) - Date.parse(stats.preread)).toBeGreaterThan(500);
    expect(Math.abs(Date.parse(stats.read) - Date.now())).toBeLessThan(60_000);
    expect(stats.networks).toBeUndefined();
  });

  it('tell how much of a processor is used', async () => {
    // So little that it gets it on a busy machine too.
    const twentieth = await target.run({Cmd: busy, HostConfig: {NanoCpus: 50_000_000}});
    const idle = await target.run({Cmd: ['sleep', '1000']});
    // Measured again where the machine stopped meanwhile.
    await eventually(async () => {
      const [first, ...rest] = await take(await twentieth.stats(), 4);
      const quiet = await idle.stats({stream: false});
      expect(first?.precpu_stats.cpu_usage.total_usage).toBe(0);
      for (const sample of rest) {
        expect(Date.parse(sample.read) - Date.parse(sample.preread)).toBeGreaterThan(500);
      }
      const mean = meanOf(rest.map(cpuPercent));
      expect(mean).toBeGreaterThan(3);
      expect(mean).toBeLessThan(8);
      expect(cpuPercent(quiet)).toBeLessThan(3);
      expect(rest.at(-1)?.cpu_stats.throttling_data.throttled_periods).toBeGreaterThan(0);
    }, 60_000);
    await Promise.all([twentieth.remove({force: true}), idle.remove({force: true})]);
  });

  it('agree with the clock', async () => {
    const half = await target.run({Cmd: busy, HostConfig: {NanoCpus: 500_000_000}});
    await eventually(async () => {
      const samples = (await take(await half.stats(), 5)).slice(1);
      const [byClock, byShare] = [meanOf(samples.map(cpuPercentByClock)), meanOf(samples.map(cpuPercent))];
      // Docker leaves stolen time out of what the processors counted, so its shares may come out higher.
      expect(byShare).toBeGreaterThan(byClock * 0.85);
      expect(byShare).toBeLessThan(byClock * 1.5);
    }, 60_000);
    await half.remove({force: true});
  });

  it('count what goes over the network', async () => {
    const network = await target.docker.createNetwork({
      Name: target.name('counted'),
      Labels: {'io.tscompose.test': target.label.split('=')[1] ?? ''},
    });
    const container = await target.run({HostConfig: {NetworkMode: network.id}});
    const bytesOf = async () => {
      const {networks = {}} = await container.stats({stream: false, oneShot: true});
      expect(Object.keys(networks)).toEqual(['eth0']);
      return networks['eth0']?.tx_bytes ?? -1;
    };
    const before = await bytesOf();
    const gateway = (await network.inspect()).IPAM?.Config?.[0]?.Gateway ?? '';
    const ping = await container.exec({Cmd: ['ping', '-c', '3', '-i', '0.2', '-s', '1000', '-W', '10', gateway]});
    for await (const _ of (await ping.start()).output);
    await expect.poll(async () => (await bytesOf()) - before).toBeGreaterThan(3000);
    await container.remove({force: true});
    await network.remove();
  });

  it('know the memory that is used', async () => {
    const container = await target.run({
      Cmd: ['sh', '-c', 'dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; echo done; exec sleep 1000'],
    });
    await expect
      .poll(async () => (await container.stats({stream: false, oneShot: true})).memory_stats.usage ?? 0)
      .toBeGreaterThan(20 * 1024 * 1024);
    const {memory_stats} = await container.stats({stream: false, oneShot: true});
    expect(memory_stats.usage).toBeLessThan(60 * 1024 * 1024);
    // Without a limit of its own: the machine's.
    expect(memory_stats.limit).toBeGreaterThan(256 * 1024 * 1024);
    expect(memory_stats.limit).toBeLessThan(2 ** 50);
    expect(memory_stats.stats?.['total_inactive_file'] ?? memory_stats.stats?.['inactive_file']).toBeTypeOf('number');
  });

  it('of a container that does not run are empty', async () => {
    const container = await target.create();
    const empty = {
      id: container.id,
      name: (await container.inspect()).Name,
      read: '0001-01-01T00:00:00Z',
      preread: '0001-01-01T00:00:00Z',
      pids_stats: {},
      memory_stats: {},
      cpu_stats: {cpu_usage: {total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0}},
    };
    expect(await container.stats({stream: false})).toMatchObject(empty);
    expect(await container.stats({stream: false, oneShot: true})).toMatchObject(empty);
    expect(await take(await container.stats(), 2)).toMatchObject([empty, empty]);
  });

  it('go on over a stop and a start, and end when the container is removed', async () => {
    const container = await target.run();
    const running: boolean[] = [];
    const states = async () => {
      for await (const {memory_stats} of await container.stats()) running.push(memory_stats.usage !== undefined);
    };
    const ended = states();
    await expect.poll(() => running.at(-1)).toBe(true);
    await container.stop({t: 0});
    await expect.poll(() => running.at(-1)).toBe(false);
    await container.start();
    await expect.poll(() => running.at(-1)).toBe(true);
    await container.remove({force: true});
    await ended;
  });

  it('are refused in contradiction, and of nobody', async () => {
    const container = await target.create();
    const contradiction = container.stats({stream: true, oneShot: true} as {readonly stream: true});
    await expect(contradiction).rejects.toMatchObject({kind: 'invalid', statusCode: 400});
    const missing = target.docker.getContainer(target.name('missing'));
    await expect(missing.stats()).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
    await expect(missing.stats({stream: false})).rejects.toMatchObject({kind: 'notFound', statusCode: 404});
  });
});
