import type {Json} from '../../base/canonical-json.ts';
import {formatDuration} from '../../base/duration.ts';
import {sortedMembers} from '../sorted.ts';
import {withMember} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Deploy, UpdateConfig} from '../types-deploy.ts';
import type {Attribute, Limit} from './attribute.ts';
import {expandRequests, lowerRequests, readRequests, renderRequests} from './devices.ts';
import {saysNothing} from './limits.ts';
import {labelMap} from './process.ts';
import {duration, integer, list, number, object, oneOf, type Reader, refine, text, texts, wrong} from './readers.ts';
import {lowerCpus, positiveCpus, size} from './resources.ts';
import {keyValues} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

function notNegative(reader: Reader<number>, what: string): Reader<number> {
  return refine(reader, (value, node, context) =>
    value >= 0 ? value : wrong(node, context, {message: `${what} is at least 0`, hint: 'write 0 or more'}),
  );
}

const updateConfig: Reader<UpdateConfig> = object<UpdateConfig>({
  parallelism: notNegative(integer, 'a number of containers'),
  delay: duration,
  failure_action: text,
  monitor: duration,
  max_failure_ratio: number,
  order: oneOf('stop-first', 'start-first'),
});

const readDeploy = object<Deploy>({
  mode: text,
  replicas: notNegative(integer, 'a number of replicas'),
  endpoint_mode: text,
  placement: object<NonNullable<Deploy['placement']>>({
    constraints: texts,
    preferences: list(object<{readonly spread?: string}>({spread: text})),
    max_replicas_per_node: notNegative(integer, 'a number of replicas'),
  }),
  update_config: updateConfig,
  rollback_config: updateConfig,
  resources: object<NonNullable<Deploy['resources']>>({
    limits: object({cpus: positiveCpus, memory: size, pids: integer}),
    reservations: object<NonNullable<NonNullable<Deploy['resources']>['reservations']>>({
      cpus: positiveCpus,
      memory: size,
      devices: readRequests,
      generic_resources: list(
        object({
          discrete_resource_spec: object<{readonly kind?: string; readonly value?: number}>({
            kind: text,
            value: integer,
          }),
        }),
      ),
    }),
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

/** What only a swarm does: Compose reads it and does nothing. */
const swarmPaths: readonly (readonly [string, (value: Deploy) => unknown])[] = [
  ['mode', ({mode}) => (mode === 'replicated' ? undefined : mode)],
  ['endpoint_mode', ({endpoint_mode}) => endpoint_mode],
  ['labels', ({labels}) => labels],
  ['placement', ({placement}) => placement],
  ['update_config', ({update_config}) => update_config],
  ['rollback_config', ({rollback_config}) => rollback_config],
  ['resources.reservations.cpus', ({resources}) => resources?.reservations?.cpus],
  ['resources.reservations.generic_resources', ({resources}) => resources?.reservations?.generic_resources],
  ['restart_policy.delay', ({restart_policy}) => restart_policy?.delay],
  ['restart_policy.window', ({restart_policy}) => restart_policy?.window],
];

const swarm: Limit<Deploy> = {
  by: 'swarm',
  of: swarmPaths.map(([path]) => path).join(', '),
  reason: 'it has no effect outside a swarm',
  where: (value) => swarmPaths.flatMap(([path, of]) => (saysNothing(of(value)) ? [] : [path])),
};

const deploy: Row<'deploy'> = {
  expand: (node) =>
    withMember(withMember(node, 'labels', keyValues('')), 'resources', (resources) =>
      withMember(resources, 'reservations', (reservations) => withMember(reservations, 'devices', expandRequests)),
    ),
  merge: {
    members: {
      labels: {nullIsValue: true},
      placement: {members: {preferences: {append: true}}},
      resources: {members: {reservations: {members: {devices: {append: true}, generic_resources: {append: true}}}}},
    },
  },
  read: readDeploy,
  spec: ({resources, restart_policy}): Json | undefined => {
    const {limits = {}, reservations = {}} = resources ?? {};
    const {generic_resources: _, ...reserved} = reservations;
    const {delay: _delay, window: _window, ...restart} = restart_policy ?? {};
    const parts = {
      ...(Object.keys(limits).length === 0 ? {} : {limits}),
      ...(Object.keys(reserved).length === 0 ? {} : {reservations: reserved as Json}),
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
    if (reservations.devices !== undefined) lowerRequests(draft, reservations.devices);
    if (restart_policy !== undefined) {
      draft.host.RestartPolicy = {
        Name: restartNames[restart_policy.condition ?? 'any'],
        MaximumRetryCount: restart_policy.max_attempts ?? 0,
      };
    }
  },
  render: (value) => {
    const {
      mode,
      replicas,
      labels,
      update_config,
      rollback_config,
      resources,
      restart_policy,
      placement,
      endpoint_mode,
    } = value;
    return {
      ...(mode === undefined || mode === '' ? {} : {mode}),
      ...(replicas === undefined ? {} : {replicas}),
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sortedMembers(labels)}),
      ...(update_config === undefined ? {} : {update_config: renderUpdate(update_config)}),
      ...(rollback_config === undefined ? {} : {rollback_config: renderUpdate(rollback_config)}),
      ...(resources?.limits === undefined && resources?.reservations === undefined
        ? {}
        : {resources: renderResources(resources)}),
      ...(restart_policy === undefined ? {} : {restart_policy: renderRestartPolicy(restart_policy)}),
      ...(placement === undefined || Object.keys(placement).length === 0
        ? {}
        : {placement: renderPlacement(placement)}),
      ...(endpoint_mode === undefined || endpoint_mode === '' ? {} : {endpoint_mode}),
    };
  },
  change: 'recreate',
  limits: [swarm],
};

function renderUpdate(config: UpdateConfig): Json {
  const {parallelism, delay, failure_action, monitor, max_failure_ratio, order} = config;
  return {
    ...(parallelism === undefined ? {} : {parallelism}),
    ...(delay === undefined || delay === 0 ? {} : {delay: formatDuration(delay)}),
    ...(failure_action === undefined || failure_action === '' ? {} : {failure_action}),
    ...(monitor === undefined || monitor === 0 ? {} : {monitor: formatDuration(monitor)}),
    ...(max_failure_ratio === undefined || max_failure_ratio === 0 ? {} : {max_failure_ratio}),
    ...(order === undefined ? {} : {order}),
  };
}

function renderPlacement({
  constraints = [],
  preferences = [],
  max_replicas_per_node = 0,
}: NonNullable<Deploy['placement']>): Json {
  return {
    ...(constraints.length === 0 ? {} : {constraints}),
    ...(preferences.length === 0 ? {} : {preferences}),
    ...(max_replicas_per_node === 0 ? {} : {max_replicas_per_node}),
  };
}

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
            ...(saysNothing(reservations.devices) ? {} : {devices: renderRequests(reservations.devices ?? [])}),
            ...(saysNothing(reservations.generic_resources)
              ? {}
              : {generic_resources: reservations.generic_resources as Json}),
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

export const deployAttributes = {deploy} as const;
