import {existsSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import type {ContainerStats, CpuStats} from '../../../api/types/stats.ts';
import {formatNanoseconds, unixNanoseconds, zeroTime} from '../../clock.ts';
import type {StatsOptions} from '../../engine.ts';
import {hasNone} from '../cgroup-hierarchies.ts';
import {cgroupPlace, pathOf} from '../cgroup-place.ts';
import type {ContainerContext} from '../context.ts';
import {cgroupsOf} from '../known-cgroups.ts';
import {nameOfId} from '../names.ts';
import {type FoundContainer, findContainer} from '../reference.ts';
import {observe} from '../state.ts';
import {readCgroupUsage} from './cgroup-usage.ts';
import {readMachineMemory, readMachineUsage} from './machine-usage.ts';
import {readNetworkUsage} from './network-usage.ts';
import {readProcessUsage} from './process-usage.ts';

/** Between two samples, as Docker takes them. */
const intervalMs = 1000;

/**
 * What a container uses: a sample now and one each second until it is removed; of one that does not run each is empty.
 * Reads files of the kernel only, and holds none open: an open file of a namespace would keep it alive. Throws `notFound`.
 */
export async function containerStats(
  context: ContainerContext,
  reference: string,
  options: StatsOptions,
  signal?: AbortSignal,
): Promise<AsyncIterable<ContainerStats>> {
  const found = await findContainer(context.layout, reference);
  return samples(context, found, options, signal);
}

async function* samples(
  context: ContainerContext,
  found: FoundContainer,
  {stream, oneShot}: StatsOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<ContainerStats, void, undefined> {
  const machineMemory = readMachineMemory();
  let before: ContainerStats | undefined;
  for (;;) {
    const now = await sample(context, found, before, machineMemory);
    // Without a stream there is one answer; its processor time is compared with a moment before, unless that is not wanted.
    const primes = !stream && !oneShot && before === undefined && now.read !== zeroTime;
    if (!primes) yield now;
    if (!stream && !primes) return;
    before = now;
    try {
      await delay(untilNextTick(performance.now()), undefined, {...(signal && {signal})});
    } catch {
      return;
    }
    if (!existsSync(context.layout.container(found.id).config)) return;
  }
}

/** All streams sample at the same moments: many of them wake the process once. The first wait is half an interval or more. */
function untilNextTick(now: number): number {
  const half = intervalMs / 2;
  return Math.ceil((now + half) / intervalMs) * intervalMs - now;
}

async function sample(
  context: ContainerContext,
  {id, name: nameBefore, record}: FoundContainer,
  before: ContainerStats | undefined,
  machineMemory: number,
): Promise<ContainerStats> {
  const {layout, cgroupParent, now} = context;
  const name = `/${(await nameOfId(layout, id, record.name)) ?? nameBefore}`;
  const {kind, state} = await observe(context, id);
  if (kind !== 'live' || state.status !== 'running') return {...nothing, name, id};
  const cgroups = await cgroupsOf(context, record);
  const usage = hasNone(cgroups)
    ? readProcessUsage({pid: state.pid ?? 0, monitor: state.monitor ?? 0}, machineMemory)
    : readCgroupUsage({hierarchies: cgroups, path: pathOf(cgroupPlace(cgroupParent, record)), machineMemory});
  const mode = record.hostConfig.NetworkMode ?? 'default';
  return {
    ...nothing,
    name,
    id,
    read: formatNanoseconds(unixNanoseconds(now)),
    preread: before?.read ?? zeroTime,
    pids_stats: usage.pids,
    blkio_stats: {
      io_service_bytes_recursive: usage.serviceBytes,
      io_serviced_recursive: usage.serviced,
      io_queue_recursive: [],
      io_service_time_recursive: [],
      io_wait_time_recursive: [],
      io_merged_recursive: [],
      io_time_recursive: [],
      sectors_recursive: [],
    },
    cpu_stats: {...usage.cpu, ...readMachineUsage()},
    precpu_stats: before?.cpu_stats ?? nothing.cpu_stats,
    memory_stats: usage.memory,
    ...(mode !== 'none' && mode !== 'host' && {networks: readNetworkUsage(state.pid ?? 0)}),
  };
}

const noCpu: CpuStats = {
  cpu_usage: {total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0},
  throttling_data: {periods: 0, throttled_periods: 0, throttled_time: 0},
};

/** A container that does not run uses nothing. */
const nothing: Omit<ContainerStats, 'name' | 'id'> = {
  read: zeroTime,
  preread: zeroTime,
  pids_stats: {},
  blkio_stats: {
    io_service_bytes_recursive: null,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: noCpu,
  precpu_stats: noCpu,
  memory_stats: {},
};
