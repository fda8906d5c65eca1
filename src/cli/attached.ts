import {systemClock} from '../base/clock.ts';
import {exitCodes, hasKind, type TscomposeError} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import {containerName, replicasOf} from '../model/lower.ts';
import type {Project} from '../model/types.ts';
import {stop} from '../reconcile/commands.ts';
import type {ContainerInfo, Report} from '../report/event.ts';
import type {WatchSession} from '../watch/session/session.ts';
import type {CliContext} from './context.ts';
import {type Exit, type ExitWatch, watchExits} from './exit-watch.ts';
import {followProject, shortName} from './follow-logs.ts';
import {printHooks} from './hook-output.ts';
import {createLogPrinter, type LogPrinter, type LogPrinterOptions} from './log-printer.ts';
import {createReporter, type WorkOptions, withProgress} from './progress.ts';
import {listProjectContainers} from './project-containers.ts';

export interface AttachedOptions {
  /** The services whose logs are shown. */
  readonly attach: readonly string[];
  /** The services that were named: what runs only for them goes on when they have ended. Empty: all. */
  readonly named: readonly string[];
  /** What ends the stack when one container ends. */
  readonly abortOn: 'nothing' | 'failure' | 'exit';
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
  bringUp: (work: Pick<WorkOptions, 'beforeStart' | 'hookOutput'>) => Promise<readonly ContainerInfo[]>,
): Promise<number> {
  const printer = createLogPrinter(options.printer);
  const hookOutput = printHooks(printer, {project: stack.project.name, services: options.attach});
  const stopAll = () => stopStack(context, stack, options, hookOutput);
  const follow = new AbortController();
  const finish = new AbortController();
  const watched = options.named.length > 0 ? options.named : options.attach;
  const watch = await watchExits(stack, {
    services: options.exitCodeFrom === undefined ? watched : [...watched, options.exitCodeFrom],
    attach: options.attach,
    abortOn: options.abortOn,
    endless: options.watch !== undefined,
    printer,
  });
  const logs = await followLogs(context, stack, {
    attach: options.attach,
    printer,
    signal: follow.signal,
    finish: finish.signal,
    watch,
  });
  const files = options.watch === undefined ? undefined : await watchFiles(context, stack, options.watch);
  let interrupts = 0;
  using _interrupt = context.onInterrupt(() => {
    interrupts += 1;
    files?.stop();
    if (interrupts > 1)
      return void killStack(stack, options).catch((error: TscomposeError) => printer.note(error.message));
    context.stderr.write('\nstopping: press Ctrl-C again to kill\n');
    watch.end();
  });
  try {
    watch.expect(await bringUp({hookOutput, ...(files !== undefined && {beforeStart: files.beforeStart})}));
    const first = await (files === undefined ? watch.done : Promise.race([watch.done, files.ended]));
    if (interrupts > 0 || first !== undefined) {
      if (interrupts === 0) await watch.told();
      if (interrupts === 0) context.stderr.write(`stopping: ${first?.name} ended\n`);
      await stopAll();
    }
    finish.abort();
    await watch.told();
    // What was not named goes on, and so does its log.
    if (options.named.length > 0 && options.attach.some((service) => !options.named.includes(service))) follow.abort();
    await logs.ended;
    if (interrupts > 0) return exitCodes.interrupted;
    return options.abortOn === 'nothing' ? exitCodes.success : await exitCodeOf(stack, options, first);
  } catch (error) {
    // Interrupted while it came up: what runs already is stopped, as at any other time.
    if (hasKind(error, 'canceled')) await stopAll().catch(() => {});
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

interface FollowOptions {
  readonly attach: readonly string[];
  readonly printer: LogPrinter;
  readonly watch: ExitWatch;
  readonly signal: AbortSignal;
  readonly finish: AbortSignal;
}

/** Follows the logs from before anything starts: of what runs already only what is new. */
async function followLogs(
  context: CliContext,
  {docker, project}: Stack,
  {attach: services, printer, watch, ...signals}: FollowOptions,
): Promise<{readonly ended: Promise<void>}> {
  // To follow none of them would mean all.
  if (services.length === 0) return {ended: Promise.resolve()};
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
      onRead: (id) => watch.heard(id),
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

async function stopStack(
  context: CliContext,
  {docker, project}: Stack,
  {named, timeoutSeconds}: AttachedOptions,
  hookOutput: WorkOptions['hookOutput'],
): Promise<void> {
  await withProgress(context, docker, {title: `stop ${project.name}`, withLogs: true, hookOutput}, (converge) =>
    stop(
      {name: project.name, project},
      {...(named.length > 0 && {services: named}), ...(timeoutSeconds !== undefined && {timeoutSeconds})},
      // Ctrl-C asked for just this: it does not cancel the stopping.
      {...converge, clock: systemClock(context.now), signal: new AbortController().signal},
    ),
  );
}

async function killStack({docker, project}: Stack, {named}: AttachedOptions): Promise<void> {
  const running = await listProjectContainers(docker, {project: project.name, services: named, all: false});
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
