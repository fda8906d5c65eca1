import type {Json} from '../../base/canonical-json.ts';
import {formatDuration} from '../../base/duration.ts';
import {withMember} from '../tree.ts';
import type {Deploy, Service} from '../types.ts';
import type {Attribute, Draft} from './attribute.ts';
import {labelMap} from './process.ts';
import {bytes, duration, integer, number, object, oneOf, type Reader, record, refine, wrong} from './readers.ts';
import {keyValues} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const positiveCpus = refine(number, (value, node, context) =>
  value >= 0 ? value : wrong(node, context, {message: `${value} is no number of processors`}),
);
const size: Reader<number> = refine(bytes, (value, node, context) =>
  value >= 0 ? value : wrong(node, context, {message: 'a size cannot be negative'}),
);
const asText = (value: number): string => String(value);
/** Zero is no limit, as if nothing were said. */
const unlessZero = (value: number): number | undefined => (value === 0 ? undefined : value);

const cpus: Row<'cpus'> = {
  read: positiveCpus,
  spec: unlessZero,
  lower: (value, draft) => lowerCpus(value, draft),
  change: 'live',
};

function lowerCpus(value: number, {host}: Draft): void {
  host.NanoCpus = Math.round(value * 1e9);
}

const mem_limit: Row<'mem_limit'> = {
  read: size,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.Memory = value;
  },
  render: asText,
  change: 'live',
};

const mem_reservation: Row<'mem_reservation'> = {
  read: size,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.MemoryReservation = value;
  },
  render: asText,
  change: 'live',
};

const memswap_limit: Row<'memswap_limit'> = {
  read: bytes,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.MemorySwap = value;
  },
  render: asText,
  change: 'live',
};

const pids_limit: Row<'pids_limit'> = {
  read: integer,
  spec: unlessZero,
  lower: (value, {host}) => {
    host.PidsLimit = value;
  },
  change: 'live',
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

const ulimits: Row<'ulimits'> = {
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
        : wrong(node, context, {message: `the soft limit ${value.soft} is above the hard limit ${value.hard}`}),
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

const readDeploy = object<Deploy>({
  replicas: refine(integer, (value, node, context) =>
    value >= 0 ? value : wrong(node, context, {message: 'a number of replicas is at least 0'}),
  ),
  resources: object<NonNullable<Deploy['resources']>>({
    limits: object({cpus: positiveCpus, memory: size, pids: integer}),
    reservations: object({cpus: positiveCpus, memory: size}),
  }),
  restart_policy: object<NonNullable<Deploy['restart_policy']>>({
    condition: oneOf('none', 'on-failure', 'any'),
    delay: duration,
    max_attempts: integer,
    window: duration,
  }),
  labels: labelMap,
});

const restartNames = {none: 'no', 'on-failure': 'on-failure', any: 'always'} as const;

/** The rest of what a swarm reads is refused by the schema; labels of the deployment concern no container. */
const deploy: Row<'deploy'> = {
  expand: (node) => withMember(node, 'labels', keyValues('')),
  merge: {members: {labels: {nullIsValue: true}}},
  read: (node, context) => {
    const policy = node.kind === 'mapping' ? node.entries.get('restart_policy')?.value : undefined;
    for (const name of ['delay', 'window']) {
      const entry = policy?.kind === 'mapping' ? policy.entries.get(name) : undefined;
      if (entry === undefined) continue;
      context.problems.warning(entry.key, {
        code: 'no-effect',
        message: `${context.where}.restart_policy.${name} has no effect outside a swarm`,
      });
    }
    return readDeploy(node, context);
  },
  spec: ({resources, restart_policy}): Json | undefined => {
    const {limits = {}, reservations = {}} = resources ?? {};
    const {delay: _delay, window: _window, ...restart} = restart_policy ?? {};
    const parts = {
      ...(Object.keys(limits).length === 0 ? {} : {limits}),
      ...(Object.keys(reservations).length === 0 ? {} : {reservations}),
    };
    const stated = {
      ...(Object.keys(parts).length === 0 ? {} : {resources: parts}),
      ...(Object.keys(restart).length === 0 ? {} : {restart_policy: restart}),
    };
    return Object.keys(stated).length === 0 ? undefined : stated;
  },
  lower: ({resources, restart_policy}, draft) => {
    const {limits = {}, reservations = {}} = resources ?? {};
    if (limits.cpus !== undefined) lowerCpus(limits.cpus, draft);
    if (limits.memory !== undefined) draft.host.Memory = limits.memory;
    if (limits.pids !== undefined) draft.host.PidsLimit = limits.pids;
    if (reservations.memory !== undefined) draft.host.MemoryReservation = reservations.memory;
    if (restart_policy !== undefined) {
      draft.host.RestartPolicy = {
        Name: restartNames[restart_policy.condition ?? 'any'],
        MaximumRetryCount: restart_policy.max_attempts ?? 0,
      };
    }
  },
  render: ({replicas, labels, resources, restart_policy}) => ({
    ...(replicas === undefined ? {} : {replicas}),
    ...(labels === undefined ? {} : {labels}),
    ...(resources?.limits === undefined && resources?.reservations === undefined
      ? {}
      : {resources: renderResources(resources)}),
    ...(restart_policy === undefined ? {} : {restart_policy: renderRestartPolicy(restart_policy)}),
  }),
  change: 'recreate',
};

function renderResources({limits, reservations}: NonNullable<Deploy['resources']>): Json {
  const memory = (value: number | undefined): {readonly memory?: string} =>
    value === undefined ? {} : {memory: String(value)};
  return {
    ...(limits === undefined
      ? {}
      : {
          limits: {
            ...(limits.cpus === undefined ? {} : {cpus: limits.cpus}),
            ...memory(limits.memory),
            ...(limits.pids === undefined ? {} : {pids: limits.pids}),
          },
        }),
    ...(reservations === undefined
      ? {}
      : {
          reservations: {
            ...(reservations.cpus === undefined ? {} : {cpus: reservations.cpus}),
            ...memory(reservations.memory),
          },
        }),
  };
}

function renderRestartPolicy({condition, delay, max_attempts, window}: NonNullable<Deploy['restart_policy']>): Json {
  return {
    ...(condition === undefined ? {} : {condition}),
    ...(delay === undefined ? {} : {delay: formatDuration(delay)}),
    ...(max_attempts === undefined ? {} : {max_attempts}),
    ...(window === undefined ? {} : {window: formatDuration(window)}),
  };
}

export const resourceAttributes = {
  cpus,
  mem_limit,
  mem_reservation,
  memswap_limit,
  pids_limit,
  shm_size,
  ulimits,
  deploy,
} as const;
