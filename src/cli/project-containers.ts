import {composeLabels} from '../api/labels.ts';
import type {ContainerSummary} from '../api/types/container.ts';
import {TscomposeError} from '../base/errors.ts';
import {didYouMean} from '../base/suggest.ts';
import type {Docker} from '../client/docker.ts';

/** A container of a project, with what commands show of it. */
export interface ProjectContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly service: string;
  /** The replica, from 1. */
  readonly number: number;
  readonly summary: ContainerSummary;
}

export interface ContainerSelection {
  readonly project: string;
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Stopped ones too. */
  readonly all: boolean;
  /** Those that were made for a single command too. */
  readonly oneOffs?: boolean;
  /** Services that may be named though no container is there. */
  readonly known?: readonly string[];
}

/**
 * Containers of a project, found by their labels, by service and number. Throws `notFound` for a named service that
 * neither the stack file nor a container knows.
 */
export async function listProjectContainers(
  docker: Docker,
  selection: ContainerSelection,
): Promise<readonly ProjectContainer[]> {
  const summaries = await docker.listContainers({
    all: true,
    filters: {
      label: [
        `${composeLabels.project}=${selection.project}`,
        ...(selection.oneOffs === true ? [] : [`${composeLabels.oneOff}=False`]),
      ],
    },
  });
  const containers = summaries.map(toProjectContainer);
  for (const service of selection.services) {
    if (selection.known?.includes(service) || containers.some((container) => container.service === service)) continue;
    const names = [...(selection.known ?? []), ...containers.map((container) => container.service)];
    throw new TscomposeError('notFound', `no such service: "${service}"`, {
      hint: didYouMean(service, names) ?? '"tscompose ps -a" shows what there is',
    });
  }
  return containers
    .filter(({service}) => selection.services.length === 0 || selection.services.includes(service))
    .filter(({summary}) => selection.all || isUp(summary))
    .sort((a, b) => compareText(a.service, b.service) || a.number - b.number || compareText(a.name, b.name));
}

export interface ReplicaChoice extends Omit<ContainerSelection, 'services' | 'all'> {
  readonly service: string;
  /** The replica's number; undefined: the lowest that runs. */
  readonly index: number | undefined;
}

/** The running container of a service that a command is meant for. Throws `notFound` where there is none. */
export async function findReplica(
  docker: Docker,
  {service, index, ...selection}: ReplicaChoice,
): Promise<ProjectContainer> {
  const replicas = await listProjectContainers(docker, {...selection, services: [service], all: false});
  const chosen = index === undefined ? replicas[0] : replicas.find(({number}) => number === index);
  if (chosen !== undefined) return chosen;
  const what = index === undefined ? `service "${service}"` : `replica ${index} of service "${service}"`;
  throw new TscomposeError('notFound', `${what} is not running`, {
    hint: numbersOf(replicas) ?? `start it with "tscompose up -d ${service}"`,
  });
}

/** The replicas with that number, of any service; all where none is asked for. Throws `notFound` where there is none. */
export function onlyReplica(
  containers: readonly ProjectContainer[],
  index: number | undefined,
): readonly ProjectContainer[] {
  if (index === undefined) return containers;
  const chosen = containers.filter(({number}) => number === index);
  if (chosen.length > 0) return chosen;
  throw new TscomposeError('notFound', `there is no replica ${index}`, {
    hint: numbersOf(containers) ?? '"tscompose ps -a" shows what there is',
  });
}

/** What `--index` may say. */
function numbersOf(containers: readonly ProjectContainer[]): string | undefined {
  const numbers = [...new Set(containers.map(({number}) => number))].sort((a, b) => a - b);
  if (numbers.length === 0) return undefined;
  return numbers.length === 1 ? `there is only --index ${numbers[0]}` : `there is --index ${numbers.join(', ')}`;
}

function isUp({State}: ContainerSummary): boolean {
  return State === 'running' || State === 'paused' || State === 'restarting';
}

function toProjectContainer(summary: ContainerSummary): ProjectContainer {
  return {
    id: summary.Id,
    name: (summary.Names[0] ?? summary.Id).replace(/^\//, ''),
    service: summary.Labels[composeLabels.service] ?? '',
    number: Number(summary.Labels[composeLabels.containerNumber] ?? 1),
    summary,
  };
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
