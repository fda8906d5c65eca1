import type {HealthConfig} from '../../api/types/container.ts';
import type {Json} from '../../base/canonical-json.ts';
import {formatDuration} from '../../base/duration.ts';
import type {Tree} from '../tree.ts';
import {isText, mapEntries, objectAt, scalar, sequence, withMember} from '../tree.ts';
import type {Dependency, Healthcheck, Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {boolean, duration, integer, list, object, oneOf, record, refine, text, wrong} from './readers.ts';
import {namesTo, withDirectiveOf} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** `required` is stated before files are merged, so that a later file can take it back. */
function withRequired(node: Tree, _key: string): Tree {
  if (node.kind !== 'mapping' || node.entries.has('required')) return node;
  const required = {key: node.at, value: scalar(true, node.at)};
  return {...node, entries: new Map([...node.entries, ['required', required]])};
}

const depends_on: Row<'depends_on'> = {
  expand: (node) =>
    mapEntries(namesTo((name) => objectAt({condition: 'service_started'}, name.at))(node), withRequired),
  read: record(
    refine(
      object<Partial<Dependency>>({
        condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'),
        restart: boolean,
        required: boolean,
      }),
      (value): Dependency | undefined =>
        value.condition === undefined
          ? undefined
          : {...value, condition: value.condition, required: value.required ?? true},
    ),
  ),
  spec: () => undefined,
  render: (value) =>
    Object.fromEntries(
      Object.entries(value).map(([name, {condition, restart, required}]) => [
        name,
        {condition, ...(restart === true ? {restart} : {}), required},
      ]),
    ),
  change: 'none',
};

const readTest = refine(list(text), (value, node, context) => {
  const [first] = value;
  if (first === 'NONE' || first === 'CMD' || first === 'CMD-SHELL') return value;
  if (value.length === 0)
    return wrong(node, context, {
      message: 'the list is empty',
      hint: 'write ["CMD", "program", …] or a string for the shell',
    });
  return wrong(node, context, {
    message: `a list begins with "CMD", "CMD-SHELL" or "NONE", not with "${first}"`,
    hint: `write ["CMD", "${first}", …]`,
  });
});

const notNegative = refine(duration, (value, node, context) =>
  value >= 0
    ? value
    : wrong(node, context, {message: 'a duration cannot be negative', hint: 'write a number with a unit, like 30s'}),
);

const healthcheck: Row<'healthcheck'> = {
  expand: (node) =>
    withMember(node, 'test', (value) =>
      isText(value)
        ? withDirectiveOf(value, sequence([scalar('CMD-SHELL', value.at), scalar(value.value, value.at)], value.at))
        : value,
    ),
  merge: {members: {test: {replace: true}}},
  read: refine(
    object<Healthcheck>({
      test: readTest,
      interval: notNegative,
      timeout: notNegative,
      retries: integer,
      start_period: notNegative,
      start_interval: notNegative,
      disable: boolean,
    }),
    (value, node, context) => {
      if (value.start_interval !== undefined && value.start_period === undefined) {
        return wrong(node, context, {
          message: 'start_interval needs start_period',
          hint: 'add start_period: how long starting may take',
        });
      }
      return value;
    },
  ),
  spec: (value): Json | undefined => {
    if (value.disable === true) return {disable: true};
    const {disable: _, ...rest} = value;
    return Object.keys(rest).length === 0 ? undefined : (rest as Json);
  },
  lower: (value, {config}) => {
    config.Healthcheck = lowerHealthcheck(value);
  },
  render: ({test, timeout, interval, retries, start_period, start_interval, disable}) => ({
    ...(test === undefined ? {} : {test: [...test]}),
    ...(timeout === undefined ? {} : {timeout: formatDuration(timeout)}),
    ...(interval === undefined ? {} : {interval: formatDuration(interval)}),
    ...(retries === undefined ? {} : {retries}),
    ...(start_period === undefined ? {} : {start_period: formatDuration(start_period)}),
    ...(start_interval === undefined ? {} : {start_interval: formatDuration(start_interval)}),
    ...(disable === true ? {disable} : {}),
  }),
  change: 'recreate',
};

function lowerHealthcheck({
  test,
  interval,
  timeout,
  retries,
  start_period,
  start_interval,
  disable,
}: Healthcheck): HealthConfig {
  if (disable === true) return {Test: ['NONE']};
  return {
    ...(test === undefined ? {} : {Test: test}),
    ...(interval === undefined ? {} : {Interval: interval}),
    ...(timeout === undefined ? {} : {Timeout: timeout}),
    ...(retries === undefined ? {} : {Retries: retries}),
    ...(start_period === undefined ? {} : {StartPeriod: start_period}),
    ...(start_interval === undefined ? {} : {StartInterval: start_interval}),
  };
}

export const dependencyAttributes = {depends_on, healthcheck} as const;
