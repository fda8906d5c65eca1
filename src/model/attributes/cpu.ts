import type {HostConfig} from '../../api/types/container.ts';
import {parseDuration} from '../../base/duration.ts';
import {isText} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Attribute, Limit} from './attribute.ts';
import {whole} from './limits.ts';
import {integer, number, type Reader, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** A whole number, or a number whose fraction is cut off, as Compose does. */
const cutInteger: Reader<number> = refine(number, (value) => Math.trunc(value));

/** Microseconds as a number, or a duration (Compose Specification, "cpu_rt_runtime"). */
const microseconds: Reader<number> = (node, context) => {
  if (!isText(node) || /^[-+]?[\d.]+$/.test(node.value)) return cutInteger(node, context);
  const parsed = parseDuration(node.value);
  return parsed.ok
    ? Math.trunc(parsed.nanoseconds / 1000)
    : wrong(node, context, {
        message: `"${node.value}" is neither a number of microseconds nor a duration`,
        hint: 'write 50000 or 50ms',
      });
};

function between(reader: Reader<number>, least: number, most: number): Reader<number> {
  return refine(reader, (value, node, context) =>
    value >= least && value <= most
      ? value
      : wrong(
          node,
          context,
          most === Number.POSITIVE_INFINITY
            ? {message: `${value} is below ${least}`, hint: `write ${least} or more`}
            : {
                message: `${value} is not between ${least} and ${most}`,
                hint: `write a number from ${least} to ${most}`,
              },
        ),
  );
}

type NumberMember = {
  [K in keyof HostConfig]-?: number extends NonNullable<HostConfig[K]> ? K : never;
}[keyof HostConfig];

/** Zero is as if nothing were said. */
function numberRow(read: Reader<number>, member: NumberMember, limits?: readonly Limit<number>[]): Attribute<number> {
  return {
    read,
    spec: (value) => (value === 0 ? undefined : value),
    lower: (value, {host}) => {
      if (value !== 0) host[member] = value;
    },
    change: 'recreate',
    ...(limits === undefined ? {} : {limits}),
  };
}

const windows = [whole('builtin', 'it has a meaning on Windows only', 'use "cpus" for a limit')];
const none = Number.POSITIVE_INFINITY;

const cpu_count: Row<'cpu_count'> = numberRow(between(integer, 0, none), 'CpuCount', windows);
const cpu_percent: Row<'cpu_percent'> = numberRow(between(number, 0, 100), 'CpuPercent', windows);
const cpu_period: Row<'cpu_period'> = numberRow(microseconds, 'CpuPeriod');
const cpu_quota: Row<'cpu_quota'> = numberRow(microseconds, 'CpuQuota');
const cpu_rt_period: Row<'cpu_rt_period'> = numberRow(microseconds, 'CpuRealtimePeriod');
const cpu_rt_runtime: Row<'cpu_rt_runtime'> = numberRow(microseconds, 'CpuRealtimeRuntime');
const cpu_shares: Row<'cpu_shares'> = numberRow(cutInteger, 'CpuShares');

const cpuset: Row<'cpuset'> = {
  read: refine(text, (value, node, context) =>
    value === '' || /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(value)
      ? value
      : wrong(node, context, {message: `"${value}" is not a list of processors`, hint: 'write 0-3 or 0,2'}),
  ),
  spec: (value) => (value === '' ? undefined : value),
  lower: (value, {host}) => {
    if (value !== '') host.CpusetCpus = value;
  },
  change: 'recreate',
};

export const cpuAttributes = {
  cpu_count,
  cpu_percent,
  cpu_period,
  cpu_quota,
  cpu_rt_period,
  cpu_rt_runtime,
  cpu_shares,
  cpuset,
} as const;
