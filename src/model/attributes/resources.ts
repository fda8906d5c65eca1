import type {Json} from '../../base/canonical-json.ts';
import type {Service} from '../types.ts';
import type {Attribute, Draft} from './attribute.ts';
import {bytes, integer, number, object, type Reader, record, refine, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

export const positiveCpus = refine(number, (value, node, context) =>
  value >= 0
    ? value
    : wrong(node, context, {message: `${value} is not a number of processors`, hint: 'write a number like 0.5 or 2'}),
);
export const size: Reader<number> = refine(bytes, (value, node, context) =>
  value >= 0
    ? value
    : wrong(node, context, {message: 'a size cannot be negative', hint: 'write a number with a unit, like 512m or 1g'}),
);
const asText = (value: number): string => String(value);
/** Zero is no limit, as if nothing were said. */
const unlessZero = (value: number): number | undefined => (value === 0 ? undefined : value);

const cpus: Row<'cpus'> = {
  read: positiveCpus,
  spec: unlessZero,
  lower: (value, draft) => lowerCpus(value, draft),
  change: 'recreate',
};

export function lowerCpus(value: number, {host}: Draft): void {
  host.NanoCpus = Math.round(value * 1e9);
}

const mem_limit: Row<'mem_limit'> = {
  read: size,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.Memory = value;
  },
  render: asText,
  change: 'recreate',
};

const mem_reservation: Row<'mem_reservation'> = {
  read: size,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.MemoryReservation = value;
  },
  render: asText,
  change: 'recreate',
};

const memswap_limit: Row<'memswap_limit'> = {
  read: bytes,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.MemorySwap = value;
  },
  render: asText,
  change: 'recreate',
};

const pids_limit: Row<'pids_limit'> = {
  read: integer,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.PidsLimit = value;
  },
  change: 'recreate',
};

const shm_size: Row<'shm_size'> = {
  read: size,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.ShmSize = value;
  },
  render: asText,
  change: 'recreate',
};

type Ulimit = {readonly soft: number; readonly hard: number; readonly single?: boolean};

const readLimits = object<Ulimit>({soft: integer, hard: integer, single: () => undefined});

/** One number is both limits. */
const readUlimit: Reader<Ulimit> = (node, context) => {
  if (node.kind === 'mapping') return readLimits(node, context);
  const limit = integer(node, context);
  return limit === undefined ? undefined : {soft: limit, hard: limit, single: true};
};

export const ulimits: Row<'ulimits'> = {
  spec: (value): Json | undefined => {
    const stated = Object.entries(value).map(([name, {soft, hard}]) => [name, {soft, hard}] as const);
    return stated.length === 0 ? undefined : Object.fromEntries(stated);
  },
  merge: {each: {replace: true}},
  read: record(
    refine(readUlimit, (value, node, context) =>
      value.soft === undefined ||
      value.hard === undefined ||
      value.hard === -1 ||
      (value.soft !== -1 && value.soft <= value.hard)
        ? value
        : wrong(node, context, {
            message: `the soft limit ${value.soft} is above the hard limit ${value.hard}`,
            hint: 'raise the hard limit, or lower the soft one',
          }),
    ),
  ),
  lower: (value, {host}) => {
    host.Ulimits = Object.entries(value).map(([name, {soft, hard}]) => ({Name: name, Soft: soft, Hard: hard}));
  },
  render: (value): Json =>
    Object.fromEntries(
      Object.entries(value).map(([name, {soft, hard, single}]) => [name, single === true ? soft : {soft, hard}]),
    ),
  change: 'recreate',
};

export const resourceAttributes = {
  cpus,
  mem_limit,
  mem_reservation,
  memswap_limit,
  pids_limit,
  shm_size,
  ulimits,
} as const;
