import {isLogDriver, logDriverOptions, logDrivers} from '../../api/log-drivers.ts';
import {isOfContainer} from '../../api/sysctls.ts';
import {formatDuration} from '../../base/duration.ts';
import {didYouMean} from '../../base/suggest.ts';
import type {Tree} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {
  boolean,
  duration,
  integer,
  list,
  number,
  type Reader,
  refine,
  text,
  textOrNull,
  texts,
  wrong,
} from './readers.ts';
import {splitShellWords} from './shell-words.ts';
import {keyValues} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

export const itself = (item: Tree): string => (item.kind === 'scalar' ? String(item.value) : '');

/** A line is split into words, as Compose does; it is never run in a shell. */
export const words: Reader<readonly string[] | null> = (node, context) => {
  if (node.kind === 'sequence') return texts(node, context);
  if (node.kind !== 'scalar') return undefined;
  if (typeof node.value !== 'string') return null;
  const split = splitShellWords(node.value);
  if (!split.ok) {
    return wrong(node, context, {
      message: `cannot be split into words: ${split.message}`,
      hint: `${split.hint}, or write a list: ["program", "argument"]`,
    });
  }
  if (split.cutAt !== undefined) {
    context.problems.warning(node.at, {
      code: 'shell-operator',
      message: `${context.where} is not run by a shell: everything from "${node.value.slice(split.cutAt, split.cutAt + 20).trim()}" on is left out`,
      hint: 'write ["sh", "-c", "…"] where a shell is meant',
    });
  }
  return split.words;
};

const image: Row<'image'> = {
  read: text,
  lower: (value, {config}) => {
    config.Image = value;
  },
  change: 'recreate',
};

const command: Row<'command'> = {
  merge: {replace: true},
  read: words,
  lower: (value, {config}) => {
    if (value !== null) config.Cmd = value;
  },
  change: 'recreate',
};

const entrypoint: Row<'entrypoint'> = {
  merge: {replace: true},
  read: words,
  lower: (value, {config}) => {
    // An empty list takes the image's entry point away.
    if (value !== null) config.Entrypoint = value;
  },
  change: 'recreate',
};

const user: Row<'user'> = {
  read: text,
  lower: (value, {config}) => {
    config.User = value;
  },
  change: 'recreate',
};

const group_add: Row<'group_add'> = {
  merge: {unique: itself},
  read: list(text),
  lower: (value, {host}) => {
    host.GroupAdd = value;
  },
  change: 'recreate',
};

const working_dir: Row<'working_dir'> = {
  read: text,
  lower: (value, {config}) => {
    config.WorkingDir = value;
  },
  change: 'recreate',
};

const hostname: Row<'hostname'> = {
  read: text,
  lower: (value, {config}) => {
    config.Hostname = value;
  },
  change: 'recreate',
};

const domainname: Row<'domainname'> = {
  read: text,
  lower: (value, {config}) => {
    config.Domainname = value;
  },
  change: 'recreate',
};

/** The name becomes the container's by another way than its body. */
const container_name: Row<'container_name'> = {read: text, change: 'recreate'};

const init: Row<'init'> = {
  read: boolean,
  lower: (value, {host}) => {
    host.Init = value;
  },
  change: 'recreate',
};

const tty: Row<'tty'> = {
  read: boolean,
  spec: (value) => value || undefined,
  lower: (value, {config}) => {
    config.Tty = value;
  },
  change: 'recreate',
};

const stdin_open: Row<'stdin_open'> = {
  read: boolean,
  spec: (value) => value || undefined,
  lower: (value, {config}) => {
    config.OpenStdin = value;
  },
  change: 'recreate',
};

const read_only: Row<'read_only'> = {
  read: boolean,
  spec: (value) => value || undefined,
  lower: (value, {host}) => {
    host.ReadonlyRootfs = value;
  },
  change: 'recreate',
};

const stop_signal: Row<'stop_signal'> = {
  read: text,
  lower: (value, {config}) => {
    config.StopSignal = value;
  },
  change: 'recreate',
};

const stop_grace_period: Row<'stop_grace_period'> = {
  read: duration,
  lower: (value, {config}) => {
    config.StopTimeout = Math.trunc(value / 1e9);
  },
  render: formatDuration,
  change: 'recreate',
};

const restartPolicies = ['no', 'always', 'unless-stopped', 'on-failure'];

const restart: Row<'restart'> = {
  read: refine(text, (value, node, context) =>
    /^(?:no|always|unless-stopped|on-failure(?::\d+)?)$/.test(value)
      ? value
      : wrong(node, context, {
          message: `"${value}" is not a restart policy`,
          hint:
            didYouMean(value, restartPolicies) ??
            'write one of "no" (in quotes), always, unless-stopped, on-failure, on-failure:N',
        }),
  ),
  spec: (value) => (value === 'no' ? undefined : value),
  lower: (value, {host}) => {
    const [name = '', retries] = value.split(':');
    host.RestartPolicy = {
      Name: name as 'no' | 'always' | 'unless-stopped' | 'on-failure',
      MaximumRetryCount: retries === undefined ? 0 : Number(retries),
    };
  },
  change: 'recreate',
};

/** Values as text; a name alone has the empty one. */
export const labelMap: Reader<Readonly<Record<string, string>>> = (node, context) => {
  if (node.kind !== 'mapping') return undefined;
  return Object.fromEntries([...node.entries].map(([key, {value}]) => [key, textOrNull(value, context) ?? '']));
};

const labels: Row<'labels'> = {
  expand: keyValues(''),
  merge: {nullIsValue: true},
  read: labelMap,
  spec: (value) => (Object.keys(value).length === 0 ? undefined : value),
  change: 'recreate',
};

const logging: Row<'logging'> = {
  merge: {onlySame: 'driver'},
  read: (node, context) => {
    if (node.kind !== 'mapping') return undefined;
    const driver = node.entries.get('driver')?.value;
    const options = node.entries.get('options')?.value;
    const driverName = driver === undefined ? undefined : text(driver, context);
    const optionMap = options === undefined ? undefined : labelMap(options, context);
    return {
      ...(driverName === undefined ? {} : {driver: driverName}),
      ...(optionMap === undefined ? {} : {options: optionMap}),
    };
  },
  lower: (value, {host}) => {
    host.LogConfig = {Type: value.driver ?? '', Config: value.options ?? {}};
  },
  change: 'recreate',
  limits: [
    {
      by: 'builtin',
      of: `driver other than ${logDrivers.join(', ')}`,
      reason: 'the built-in engine gives logs to files, syslog and journald only',
      hint: `use one of ${logDrivers.join(', ')}`,
      ofValue: true,
      where: ({driver = ''}) => (driver === '' || isLogDriver(driver) ? [] : ['driver']),
    },
    {
      by: 'builtin',
      of: 'options that the driver does not have; compress and mode: non-blocking where it writes to files',
      reason: 'the built-in engine does not know the option',
      hint: 'see the options of the driver in docs/engine.md',
      where: ({driver, options = {}}) =>
        Object.entries(options).flatMap((option) =>
          isLogOption(driver || 'json-file', option) ? [] : [`options.${option[0]}`],
        ),
    },
  ],
};

function isLogOption(driver: string, [name, value]: readonly [string, string]): boolean {
  // A driver that there is not is refused as a whole.
  const known: readonly string[] | undefined = isLogDriver(driver) ? logDriverOptions[driver] : undefined;
  if (known === undefined) return true;
  if (driver === 'json-file' && name === 'compress') return value === 'false';
  const isFile = driver === 'json-file' || driver === 'local';
  return known.includes(name) && !(isFile && name === 'mode' && value === 'non-blocking');
}

const sysctls: Row<'sysctls'> = {
  expand: keyValues(''),
  merge: {nullIsValue: true},
  read: labelMap,
  lower: (value, {host}) => {
    host.Sysctls = value;
  },
  change: 'recreate',
  limits: [
    {
      by: 'builtin',
      of: 'settings of the whole machine',
      verdict: 'cannot be set for one container',
      reason: 'it applies to the whole machine',
      hint: 'remove it from "sysctls"; if you need it, set it on the machine itself',
      where: (value, {network_mode, ipc}) =>
        Object.keys(value).filter((name) => !isOfContainer(name, {network: network_mode, ipc})),
    },
  ],
};

const scale: Row<'scale'> = {
  read: refine(integer, (value, node, context) =>
    value >= 0 ? value : wrong(node, context, {message: 'a number of replicas is at least 0', hint: 'write 0 or more'}),
  ),
  spec: () => undefined,
  change: 'none',
};

const profiles: Row<'profiles'> = {merge: {unique: itself}, read: texts, spec: () => undefined, change: 'none'};

const attach: Row<'attach'> = {read: boolean, spec: () => undefined, change: 'none'};

const pull_policy: Row<'pull_policy'> = {
  read: refine(text, (value) => (value === 'if_not_present' ? 'missing' : value)),
  spec: () => undefined,
  change: 'none',
};

/** Compose knows it in a file and nowhere else: it is not printed either. */
const pull_refresh_after: Row<'pull_refresh_after'> = {
  read: refine(text, (value, node, context) => (duration(node, context) === undefined ? undefined : value)),
  spec: () => undefined,
  change: 'none',
};

const platform: Row<'platform'> = {read: text, change: 'recreate'};

const oom_score_adj: Row<'oom_score_adj'> = {
  read: refine(number, (value, node, context) =>
    value >= -1000 && value <= 1000
      ? value
      : wrong(node, context, {
          message: `${value} is not between -1000 and 1000`,
          hint: 'write a number from -1000 (last) to 1000 (first)',
        }),
  ),
  spec: (value) => (value === 0 ? undefined : value),
  lower: (value, {host}) => {
    host.OomScoreAdj = value;
  },
  change: 'recreate',
};

export const processAttributes = {
  image,
  command,
  entrypoint,
  user,
  group_add,
  working_dir,
  hostname,
  domainname,
  container_name,
  init,
  tty,
  stdin_open,
  read_only,
  stop_signal,
  stop_grace_period,
  restart,
  labels,
  logging,
  sysctls,
  scale,
  profiles,
  attach,
  pull_policy,
  pull_refresh_after,
  platform,
  oom_score_adj,
} as const;
