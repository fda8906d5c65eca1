import {specLabel} from '../../api/labels.ts';
import type {ContainerSummary, PortSummary} from '../../api/types/container.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {cut} from '../../report/cells.ts';
import type {CliContext} from '../context.ts';
import {containerStates, type Input} from '../flags.ts';
import {compareText, listProjectContainers, type ProjectContainer} from '../project-containers.ts';
import {quoted} from '../quoted.ts';
import {humanDuration} from '../relative-time.ts';
import {formatRows, parseRowTemplate, type Row, toLines} from '../row-template.ts';
import {withStackNames} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

export function runPs(context: CliContext, input: Input<'ps'>): Promise<number> {
  const wanted = wantedStates(input.flags);
  const print = printer(input.flags);
  const {why} = input.flags;
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const containers = (
      await listProjectContainers(docker, {
        project: name,
        services: input.args,
        all: input.flags.all || why || wanted.length > 0,
        oneOffs: input.flags.all,
        known: knownServices,
      })
    ).filter(
      ({summary, service}) =>
        (wanted.length === 0 || wanted.includes(summary.State)) &&
        // Where only the name of the project is known, nothing says what is an orphan.
        (input.flags.orphans || knownServices.length === 0 || knownServices.includes(service)),
    );
    if (why) {
      const {describeWhy} = await import('./ps-why.ts');
      context.stdout.write(await describeWhy(context, docker, {project: name, containers}));
      return 0;
    }
    context.stdout.write(print(containers, {project: name, now: context.now(), columns: terminalColumns(context)}));
    return 0;
  });
}

function wantedStates({status, filter}: Input<'ps'>['flags']): readonly string[] {
  const filtered = filter.map((text) => {
    const [, state] = /^status=(.*)$/.exec(text) ?? [];
    if (containerStates.some((known) => known === state)) return state ?? '';
    throw new TscomposeError(
      'invalid',
      `--filter "${text}": status=STATUS is expected, one of ${containerStates.join(', ')}`,
      {
        exitCode: exitCodes.usage,
      },
    );
  });
  return [...status, ...filtered];
}

interface Surroundings {
  readonly project: string;
  readonly now: number;
  /** Of the terminal, where it is one. */
  readonly columns: number | undefined;
}

type Print = (containers: readonly ProjectContainer[], surroundings: Surroundings) => string;

/** What the flags ask for. Throws a usage error. */
function printer(flags: Input<'ps'>['flags']): Print {
  const {why, quiet, services} = flags;
  const other = quiet ? '--quiet' : services ? '--services' : flags.format !== undefined ? '--format' : undefined;
  if (why && other !== undefined) {
    throw new TscomposeError('invalid', `--why and ${other} cannot be given together`, {
      exitCode: exitCodes.usage,
      hint: 'ask for one of them',
    });
  }
  if (quiet) return (containers) => toLines(containers.map(({id}) => id));
  if (services) return (containers) => toLines([...new Set(containers.map(({service}) => service))]);
  const {format = 'table'} = flags;
  if (format === 'table') return (containers, surroundings) => table(containers, surroundings, flags['no-trunc']);
  const template = parseRowTemplate(format, Object.keys(titles));
  return (containers, {project, now, columns}) => {
    const rows = containers.map((container) => toRow(container, project, now));
    return formatRows(template, rows, {titles, columns: undefined, forTerminal: columns !== undefined});
  };
}

function table(containers: readonly ProjectContainer[], {now, columns}: Surroundings, whole: boolean): string {
  return formatTable(
    ['NAME', 'IMAGE', 'COMMAND', 'SERVICE', 'CREATED', 'STATUS', 'PORTS'],
    containers.map(({name, service, summary}) => [
      name,
      whole ? summary.Image : shortImage(summary.Image),
      quoteCommand(summary.Command, whole),
      service,
      created(summary, now),
      summary.Status,
      describePorts(summary.Ports),
    ]),
    {
      columns: whole ? undefined : columns,
      drop: ['COMMAND', 'CREATED', 'IMAGE', 'SERVICE', 'PORTS'],
      cut: {PORTS: 16},
    },
  );
}

/** An image that lost its name is told by its id, which would fill the line. */
function shortImage(image: string): string {
  return /^sha256:[0-9a-f]{64}$/.test(image) ? image.slice('sha256:'.length, 'sha256:'.length + 12) : image;
}

function created(summary: ContainerSummary, now: number): string {
  return `${humanDuration(now / 1000 - summary.Created)} ago`;
}

function quoteCommand(command: string, whole: boolean): string {
  return quoted(whole ? command : cut(command, 20));
}

/** Fields of a row, with their titles in a table. */
const titles = {
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  ExitCode: 'EXIT CODE',
  Health: 'HEALTH',
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Labels: 'LABELS',
  LocalVolumes: 'LOCAL VOLUMES',
  Mounts: 'MOUNTS',
  Name: 'NAME',
  Names: 'NAMES',
  Networks: 'NETWORKS',
  Ports: 'PORTS',
  Project: 'PROJECT',
  Publishers: 'PUBLISHERS',
  RunningFor: 'CREATED',
  Service: 'SERVICE',
  Size: 'SIZE',
  State: 'STATE',
  Status: 'STATUS',
} as const;

/** The object that `docker compose ps --format json` prints, a line each. */
function toRow(
  {id, name, service, summary}: ProjectContainer,
  project: string,
  now: number,
): Row & Record<keyof typeof titles, unknown> {
  return {
    Command: quoteCommand(summary.Command, false),
    CreatedAt: new Date(summary.Created * 1000)
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, ' +0000 UTC'),
    ExitCode: Number(/^Exited \((\d+)\)/.exec(summary.Status)?.[1] ?? 0),
    Health: /\((?:health: )?(healthy|unhealthy|starting)\)$/.exec(summary.Status)?.[1] ?? '',
    ID: id.slice(0, 12),
    Image: summary.Image,
    // Labels are joined by commas, which our own description of the service is full of; nobody else reads it.
    Labels: Object.entries(summary.Labels)
      .filter(([key]) => key !== specLabel)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    LocalVolumes: String(summary.Mounts.filter(({Type}) => Type === 'volume').length),
    Mounts: summary.Mounts.map(({Name, Source}) => Name ?? Source).join(','),
    Name: name,
    Names: name,
    Networks: Object.keys(summary.NetworkSettings.Networks).join(','),
    Ports: describePorts(summary.Ports),
    Project: project,
    Publishers: publishers(summary.Ports),
    RunningFor: created(summary, now),
    Service: service,
    Size: '0B',
    State: summary.State,
    Status: summary.Status,
  };
}

function publishers(ports: readonly PortSummary[]): readonly object[] {
  return ports.map(({IP, PrivatePort, PublicPort, Type}) => ({
    URL: IP ?? '',
    TargetPort: PrivatePort,
    PublishedPort: PublicPort ?? 0,
    Protocol: Type,
  }));
}

interface PortRange {
  readonly address: string;
  readonly type: string;
  readonly first: number;
  readonly last: number;
}

/** `9000-9002/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`: ranges first, then what has another number outside, as Docker. */
function describePorts(ports: readonly PortSummary[]): string {
  const ranges: PortRange[] = [];
  const mapped: string[] = [];
  const sorted = [...ports].sort((a, b) => a.PrivatePort - b.PrivatePort || compareText(a.IP ?? '', b.IP ?? ''));
  for (const {IP = '', PrivatePort, PublicPort, Type: type} of sorted) {
    const address = PublicPort === undefined ? '' : IP.includes(':') ? `[${IP}]` : IP;
    if (PublicPort !== undefined && PublicPort !== PrivatePort) {
      mapped.push(`${address}:${PublicPort}->${PrivatePort}/${type}`);
      continue;
    }
    const at = ranges.findLastIndex((range) => range.address === address && range.type === type);
    const before = ranges[at];
    if (before?.last === PrivatePort - 1) ranges[at] = {...before, last: PrivatePort};
    else ranges.push({address, type, first: PrivatePort, last: PrivatePort});
  }
  return [...ranges.map(describeRange), ...mapped].join(', ');
}

function describeRange({address, type, first, last}: PortRange): string {
  const numbers = first === last ? String(first) : `${first}-${last}`;
  return address === '' ? `${numbers}/${type}` : `${address}:${numbers}->${numbers}/${type}`;
}
