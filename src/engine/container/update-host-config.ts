import type {HostConfig} from '../../api/types/container.ts';
import type {ContainerUpdateBody} from '../../api/types/update.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkSwap} from './check-resources.ts';
import {memoryAndSwap} from './limits.ts';

/** Numbers and texts that say nothing while they are zero or empty. */
const members = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
] as const satisfies readonly Exclude<keyof ContainerUpdateBody, 'PidsLimit' | 'RestartPolicy'>[];

/** Refuses by name what Docker would leave out in silence. Throws `unsupported`. */
export function refuseOtherUpdates(body: ContainerUpdateBody): void {
  const known: readonly string[] = [...members, 'PidsLimit', 'RestartPolicy'];
  for (const [key, value] of Object.entries(body)) {
    if (known.includes(key) || saysNothing(value)) continue;
    throw new TscomposeError('unsupported', `${key} of a container cannot be updated`, {
      hint: 'make the container anew',
    });
  }
}

/** Clients send every member there is; -1 is a swappiness that says nothing. */
function saysNothing(value: unknown): boolean {
  return !value || value === -1 || (typeof value === 'object' && Object.keys(value).length === 0);
}

/**
 * What a container is to have from now on, as Docker merges it. Throws `conflict` for what contradicts what it has, `invalid`
 * for limits that no start could write.
 */
export function updateHostConfig(host: HostConfig, body: ContainerUpdateBody): HostConfig {
  const present: HostConfig = {...host, MemorySwap: memoryAndSwap(host)};
  refuseConflicts(present, body);
  const given = Object.fromEntries(members.flatMap((key) => (body[key] ? [[key, body[key]]] : [])));
  const {PidsLimit: pids} = body;
  const updated: HostConfig = {
    ...present,
    ...given,
    ...(typeof pids === 'number' ? {PidsLimit: Math.max(pids, 0)} : {}),
    ...(body.RestartPolicy?.Name ? {RestartPolicy: {MaximumRetryCount: 0, ...body.RestartPolicy}} : {}),
  };
  checkSwap(updated);
  return updated;
}

function refuseConflicts(host: HostConfig, body: ContainerUpdateBody): void {
  const {NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, Memory = 0, MemorySwap = 0, RestartPolicy} = body;
  const conflicting = (reason: string) => new TscomposeError('conflict', reason);
  const both = (changed: string, set: string) =>
    conflicting(`Conflicting options: ${changed} cannot be updated as ${set} has already been set`);
  if (NanoCpus > 0 && (host.CpuPeriod ?? 0) > 0) throw both('Nano CPUs', 'CPU Period');
  if (NanoCpus > 0 && (host.CpuQuota ?? 0) > 0) throw both('Nano CPUs', 'CPU Quota');
  if (CpuPeriod > 0 && (host.NanoCpus ?? 0) > 0) throw both('CPU Period', 'NanoCPUs');
  if (CpuQuota > 0 && (host.NanoCpus ?? 0) > 0) throw both('CPU Quota', 'NanoCPUs');
  if (Memory > (host.MemorySwap ?? 0) && MemorySwap === 0) {
    throw conflicting(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  const {Name = ''} = RestartPolicy ?? {};
  if (host.AutoRemove && Name !== '' && Name !== 'no') {
    throw conflicting('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
}
