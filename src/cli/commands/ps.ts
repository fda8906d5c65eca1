import {specLabel} from '../../api/labels.ts';
import type {ContainerSummary, PortSummary} from '../../api/types/container.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {compareText, listProjectContainers, type ProjectContainer} from '../project-containers.ts';
import {humanDuration} from '../relative-time.ts';
import {withStackNames} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

export function runPs(context: CliContext, input: Input<'ps'>): Promise<number> {
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const wanted = input.flags.status;
    const containers = (
      await listProjectContainers(docker, {
        project: name,
        services: input.args,
        all: input.flags.all || wanted.length > 0,
        known: knownServices,
      })
    ).filter(({summary}) => wanted.length === 0 || wanted.includes(summary.State));
    context.stdout.write(
      render(containers, {project: name, input, now: context.now(), columns: terminalColumns(context)}),
    );
    return 0;
  });
}

interface RenderOptions {
  readonly project: string;
  readonly input: Input<'ps'>;
  readonly now: number;
  /** Of the terminal, where it is one. */
  readonly columns: number | undefined;
}

function render(
  containers: readonly ProjectContainer[],
  {project, input: {flags}, now, columns}: RenderOptions,
): string {
  if (flags.quiet) return lines(containers.map(({id}) => id));
  if (flags.services) return lines([...new Set(containers.map(({service}) => service))]);
  if (flags.format === 'json')
    return lines(containers.map((container) => JSON.stringify(toJson(container, project, now))));
  return formatTable(
    ['NAME', 'IMAGE', 'COMMAND', 'SERVICE', 'CREATED', 'STATUS', 'PORTS'],
    containers.map(({name, service, summary}) => [
      name,
      summary.Image,
      quoteCommand(summary.Command, flags['no-trunc']),
      service,
      created(summary, now),
      summary.Status,
      describePorts(summary.Ports),
    ]),
    {
      columns: flags['no-trunc'] ? undefined : columns,
      drop: ['COMMAND', 'CREATED', 'IMAGE', 'SERVICE', 'PORTS'],
      cut: {PORTS: 16},
    },
  );
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

function created(summary: ContainerSummary, now: number): string {
  return `${humanDuration(now / 1000 - summary.Created)} ago`;
}

function quoteCommand(command: string, whole: boolean): string {
  return whole || command.length <= 20 ? `"${command}"` : `"${command.slice(0, 19)}…"`;
}

/** The object that `docker compose ps --format json` prints, a line each. */
function toJson({id, name, service, summary}: ProjectContainer, project: string, now: number): object {
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
