import {setMaxListeners} from 'node:events';
import {setTimeout as delay} from 'node:timers/promises';
import {composeLabels} from '../api/labels.ts';
import {hasKind} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import type {LogChunk} from '../client/logs.ts';
import type {LogPrinter} from './log-printer.ts';
import {listProjectContainers, type ProjectContainer} from './project-containers.ts';

export interface LogTarget {
  readonly docker: Docker;
  readonly project: string;
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Only the replicas with this number. */
  readonly index?: number | undefined;
  readonly printer: LogPrinter;
  readonly signal: AbortSignal;
  /** Nothing starts any more: what has been said is printed to its end, also of what started and ended unnoticed. */
  readonly finish?: AbortSignal;
  /** Called when the log of a container was read to the end of its run. */
  onRead?(id: string): void;
  /** Told of containers whose logs cannot be read, as with the driver "none"; the others are printed all the same. */
  warn(text: string): void;
}

export interface LogRange {
  readonly containers: readonly Pick<ProjectContainer, 'id' | 'name' | 'service'>[];
  readonly follow: boolean;
  /** Lines from the end of each; absent: all. */
  readonly tail?: number | undefined;
  /** Unix seconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Unix seconds: where the log of a container begins that starts meanwhile, `tail` or not; absent: as `since`. */
  readonly begin?: number;
  /** Follow until the signal, also while nothing runs: more is about to start. */
  readonly keepOpen?: boolean;
}

/** A restart (by hand, or a recreate) stops a container and starts it again: between the two nothing may run for so long. */
const restartGapMs = 1000;

/** Waits until what was stopped runs again, if it was stopped for that. Returns early with the signal. */
export async function passRestart(docker: Docker, project: string, signal: AbortSignal): Promise<void> {
  try {
    await delay(restartGapMs, undefined, {signal});
    // However long it takes: a command that restarts holds the project's lock meanwhile.
    const lock = await docker.lockProject(project, {signal});
    await lock?.[Symbol.asyncDispose]();
  } catch (error) {
    rethrowUnlessAborted(error, signal);
  }
}

/**
 * Prints the logs of containers, merged as they come; not following: in the order of their times. Following goes on with
 * containers that start later, and through restarts, until the signal, or until none of them is left.
 */
export async function followProject(target: LogTarget, range: LogRange): Promise<void> {
  // The log of each container listens to it, and there may be hundreds.
  setMaxListeners(0, target.signal);
  for (const {name} of range.containers) target.printer.add(shortName(name, target.project));
  if (!range.follow) return printMerged(target, range);
  // Ends with the caller's signal, and once no container is left whose log could go on.
  const ended = new AbortController();
  const signal = AbortSignal.any([
    target.signal,
    ended.signal,
    ...(target.finish === undefined ? [] : [target.finish]),
  ]);
  const events = await target.docker
    .getEvents({
      filters: {
        type: ['container'],
        event: ['start'],
        // What `run` says is for whoever ran it.
        label: [`${composeLabels.project}=${target.project}`, `${composeLabels.oneOff}=False`],
      },
      abortSignal: signal,
    })
    .catch((error: unknown) => rethrowUnlessAborted(error, signal));
  if (events === undefined) return;
  const following = new Map<string, Promise<void>>();
  const startedAgain = new Set<string>();
  let failure: {readonly error: unknown} | undefined;
  let ran = await someRun(target);
  const endIfDone = async (): Promise<void> => {
    if (range.keepOpen === true || following.size > 0 || (await someRun(target))) return;
    if (ran) {
      await passRestart(target.docker, target.project, signal);
      if (following.size > 0 || (await someRun(target))) return;
    }
    if (following.size === 0) ended.abort();
  };
  // What a container said before it is followed again is not said twice, and nothing in between is lost: its first words
  // are often older than the news of its start.
  const printed = new Map<string, string>();
  const follow = (container: Followed, from: Pick<LogRange, 'since' | 'tail'>): void => {
    if (following.has(container.id)) {
      // The log of its run before is still being read to its end.
      startedAgain.add(container.id);
      return;
    }
    const done = printOne(target, container, {...range, ...from, printed})
      .then(() => {
        following.delete(container.id);
        target.onRead?.(container.id);
        if (startedAgain.delete(container.id)) return followStarted(container);
        return endIfDone();
      })
      .catch((error: unknown) => {
        failure ??= {error};
        ended.abort();
      });
    following.set(container.id, done);
  };
  const followStarted = (container: Followed): void =>
    follow(container, {since: range.begin ?? range.since, tail: undefined});
  for (const container of range.containers) follow(container, range);
  if (range.containers.length === 0) await endIfDone();
  try {
    for await (const event of events) {
      const {name = event.Actor.ID, [composeLabels.service]: service = ''} = event.Actor.Attributes;
      if (!isWanted(target, service, Number(event.Actor.Attributes[composeLabels.containerNumber]))) continue;
      ran = true;
      followStarted({id: event.Actor.ID, name});
    }
  } catch (error) {
    rethrowUnlessAborted(error, signal);
  }
  if (target.finish?.aborted === true) {
    const containers = await listProjectContainers(target.docker, {project: target.project, services: [], all: true});
    for (const container of containers) {
      if (isWanted(target, container.service, container.number)) followStarted(container);
    }
  }
  while (following.size > 0) await Promise.all(following.values());
  if (failure !== undefined) throw failure.error;
}

type Followed = Pick<ProjectContainer, 'id' | 'name'>;

function isWanted({services, index}: LogTarget, service: string, number: number): boolean {
  return (services.length === 0 || services.includes(service)) && (index === undefined || index === number);
}

/** Whether a container of the target runs, or is about to run again. */
async function someRun(target: LogTarget): Promise<boolean> {
  const running = await listProjectContainers(target.docker, {project: target.project, services: [], all: false});
  return running.some(({service, number}) => isWanted(target, service, number));
}

/** The name without the project's, as the prefix of its lines. */
export function shortName(name: string, project: string): string {
  return name.startsWith(`${project}-`) ? name.slice(project.length + 1) : name;
}

async function printOne(
  target: LogTarget,
  container: Followed,
  range: Omit<LogRange, 'containers'> & {readonly printed: Map<string, string>},
): Promise<void> {
  const prefix = shortName(container.name, target.project);
  const before = range.printed.get(container.id) ?? '';
  for await (const chunk of readLog(target, container, range)) {
    if (chunk.time <= before) continue;
    target.printer.print(prefix, chunk.stream, chunk.data, chunk.time);
    range.printed.set(container.id, chunk.time);
  }
  target.printer.flush(prefix);
}

/** The log of one container; ends early with the signal, and where there is nothing to read. */
async function* readLog(
  {docker, signal, warn}: LogTarget,
  {id, name}: Followed,
  {follow, tail, since, until}: Omit<LogRange, 'containers'>,
): AsyncGenerator<LogChunk, void, undefined> {
  try {
    yield* await docker.getContainer(id).logs({follow, tail, since, until, abortSignal: signal});
  } catch (error) {
    if (hasKind(error, 'unsupported')) warn(`no logs of ${name}: ${error.message}`);
    // A container that was removed meanwhile has said what it had to say.
    else if (!hasKind(error, 'notFound')) rethrowUnlessAborted(error, signal);
  }
}

interface Line {
  readonly prefix: string;
  readonly stream: 'stdout' | 'stderr';
  readonly time: string;
  readonly data: Uint8Array;
}

/** Several logs that are complete become one, ordered by time: a merge of sorted streams, holding one line of each. */
async function printMerged(target: LogTarget, range: LogRange): Promise<void> {
  const {printer, project} = target;
  const sources = range.containers.map((container) => ({
    prefix: shortName(container.name, project),
    lines: readLog(target, container, range),
  }));
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
