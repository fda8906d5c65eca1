import {checkFilters, knownFilters, matchesLabels} from '../../api/filters.ts';
import type {ContainerState, EndpointSettings, PortMap} from '../../api/types/container.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import {asksForSteps} from './build-steps.ts';
import {parsePort} from './check-body.ts';
import type {ContainerContext, EndpointDescription} from './context.ts';
import {type FoundContainer, findContainer} from './reference.ts';

const statuses = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/** Filters read for one list: cheap questions first, so that most containers are left out before anything is asked of them. */
export interface ListFilter {
  /** `status` asks for containers that do not run as well. */
  readonly impliesAll: boolean;
  /** It asks for containers that run steps of builds. */
  readonly steps: boolean;
  matchesRecord(found: FoundContainer): boolean;
  matchesState(state: ContainerState): boolean;
  matchesEndpoints(endpoints: EndpointDescription): boolean;
}

/** Throws `invalid` for a filter or a value that does not exist, `notFound` for a container it names. */
export async function readListFilter(context: ContainerContext, filters: Filters = {}): Promise<ListFilter> {
  checkFilters(filters, knownFilters.containers);
  const values = (key: string) => filters[key] ?? [];
  for (const status of values('status')) if (!statuses.includes(status)) throw invalid('status', status);
  for (const health of values('health'))
    if (!['starting', 'healthy', 'unhealthy', 'none'].includes(health)) throw invalid('health', health);
  const exited = values('exited').map((code) => {
    if (!/^-?\d+$/.test(code)) throw invalid('exited', code);
    return Number(code);
  });
  const created = async (key: string) =>
    await Promise.all(
      values(key).map(async (reference) => (await findContainer(context.layout, reference)).record.created),
    );
  const [before, since] = await Promise.all([created('before'), created('since')]);
  const ancestors = await resolveAncestors(context, values('ancestor'));
  const isTask = values('is-task').some((value) => value === 'true' || value === '1');
  return {
    impliesAll: values('status').length > 0,
    steps: asksForSteps(filters),
    matchesRecord: ({id, name, record}) =>
      !isTask &&
      matchesLabels(record.config.Labels, filters['label']) &&
      any(values('id'), (wanted) => id.startsWith(wanted)) &&
      any(values('name'), (wanted) => matchesName(name, wanted)) &&
      before.every((time) => record.created < time) &&
      since.every((time) => record.created > time) &&
      (values('ancestor').length === 0 || ancestors.has(record.image.id)) &&
      any(values('volume'), (wanted) =>
        record.mounts.some(
          (mount) =>
            mount.target === wanted ||
            ('source' in mount && mount.source === wanted) ||
            ('name' in mount && mount.name === wanted),
        ),
      ) &&
      any(values('expose'), (wanted) =>
        portRange(wanted).some((port) => Object.hasOwn(record.config.ExposedPorts ?? {}, port)),
      ),
    matchesState: (state) =>
      any(values('status'), (wanted) => state.Status === wanted) &&
      any(values('health'), (wanted) => (state.Health?.Status ?? 'none') === wanted) &&
      (exited.length === 0 || (state.Status === 'exited' && exited.includes(state.ExitCode))),
    matchesEndpoints: ({networks, ports}) =>
      any(values('network'), (wanted) => matchesNetwork(networks, wanted)) &&
      any(values('publish'), (wanted) => portRange(wanted).some((port) => isPublished(ports, port))),
  };
}

function invalid(key: string, value: string): TscomposeError {
  return new TscomposeError('invalid', `invalid filter '${key}=${value}'`);
}

function any(wanted: readonly string[], matches: (value: string) => boolean): boolean {
  return wanted.length === 0 || wanted.some(matches);
}

/** A regular expression on the name with and without its slash; what is none is taken as a part of the name. */
function matchesName(name: string, wanted: string): boolean {
  try {
    const expression = new RegExp(wanted);
    return expression.test(name) || expression.test(`/${name}`);
  } catch {
    return name.includes(wanted);
  }
}

/** An image that does not exist is nobody's ancestor. */
async function resolveAncestors(
  context: ContainerContext,
  references: readonly string[],
): Promise<ReadonlySet<string>> {
  const images = await Promise.all(
    references.map((reference) => context.images.resolve(reference).catch(() => undefined)),
  );
  return new Set(images.flatMap((image) => (image ? [image.id] : [])));
}

function matchesNetwork(networks: Readonly<Record<string, EndpointSettings>>, wanted: string): boolean {
  return Object.entries(networks).some(
    ([name, {NetworkID}]) =>
      name === wanted || (NetworkID !== undefined && NetworkID !== '' && NetworkID.startsWith(wanted)),
  );
}

/** `80`, `80/udp`, `8000-8010/tcp` as keys of a port map. */
function portRange(text: string): readonly string[] {
  const [range = '', protocol = 'tcp'] = text.split('/');
  const [first = '', last = first] = range.split('-');
  const from = parsePort(`${first}/${protocol}`).port;
  const to = parsePort(`${last}/${protocol}`).port;
  return Array.from({length: Math.max(to - from + 1, 0)}, (_, index) => `${from + index}/${protocol}`);
}

/** By the port in the container or the one on the machine. */
function isPublished(ports: PortMap, wanted: string): boolean {
  return Object.entries(ports).some(([key, bindings]) => {
    if (bindings === null || bindings.length === 0) return false;
    const protocol = key.split('/')[1] ?? 'tcp';
    return key === wanted || bindings.some(({HostPort}) => `${HostPort}/${protocol}` === wanted);
  });
}
