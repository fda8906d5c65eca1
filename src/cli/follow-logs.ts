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
  /** Unix seconds: where the log of a container begins that starts meanwhile; absent: as `since`. */
  readonly begin?: number;
  /** Follow until the signal, also while nothing runs: more is about to start. */
  readonly keepOpen?: boolean;
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
  const endIfDone = async (): Promise<void> => {
    if (range.keepOpen === true || following.size > 0 || (await someRun(target))) return;
    if (following.size === 0) ended.abort();
  };
  // What a container said before it is followed again is not said twice, and nothing in between is lost: its first words
  // are often older than the news of its start.
  const printed = new Map<string, string>();
  const follow = (container: {readonly id: string; readonly name: string}, since: number | undefined): void => {
    if (following.has(container.id)) return;
    const done = printOne(target, container, {...range, since, printed}).then(() => {
      following.delete(container.id);
      return endIfDone();
    });
    following.set(container.id, done);
  };
  for (const container of range.containers) follow(container, range.since);
  if (range.containers.length === 0) await endIfDone();
  try {
    for await (const event of events) {
      const {name = event.Actor.ID, [composeLabels.service]: service = ''} = event.Actor.Attributes;
      if (target.services.length > 0 && !target.services.includes(service)) continue;
      follow({id: event.Actor.ID, name}, range.begin ?? range.since);
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
  range: Omit<LogRange, 'containers'> & {readonly printed: Map<string, string>},
): Promise<void> {
  const prefix = shortName(name, project);
  try {
    const {follow, tail, since, until} = range;
    const log = await docker.getContainer(id).logs({follow, tail, since, until, abortSignal: signal});
    const before = range.printed.get(id) ?? '';
    for await (const chunk of log) {
      if (chunk.time <= before) continue;
      printer.print(prefix, chunk.stream, chunk.data, chunk.time);
      range.printed.set(id, chunk.time);
    }
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
