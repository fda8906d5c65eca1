import {setTimeout as delay} from 'node:timers/promises';
import {composeLabels} from '../api/labels.ts';
import type {Docker} from '../client/docker.ts';
import type {Project} from '../model/types.ts';
import {jobsOf} from '../reconcile/commands.ts';
import type {ContainerInfo} from '../report/event.ts';
import {passRestart, shortName} from './follow-logs.ts';
import type {LogPrinter} from './log-printer.ts';
import {listProjectContainers} from './project-containers.ts';

export interface Exit extends ContainerInfo {
  readonly exitCode: number;
}

export interface ExitWatchOptions {
  readonly services: readonly string[];
  /** Those whose logs are read: the news of an end waits for the last words. */
  readonly attach: readonly string[];
  /** What ends the stack when one container ends. */
  readonly abortOn: 'nothing' | 'failure' | 'exit';
  /** The stack is not over when all have ended: the next save may start them again. */
  readonly endless: boolean;
  readonly printer: LogPrinter;
}

export interface ExitWatch {
  /** The containers that were brought up; `done` resolves once all of them have ended for good. */
  expect(containers: readonly ContainerInfo[]): void;
  /** The log of a container was read to the end of its run. */
  heard(id: string): void;
  /** The first exit where one ends the stack; undefined where all ended or `end` was called. */
  readonly done: Promise<Exit | undefined>;
  end(): void;
  /** Resolves when every exit that is known of has been printed. */
  told(): Promise<void>;
}

/** Follows the containers' ends from before anything is started, so that none is missed. */
export async function watchExits(
  {docker, project}: {readonly docker: Docker; readonly project: Project},
  {services, attach, abortOn, endless, printer}: ExitWatchOptions,
): Promise<ExitWatch> {
  const abort = new AbortController();
  const running = new Set<string>();
  const jobs = jobsOf(project);
  const early: Exit[] = [];
  const words = createLastWords();
  const notes = new Set<Promise<void>>();
  let expected: ReadonlySet<string> | undefined;
  let resolve: (exit: Exit | undefined) => void = () => {};
  const done = new Promise<Exit | undefined>((settle) => {
    resolve = settle;
  });
  const end = (exit?: Exit): void => {
    abort.abort();
    resolve(exit);
  };
  // What somebody stopped may be on its way to be started again: a restart, or another `up` that recreates it.
  const stopped = new Set<string>();
  const endWhenEmpty = async (): Promise<void> => {
    if (endless || expected === undefined || running.size > 0) return;
    if (stopped.size > 0) await passRestart(docker, project.name, abort.signal);
    const left = await listProjectContainers(docker, {project: project.name, services: [], all: false});
    if (running.size === 0 && !left.some(({id}) => expected?.has(id))) end();
  };
  /** A job that others wait for has done its part when it ends well. */
  const endsStack = ({id, service, exitCode}: Exit): boolean =>
    abortOn !== 'nothing' &&
    expected?.has(id) === true &&
    !(exitCode === 0 && (abortOn === 'failure' || jobs.has(service)));
  const note = async (exit: Exit): Promise<void> => {
    if (attach.includes(exit.service)) await words.said(exit.id);
    const name = shortName(exit.name, project.name);
    printer.flush(name);
    printer.note(`${name} exited with code ${exit.exitCode}`);
  };
  const events = await docker.getEvents({
    filters: {
      type: ['container'],
      event: ['start', 'kill', 'die'],
      // What `run` makes is no part of the stack.
      label: [`${composeLabels.project}=${project.name}`, `${composeLabels.oneOff}=False`],
    },
    abortSignal: abort.signal,
  });
  const read = async (): Promise<void> => {
    for await (const {Action, Actor} of events) {
      const {name = Actor.ID, exitCode = '0', [composeLabels.service]: service = ''} = Actor.Attributes;
      if (!services.includes(service)) continue;
      if (Action === 'start') {
        words.begin(Actor.ID);
        running.add(Actor.ID);
        stopped.delete(Actor.ID);
        continue;
      }
      if (Action === 'kill') {
        stopped.add(Actor.ID);
        continue;
      }
      running.delete(Actor.ID);
      const exit = {id: Actor.ID, name, service, exitCode: Number(exitCode)};
      const noted = note(exit).finally(() => notes.delete(noted));
      notes.add(noted);
      if (expected === undefined) early.push(exit);
      else if (endsStack(exit)) end(exit);
      else void endWhenEmpty().catch(lost);
    }
  };
  const lost = (error: unknown): void => {
    if (!abort.signal.aborted) printer.note(`events are lost: ${(error as Error).message}`);
    end();
  };
  void read().catch(lost);
  return {
    expect(containers) {
      expected = new Set(containers.filter(({service}) => services.includes(service)).map(({id}) => id));
      const exit = early.find(endsStack);
      if (exit === undefined) void endWhenEmpty().catch(lost);
      else end(exit);
    },
    heard: words.end,
    done,
    end: () => end(),
    async told() {
      await Promise.all(notes);
    },
  };
}

/** The news of an end waits at most so long for the log, which is read apart from it. */
const lastWordsMs = 3000;

/** Whether the logs of containers were read to the end of their runs. One that starts anew is not waited for any more. */
function createLastWords() {
  const read = new Set<string>();
  const waiting = new Map<string, () => void>();
  return {
    begin(id: string): void {
      read.delete(id);
      waiting.get(id)?.();
    },
    end(id: string): void {
      read.add(id);
      waiting.get(id)?.();
    },
    async said(id: string): Promise<void> {
      if (read.has(id)) return;
      const over = new AbortController();
      const heard = new Promise<void>((resolve) => {
        waiting.set(id, resolve);
      });
      await Promise.race([heard, delay(lastWordsMs, undefined, {signal: over.signal}).catch(() => {})]);
      over.abort();
      waiting.delete(id);
    },
  };
}
