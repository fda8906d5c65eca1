import {setTimeout as delay} from 'node:timers/promises';
import {composeLabels} from '../api/labels.ts';
import {systemClock} from '../base/clock.ts';
import {exitCodes, hasKind, type TscomposeError} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import {containerName, replicasOf} from '../model/lower.ts';
import type {Project} from '../model/types.ts';
import {jobsOf, stop} from '../reconcile/commands.ts';
import type {ContainerInfo, Report} from '../report/event.ts';
import type {WatchSession} from '../watch/session/session.ts';
import type {CliContext} from './context.ts';
import {followProject, restartGapMs, shortName} from './follow-logs.ts';
import {createLogPrinter, type LogPrinter, type LogPrinterOptions} from './log-printer.ts';
import {createReporter, withProgress} from './progress.ts';
import {listProjectContainers} from './project-containers.ts';

export interface AttachedOptions {
  readonly abortOnExit: boolean;
  readonly exitCodeFrom: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly printer: LogPrinterOptions;
  /** `--watch`: begins to watch. The stack is then over when it is taken down, not when its containers have ended. */
  readonly watch?: (report: Report, signal: AbortSignal) => Promise<WatchSession>;
}

interface Stack {
  readonly docker: Docker;
  readonly project: Project;
}

/**
 * `up` in the foreground: brings the stack up and prints the merged logs until all containers have ended, until one has
 * where that was asked for, or until Ctrl-C, which stops the stack; a second Ctrl-C kills it.
 */
export async function runAttached(
  context: CliContext,
  stack: Stack,
  options: AttachedOptions,
  bringUp: (beforeStart?: WatchSession['beforeStart']) => Promise<readonly ContainerInfo[]>,
): Promise<number> {
  const printer = createLogPrinter(options.printer);
  const follow = new AbortController();
  const finish = new AbortController();
  const watch = await watchExits(stack, printer, options);
  const logs = await followLogs(context, stack, printer, {signal: follow.signal, finish: finish.signal});
  const files = options.watch === undefined ? undefined : await watchFiles(context, stack, options.watch);
  let interrupts = 0;
  using _interrupt = context.onInterrupt(() => {
    interrupts += 1;
    files?.stop();
    if (interrupts > 1) return void killStack(stack).catch((error: TscomposeError) => printer.note(error.message));
    context.stderr.write('\nstopping: press Ctrl-C again to kill\n');
    watch.end();
  });
  try {
    watch.expect((await bringUp(files?.beforeStart)).map(({id}) => id));
    const first = await (files === undefined ? watch.done : Promise.race([watch.done, files.ended]));
    if (interrupts > 0 || first !== undefined) {
      if (interrupts === 0) context.stderr.write(`stopping: ${first?.name} ended\n`);
      await stopStack(context, stack, options);
    }
    finish.abort();
    await logs.ended;
    if (interrupts > 0) return exitCodes.interrupted;
    return options.abortOnExit ? await exitCodeOf(stack, options, first) : exitCodes.success;
  } catch (error) {
    // Interrupted while it came up: what runs already is stopped, as at any other time.
    if (hasKind(error, 'canceled')) await stopStack(context, stack, options).catch(() => {});
    throw error;
  } finally {
    watch.end();
    follow.abort();
    files?.stop();
    await files?.ended.catch(() => {});
    await logs.ended;
  }
}

interface FileWatch {
  /** When the stack was taken down, or after `stop`. */
  readonly ended: Promise<undefined>;
  readonly beforeStart: WatchSession['beforeStart'];
  stop(): void;
}

async function watchFiles(
  context: CliContext,
  {project}: Stack,
  begin: NonNullable<AttachedOptions['watch']>,
): Promise<FileWatch> {
  const stop = new AbortController();
  const reporter = await createReporter(context, {title: `watch ${project.name}`, withLogs: true});
  const session = await begin(reporter.report, stop.signal);
  const ended = session.ended.then(() => undefined).finally(() => reporter.finish());
  // Looked at once the stack is up.
  ended.catch(() => {});
  return {ended, beforeStart: session.beforeStart, stop: () => stop.abort()};
}

/** Follows the logs from before anything starts: of what runs already only what is new. */
async function followLogs(
  context: CliContext,
  {docker, project}: Stack,
  printer: LogPrinter,
  signals: {readonly signal: AbortSignal; readonly finish: AbortSignal},
): Promise<{readonly ended: Promise<void>}> {
  const services = Object.keys(project.services).filter((service) => project.services[service]?.attach !== false);
  const running = await listProjectContainers(docker, {project: project.name, services: [], all: false});
  for (const service of services) {
    for (let replica = 1; replica <= replicasOf(project.services[service] ?? {}); replica += 1) {
      printer.add(shortName(containerName(project, service, replica), project.name));
    }
  }
  const ended = followProject(
    {
      docker,
      project: project.name,
      services,
      printer,
      ...signals,
      warn: (text) => context.stderr.write(`warning: ${text}\n`),
    },
    {
      containers: running.filter(({service}) => services.includes(service)),
      follow: true,
      keepOpen: true,
      since: context.now() / 1000,
    },
  );
  // Whoever waits for the end is told; until then the stack goes on without.
  return {ended: ended.catch((error: unknown) => printer.note(`logs are lost: ${(error as Error).message}`))};
}

interface Exit {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly exitCode: number;
}

interface ExitWatch {
  /** The containers that were brought up; `done` resolves once all of them have ended for good. */
  expect(ids: readonly string[]): void;
  /** The first exit where one ends the stack; undefined where all ended or `end` was called. */
  readonly done: Promise<Exit | undefined>;
  end(): void;
}

/** Follows the containers' ends from before anything is started, so that none is missed. */
async function watchExits({docker, project}: Stack, printer: LogPrinter, options: AttachedOptions): Promise<ExitWatch> {
  const abort = new AbortController();
  const running = new Set<string>();
  const jobs = jobsOf(project);
  const early: Exit[] = [];
  let expected: readonly string[] | undefined;
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
    // The next save may start it again.
    if (options.watch !== undefined) return;
    if (expected === undefined || running.size > 0) return;
    if (stopped.size > 0) await delay(restartGapMs, undefined, {signal: abort.signal}).catch(() => {});
    const left = await listProjectContainers(docker, {project: project.name, services: [], all: false});
    if (running.size === 0 && !left.some(({id}) => expected?.includes(id))) end();
  };
  /** A job that others wait for has done its part when it ends well. */
  const endsStack = ({id, service, exitCode}: Exit): boolean =>
    options.abortOnExit && expected?.includes(id) === true && !(jobs.has(service) && exitCode === 0);
  const events = await docker.getEvents({
    filters: {
      type: ['container'],
      event: ['start', 'kill', 'die'],
      label: [`${composeLabels.project}=${project.name}`],
    },
    abortSignal: abort.signal,
  });
  const read = async (): Promise<void> => {
    for await (const {Action, Actor} of events) {
      const {name = Actor.ID, exitCode = '0', [composeLabels.service]: service = ''} = Actor.Attributes;
      if (Action === 'start') {
        running.add(Actor.ID);
        stopped.delete(Actor.ID);
        continue;
      }
      if (Action === 'kill') {
        stopped.add(Actor.ID);
        continue;
      }
      running.delete(Actor.ID);
      printer.note(`${shortName(name, project.name)} exited with code ${exitCode}`);
      const exit = {id: Actor.ID, name, service, exitCode: Number(exitCode)};
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
    expect(ids) {
      expected = ids;
      const exit = early.find(endsStack);
      if (exit === undefined) void endWhenEmpty().catch(lost);
      else end(exit);
    },
    done,
    end: () => end(),
  };
}

async function stopStack(context: CliContext, {docker, project}: Stack, options: AttachedOptions): Promise<void> {
  const {timeoutSeconds} = options;
  await withProgress(context, docker, {title: `stop ${project.name}`, withLogs: true}, (converge) =>
    stop(
      {name: project.name, project},
      timeoutSeconds === undefined ? {} : {timeoutSeconds},
      // Ctrl-C asked for just this: it does not cancel the stopping.
      {...converge, clock: systemClock(context.now), signal: new AbortController().signal},
    ),
  );
}

async function killStack({docker, project}: Stack): Promise<void> {
  const running = await listProjectContainers(docker, {project: project.name, services: [], all: false});
  await Promise.all(
    running.map(({id}) =>
      docker
        .getContainer(id)
        .kill()
        .catch((error: TscomposeError) => {
          if (!hasKind(error, 'notFound', 'conflict')) throw error;
        }),
    ),
  );
}

/** The exit code of the service that was asked for, else of the container that ended first. */
async function exitCodeOf(
  {docker, project}: Stack,
  options: AttachedOptions,
  first: Exit | undefined,
): Promise<number> {
  const {exitCodeFrom} = options;
  if (exitCodeFrom === undefined || first?.service === exitCodeFrom) return first?.exitCode ?? exitCodes.success;
  const [container] = await listProjectContainers(docker, {project: project.name, services: [exitCodeFrom], all: true});
  if (container === undefined) return exitCodes.failure;
  return (await docker.getContainer(container.id).inspect()).State.ExitCode;
}
