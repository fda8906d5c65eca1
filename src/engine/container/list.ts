import type {ContainerSummary, EndpointSettings, PortMap, PortSummary} from '../../api/types/container.ts';
import type {Filters} from '../../api/types/system.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import {parseNanoseconds} from '../clock.ts';
import {temporaryPrefix} from '../record-store.ts';
import {isStepUnderWay} from './build-steps.ts';
import type {ContainerContext} from './context.ts';
import {toMountPoint} from './inspect.ts';
import {type ListFilter, readListFilter} from './list-filters.ts';
import {nameOfId} from './names.ts';
import {notice} from './notice.ts';
import {readContainerRecord, readNames} from './record.ts';
import type {FoundContainer} from './reference.ts';
import {sweepUnfinished} from './remove.ts';
import {toContainerState} from './state.ts';
import {statusText} from './status-text.ts';

export interface ListOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly filters?: Filters;
}

/** Newest first. Also the place where what killed processes left behind is noticed and cleared. */
export async function listContainers(
  context: ContainerContext,
  options: ListOptions = {},
): Promise<ContainerSummary[]> {
  const filter = await readListFilter(context, options.filters);
  const entries = await readNames(context.layout.containers);
  if (entries.some((entry) => entry.startsWith(temporaryPrefix))) await sweepUnfinished(context);
  const ids = entries.filter((entry) => /^[0-9a-f]{64}$/.test(entry));
  const limit = options.limit ?? 0;
  const all = (options.all ?? false) || limit > 0 || filter.impliesAll;
  const imageIds = new Map<string, Promise<string | undefined>>();
  const found = await mapLimited(ids, 32, (id) => findMatching(context, id, filter));
  const summaries = await mapLimited(
    found.filter((container) => container !== undefined),
    32,
    (container) => summarize({context, container, filter, all, imageIds}),
  );
  const sorted = summaries
    .filter((entry) => entry !== undefined)
    .sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
  return (limit > 0 ? sorted.slice(0, limit) : sorted).map(({summary}) => summary);
}

/**
 * Undefined for one that is left out, is being made, or was removed meanwhile. One whose record is damaged belongs to
 * nobody knows which project: who asks for it by name is told (`findContainer`, `reserveFor`), others are not stopped.
 */
async function findMatching(
  context: ContainerContext,
  id: string,
  filter: ListFilter,
): Promise<FoundContainer | undefined> {
  const record = await readContainerRecord(context.layout, id).catch((error: unknown) => {
    if (hasKind(error, 'internal')) return undefined;
    throw error;
  });
  const name = record === undefined ? undefined : await nameOfId(context.layout, id, record.name);
  if (record === undefined || name === undefined) return undefined;
  const found = {id, name, record};
  if (!filter.matchesRecord(found)) return undefined;
  return !filter.steps && (await isStepUnderWay(context, record)) ? undefined : found;
}

interface Summarizing {
  readonly context: ContainerContext;
  readonly container: FoundContainer;
  readonly filter: ListFilter;
  readonly all: boolean;
  readonly imageIds: Map<string, Promise<string | undefined>>;
}

async function summarize({
  context,
  container,
  filter,
  all,
  imageIds,
}: Summarizing): Promise<{readonly created: string; readonly summary: ContainerSummary} | undefined> {
  const {id, name, record} = container;
  const observation = await notice(context, container);
  if (observation === undefined) return undefined;
  const state = toContainerState(observation);
  if (!(all || state.Running) || !filter.matchesState(state)) return undefined;
  const endpoints = await context.endpoints.describe({record, name}, state.Running);
  if (!filter.matchesEndpoints(endpoints)) return undefined;
  const summary: ContainerSummary = {
    Id: id,
    Names: [`/${name}`],
    Image: await imageName({context, container, imageIds}),
    ImageID: record.image.id,
    Command: commandText([...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])]),
    Created: Number((parseNanoseconds(record.created) ?? 0n) / 1_000_000_000n),
    Ports: state.Running ? summarizePorts(endpoints.ports) : [],
    Labels: record.config.Labels ?? {},
    State: state.Status,
    Status: statusText(state, context.now()),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? 'default',
      ...(record.hostConfig.Annotations ? {Annotations: record.hostConfig.Annotations} : {}),
    },
    NetworkSettings: {Networks: withoutNames(endpoints.networks)},
    Mounts: record.mounts.flatMap((mount) => toMountPoint(context, mount)),
  };
  return {created: record.created, summary};
}

/** As it was given, unless that name means another image by now. */
async function imageName({
  context,
  container,
  imageIds,
}: Pick<Summarizing, 'context' | 'container' | 'imageIds'>): Promise<string> {
  const {id, reference} = container.record.image;
  let current = imageIds.get(reference);
  if (current === undefined) {
    current = context.images.resolve(reference).then(
      (image) => image.id,
      () => undefined,
    );
    imageIds.set(reference, current);
  }
  return (await current) === id ? reference : id;
}

/** Words with blanks in quotes, as `docker ps` shows them. */
function commandText([path = '', ...args]: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** A list tells where a container is on its networks, not by which names, as Docker's. */
function withoutNames(
  networks: Readonly<Record<string, EndpointSettings>>,
): Readonly<Record<string, EndpointSettings>> {
  return Object.fromEntries(
    Object.entries(networks).map(([name, endpoint]) => [
      name,
      {...endpoint, Links: null, Aliases: null, DriverOpts: null, DNSNames: null},
    ]),
  );
}

function summarizePorts(ports: PortMap): readonly PortSummary[] {
  return Object.entries(ports).flatMap(([key, bindings]): PortSummary[] => {
    const [port = '0', type = 'tcp'] = key.split('/');
    const common = {PrivatePort: Number(port), Type: type};
    if (bindings === null || bindings.length === 0) return [common];
    return bindings.map(({HostIp, HostPort}) => ({IP: HostIp ?? '', ...common, PublicPort: Number(HostPort)}));
  });
}
