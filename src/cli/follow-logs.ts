import {composeLabels} from '../api/labels.ts';
import {hasKind} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import type {LogPrinter} from './log-printer.ts';
import {listProjectContainers, type ProjectContainer} from './project-containers.ts';

export interface LogTarget {
  readonly docker: Docker;
  readonly project: string;
  /** Empty: all services. */
  readonly services: readonly string[];
  readonly printer: LogPrinter;
  readonly signal: AbortSignal;
}

export interface LogRange {
  readonly containers: readonly Pick<ProjectContainer, 'id' | 'name' | 'service'>[];
  readonly follow: boolean;
  /** Lines from the end of each; absent: all. */
  readonly tail?: number | undefined;
  /** Unix seconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Ids of containers whose whole log is printed, whatever `since` says. */
  readonly fromStart?: ReadonlySet<string> | undefined;
}

/**
 * Prints the logs of containers, merged as they come; not following: in the order of their times. Following goes on with
 * containers that start later, and through restarts, until the signal, or until none of them is left.
 */
export async function followProject(target: LogTarget, range: LogRange): Promise<void> {
  for (const {name} of range.containers) target.printer.add(shortName(name, target.project));
  if (!range.follow) return printMerged(target, range);
  // Ends with the caller's signal, and once no container is left whose log could go on.
  const ended = new AbortController();
  const signal = AbortSignal.any([target.signal, ended.signal]);
  const events = await target.docker
    .getEvents({
      filters: {type: ['container'], event: ['start'], label: [`${composeLabels.project}=${target.project}`]},
      abortSignal: signal,
    })
    .catch((error: unknown) => rethrowUnlessAborted(error, signal));
  if (events === undefined) return;
  const following = new Map<string, Promise<void>>();
  const follow = (container: {readonly id: string; readonly name: string}, since: number | undefined): void => {
    if (following.has(container.id)) return;
    const done = printOne(target, container, {...range, since}).finally(async () => {
      following.delete(container.id);
      if (following.size === 0 && !(await someRun(target)) && following.size === 0) ended.abort();
    });
    following.set(container.id, done);
  };
  for (const container of range.containers) {
    follow(container, range.fromStart?.has(container.id) === true ? undefined : range.since);
  }
  if (following.size === 0) ended.abort();
  try {
    for await (const event of events) {
      const {name = event.Actor.ID, [composeLabels.service]: service = ''} = event.Actor.Attributes;
      if (target.services.length > 0 && !target.services.includes(service)) continue;
      follow({id: event.Actor.ID, name}, event.timeNano / 1e9);
    }
  } catch (error) {
    rethrowUnlessAborted(error, signal);
  }
  await Promise.all(following.values());
}

/** Whether a container of the target runs, or is about to run again. */
async function someRun({docker, project, services}: LogTarget): Promise<boolean> {
  const running = await listProjectContainers(docker, {project, services: [], all: false});
  return running.some(({service}) => services.length === 0 || services.includes(service));
}

/** The name without the project's, as the prefix of its lines. */
export function shortName(name: string, project: string): string {
  return name.startsWith(`${project}-`) ? name.slice(project.length + 1) : name;
}

async function printOne(
  {docker, printer, project, signal}: LogTarget,
  {id, name}: {readonly id: string; readonly name: string},
  range: Omit<LogRange, 'containers'>,
): Promise<void> {
  const prefix = shortName(name, project);
  try {
    const {follow, tail, since, until} = range;
    const log = await docker.getContainer(id).logs({follow, tail, since, until, abortSignal: signal});
    for await (const chunk of log) printer.print(prefix, chunk.stream, chunk.data, chunk.time);
  } catch (error) {
    // A container that was removed meanwhile has said what it had to say.
    if (!hasKind(error, 'notFound')) rethrowUnlessAborted(error, signal);
  }
  printer.flush(prefix);
}

interface Line {
  readonly prefix: string;
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly data: Uint8Array;
}

/** Several logs that are complete become one, ordered by time: a merge of sorted streams, holding one line of each. */
async function printMerged({docker, printer, project, signal}: LogTarget, range: LogRange): Promise<void> {
  const {tail, since, until} = range;
  const sources = await Promise.all(
    range.containers.map(async ({id, name}) => {
      const log = await docker.getContainer(id).logs({follow: false, tail, since, until, abortSignal: signal});
      return {prefix: shortName(name, project), lines: log[Symbol.asyncIterator]()};
    }),
  );
  const next = async (source: (typeof sources)[number]): Promise<Line | undefined> => {
    const {value, done} = await source.lines.next();
    return done === true ? undefined : {prefix: source.prefix, ...value};
  };
  const heads = await Promise.all(sources.map(next));
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      if (head !== undefined && (first === -1 || head.time < (heads[first]?.time ?? ''))) first = index;
    }
    const [head, source] = [heads[first], sources[first]];
    if (head === undefined || source === undefined) break;
    printer.print(head.prefix, head.stream, head.data, head.time);
    heads[first] = await next(source);
  }
  for (const {prefix} of sources) printer.flush(prefix);
}

function rethrowUnlessAborted(error: unknown, signal: AbortSignal): undefined {
  if (!signal.aborted) throw error;
  return undefined;
}
