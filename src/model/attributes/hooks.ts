import {mapItems} from '../tree.ts';
import type {Hook, InitHook, Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {expandHook, readHook, renderHook} from './hook.ts';
import {whole} from './limits.ts';
import {words} from './process.ts';
import {boolean, list, object, type Reader, record, refine, text, textOrNull} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** They are for whoever starts and stops the container, so the engine is not told of them. */
const hooks: Attribute<readonly Hook[]> = {
  expand: (node) => mapItems(node, expandHook),
  merge: {append: true},
  read: list(readHook),
  spec: (value) => (value.length === 0 ? undefined : value.map(renderHook)),
  render: (value) => value.map(renderHook),
  change: 'recreate',
};

const post_start: Row<'post_start'> = hooks;

const pre_stop: Row<'pre_stop'> = hooks;

const readInitHook: Reader<InitHook> = refine(
  object<Omit<InitHook, 'command'> & {readonly command?: readonly string[] | null}>({
    command: words,
    image: text,
    user: text,
    privileged: boolean,
    working_dir: text,
    environment: record(textOrNull),
    per_replica: boolean,
  }),
  ({command, ...rest}): InitHook => ({...(command === undefined || command === null ? {} : {command}), ...rest}),
);

const pre_start: Row<'pre_start'> = {
  expand: (node) => mapItems(node, expandHook),
  merge: {append: true},
  read: list(readInitHook),
  render: (value) =>
    value.map(({command = [], image, per_replica, ...rest}) => {
      const {command: line, ...others} = renderHook({...rest, command}) as {readonly [name: string]: never};
      return {
        ...(command.length === 0 ? {} : {command: line}),
        ...(image === undefined ? {} : {image}),
        ...others,
        ...(per_replica === true ? {per_replica} : {}),
      };
    }),
  change: 'recreate',
  limits: [
    whole(
      'tscompose',
      'containers that prepare a service are not run yet',
      'move it into a service of its own, and wait for it with "depends_on" and the condition service_completed_successfully',
    ),
  ],
};

export const hookAttributes = {post_start, pre_start, pre_stop} as const;
