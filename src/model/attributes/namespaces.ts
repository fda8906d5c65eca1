import {didYouMean} from '../../base/suggest.ts';
import type {Service} from '../types.ts';
import type {Attribute, Draft, LowerContext} from './attribute.ts';
import {values, whole} from './limits.ts';
import {boolean, oneOf, type Reader, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** `service:NAME` → the service; a container of it is meant. */
export function serviceOf(mode: string | undefined): string | undefined {
  return mode?.startsWith('service:') === true ? mode.slice('service:'.length) : undefined;
}

/** A mode as the engine knows it: `service:NAME` is a container of that service. */
export function modeOf(mode: string, context: LowerContext): string {
  const service = serviceOf(mode);
  return service === undefined ? mode : `container:${context.containerOf(service)}`;
}

function mode(words: readonly string[], shared = true): Reader<string> {
  return refine(text, (value, node, context) => {
    if (value === '' || words.includes(value) || (shared && /^(?:service|container):./.test(value))) return value;
    const all = [...words, ...(shared ? ['service:NAME', 'container:NAME'] : [])];
    const hint = didYouMean(value, words) ?? `write one of ${all.join(', ')}`;
    return wrong(node, context, {message: `"${value}" is unknown`, hint});
  });
}

/** Nothing but the value itself, where it says something. */
function stated(value: string): string | undefined {
  return value === '' ? undefined : value;
}

const pid: Row<'pid'> = {
  read: mode(['host']),
  spec: stated,
  lower: (value, {host}, context) => {
    if (value !== '') host.PidMode = modeOf(value, context);
  },
  change: 'recreate',
};

const ipc: Row<'ipc'> = {
  read: mode(['host', 'private', 'shareable', 'none']),
  spec: stated,
  lower: (value, {host}, context) => {
    if (value !== '') host.IpcMode = modeOf(value, context);
  },
  change: 'recreate',
};

const uts: Row<'uts'> = {
  read: mode(['host'], false),
  spec: stated,
  lower: (value, {host}) => {
    if (value !== '') host.UTSMode = value;
  },
  change: 'recreate',
};

const userns_mode: Row<'userns_mode'> = {
  read: text,
  spec: stated,
  lower: (value, {host}) => {
    if (value !== '') host.UsernsMode = value;
  },
  change: 'recreate',
  limits: [
    values(
      'builtin',
      {of: 'other than host', reason: 'the built-in engine has no other mapping of users'},
      (value) => value !== '' && value !== 'host',
    ),
  ],
};

const cgroup: Row<'cgroup'> = {
  read: oneOf('host', 'private'),
  lower: (value, {host}) => {
    host.CgroupnsMode = value;
  },
  change: 'recreate',
};

const cgroup_parent: Row<'cgroup_parent'> = {
  read: text,
  spec: stated,
  lower: (value, {host}) => {
    if (value !== '') host.CgroupParent = value;
  },
  change: 'recreate',
};

const privileged: Row<'privileged'> = {
  read: boolean,
  spec: (value) => value || undefined,
  lower: (value, {host}) => {
    if (value) host.Privileged = value;
  },
  change: 'recreate',
};

const isolation: Row<'isolation'> = {
  read: text,
  spec: stated,
  lower: (value, {host}) => {
    if (value !== '') host.Isolation = value;
  },
  change: 'recreate',
  limits: [
    values(
      'builtin',
      {of: 'other than default', reason: 'it has a meaning on Windows only', hint: 'remove it'},
      (value) => value !== '' && value !== 'default',
    ),
  ],
};

const runtime: Row<'runtime'> = {
  read: text,
  spec: stated,
  lower: (value, {host}) => {
    if (value !== '') host.Runtime = value;
  },
  change: 'recreate',
  limits: [whole('builtin', 'the built-in engine is the only runtime')],
};

/** On its first network; where it has none, on what its network mode gives it. */
const mac_address: Row<'mac_address'> = {
  read: text,
  spec: stated,
  lower: (value, {config}: Draft, {service}) => {
    if (value !== '' && Object.keys(service.networks ?? {}).length === 0) config.MacAddress = value;
  },
  change: 'recreate',
  limits: [
    {
      by: 'builtin',
      of: 'with network_mode',
      reason: 'the container has no network interface of its own',
      where: (value, service) => (value !== '' && service.network_mode !== undefined ? [''] : []),
    },
  ],
};

export const namespaceAttributes = {
  pid,
  ipc,
  uts,
  userns_mode,
  cgroup,
  cgroup_parent,
  privileged,
  isolation,
  runtime,
  mac_address,
} as const;
