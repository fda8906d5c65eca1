import {hasKind, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {LogStore} from '../../tui/log-store.ts';
import type {ContainerSnapshot, LogSource, UiEventContent} from '../../tui/types.ts';
import {followProject, shortName} from '../follow-logs.ts';
import type {LogPrinter} from '../log-printer.ts';
import {listProjectContainers} from '../project-containers.ts';

export interface FollowOutputOptions {
  readonly docker: Docker;
  readonly project: string;
  readonly logs: LogStore;
  readonly containers: ReadonlyMap<string, ContainerSnapshot>;
  readonly emit: (event: UiEventContent) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** From each container's log at the start: enough to scroll in, little enough to be read at once. */
const linesAtStart = 300;
/** Of what came before, for a look at the previous instance. */
const linesBefore = 1000;

export interface OutputSource {
  readonly ended: Promise<void>;
  /** What a service's containers wrote before their present run, as far as it is not in the store yet. */
  loadPrevious(service: string): Promise<void>;
}

/** Puts what the containers write into the store, through restarts and recreations, until the signal. */
export function followOutput(options: FollowOutputOptions): OutputSource {
  const {docker, project, logs, containers, emit, signal} = options;
  /** By container, the time of the oldest line that was read, in ms. */
  const oldest = new Map<string, number>();
  const sourceOf = (name: string): LogSource => {
    for (const {name: full, service, number} of containers.values()) {
      if (shortName(full, project) === name) return {id: name, service, number};
    }
    // Its first words come before the news of it.
    const [, service = name, number = '1'] = /^(.*)-(\d+)$/.exec(name) ?? [];
    return {id: name, service, number: Number(number)};
  };
  const printer: LogPrinter = {
    add: () => undefined,
    print(name, stream, data, time) {
      const ms = time === undefined ? options.now() : preciseTime(time);
      if (!oldest.has(name)) oldest.set(name, ms);
      logs.push(sourceOf(name), stream, data, ms);
      emit({kind: 'logs'});
    },
    note(text) {
      emit({kind: 'notice', level: 'info', text});
    },
    flush(name) {
      logs.end(sourceOf(name));
      emit({kind: 'logs'});
    },
  };
  const follow = async (): Promise<void> => {
    const present = await listProjectContainers(docker, {project, services: [], all: true});
    const warn = (text: string): void => emit({kind: 'notice', level: 'warning', text});
    await followProject(
      {docker, project, services: [], printer, signal, warn},
      {containers: present, follow: true, tail: linesAtStart, begin: options.now() / 1000, keepOpen: true},
    );
  };
  return {
    ended: follow().catch((error: unknown) => {
      if (!signal.aborted)
        emit({kind: 'notice', level: 'error', text: `logs are lost: ${toTscomposeError(error).message}`});
    }),
    async loadPrevious(service) {
      const replicas = [...containers.values()].filter((container) => container.service === service);
      for (const {id, name, number, startedAt} of replicas) {
        const short = shortName(name, project);
        const until = Math.min(startedAt ?? Number.POSITIVE_INFINITY, oldest.get(short) ?? Number.POSITIVE_INFINITY);
        if (!Number.isFinite(until)) continue;
        const source = {id: `${short} ${until}`, service, number};
        for await (const {stream, data, time} of await readBefore(docker, id, until, signal)) {
          const ms = preciseTime(time);
          if (ms >= until) continue;
          oldest.set(short, Math.min(ms, oldest.get(short) ?? ms));
          logs.push(source, stream, data, ms);
        }
        logs.end(source);
      }
      emit({kind: 'logs'});
    },
  };
}

async function readBefore(docker: Docker, id: string, untilMs: number, abortSignal: AbortSignal) {
  try {
    return await docker.getContainer(id).logs({until: untilMs / 1000, tail: linesBefore, abortSignal});
  } catch (error) {
    if (hasKind(error, 'notFound', 'unsupported')) return [];
    throw error;
  }
}

/** RFC 3339 with nanoseconds in ms, with the part below a millisecond: it orders the lines. */
function preciseTime(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return Date.parse(time) + Number(`0.${fraction.slice(3) || '0'}`);
}
