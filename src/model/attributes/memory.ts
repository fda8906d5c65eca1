import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {boolean, bytes, refine, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** Compose reads it as a size, so that it prints text. */
const mem_swappiness: Row<'mem_swappiness'> = {
  read: refine(bytes, (value, node, context) =>
    value >= -1 && value <= 100
      ? value
      : wrong(node, context, {message: `${value} is not between 0 and 100`, hint: 'write a number from 0 to 100'}),
  ),
  spec: (value) => (value === 0 ? undefined : value),
  lower: (value, {host}) => {
    if (value !== 0) host.MemorySwappiness = value;
  },
  render: (value) => String(value),
  change: 'recreate',
};

const oom_kill_disable: Row<'oom_kill_disable'> = {
  read: boolean,
  spec: (value) => value || undefined,
  lower: (value, {host}) => {
    if (value) host.OomKillDisable = value;
  },
  change: 'recreate',
};

export const memoryAttributes = {mem_swappiness, oom_kill_disable} as const;
