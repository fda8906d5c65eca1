import {randomBytes} from 'node:crypto';
import {defaultDetachKeys, parseDetachKeys} from '../../api/detach-keys.ts';
import {exitCodes, hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Container} from '../../client/container.ts';
import type {Docker} from '../../client/docker.ts';
import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import {up} from '../../reconcile/commands.ts';
import {type OneOffSettings, withOneOff} from '../../reconcile/one-off.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {joinContainer} from '../join-container.ts';
import {oneOffEnvironment} from '../one-off-environment.ts';
import {runOneOffHooks} from '../one-off-hooks.ts';
import {asRun, loadForRun} from '../one-off-service.ts';
import {lowerFor} from '../plan-now.ts';
import {withProgress} from '../progress.ts';
import {reportError} from '../report-error.ts';
import {withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

type Flags = Input<'run'>['flags'];

interface Run {
  readonly project: Project;
  readonly service: string;
  readonly flags: Flags;
  readonly tty: boolean;
  readonly settings: OneOffSettings;
}

export async function runRun(context: CliContext, {flags, args}: Input<'run'>): Promise<number> {
  const [service, ...command] = args;
  if (service === undefined) throw wrongUse('run needs a service', 'for example: tscompose run --rm web sh');
  checkFlags(flags);
  const tty = hasTerminal(context, flags);
  const loaded = await loadForRun(context, {service, flags});
  const environment = await oneOffEnvironment(context, flags, loaded.environment);
  const project = asRun(loaded.project, {service, command, flags, tty, environment});
  const slug = randomBytes(32).toString('hex');
  const settings: OneOffSettings = {
    name: flags.name ?? `${project.name}-${service}-run-${slug.slice(0, 12)}`,
    slug,
    autoRemove: flags.rm,
    interactive: flags.interactive,
    aliases: flags['use-aliases'],
  };
  return withEngine(context, async (docker) => {
    await refuseTakenName(docker, settings.name);
    const run = {project, service, flags, tty, settings};
    await bringUp(context, docker, run);
    return start(context, docker, run);
  });
}

function checkFlags(flags: Flags): void {
  if (flags.tty && flags['no-tty']) throw wrongUse('--tty and --no-tty cannot be given together');
  if (flags.publish.length > 0 && flags['service-ports'])
    throw wrongUse('--publish and --service-ports cannot be given together');
}

/** In the background too: somebody may attach to it. */
function hasTerminal({stdin, stdout}: CliContext, flags: Flags): boolean {
  if (flags.tty && flags.interactive && stdin.isTTY !== true)
    throw wrongUse('--tty needs a terminal, and standard input is none', 'leave it out, or add --interactive=false');
  return flags.tty || (!flags['no-tty'] && flags.interactive && stdin.isTTY === true && stdout.isTTY === true);
}

/** Told before anything is started. */
async function refuseTakenName(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getContainer(name).inspect();
  } catch (error) {
    if (hasKind(error, 'notFound')) return;
    throw error;
  }
  throw new TscomposeError('conflict', `the name "${name}" is taken by another container`, {
    hint: 'choose another --name, or leave it out',
  });
}

/** What the service needs, and its new container, which is not started yet. */
async function bringUp(context: CliContext, docker: Docker, run: Run): Promise<void> {
  const {project, service, flags, settings} = run;
  const options: UpOptions = {
    ignoreOrphans: true,
    removeOrphans: flags['remove-orphans'],
    oneOff: {service, name: settings.name},
    build: flags.build,
    ...(flags.pull !== undefined && {pull: flags.pull as NonNullable<UpOptions['pull']>}),
  };
  await withProgress(context, docker, {title: `run ${service}`, quiet: flags.quiet}, async (converge) => {
    const {desired, lowering} = await lowerFor(context, docker, project);
    const report: typeof converge.report = (event) => {
      const isQuiet =
        (flags['quiet-pull'] && event.kind === 'nodeProgress') || (flags['quiet-build'] && event.kind === 'build');
      if (!isQuiet) converge.report(event);
    };
    return up(
      {project, desired, lowering: withOneOff(lowering, settings), options},
      {
        ...converge,
        report,
        build: async (request) => (await import('../build/build-image.ts')).imageBuilder(context, docker)(request),
      },
    );
  });
}

/** Answers the exit code of the command. */
async function start(context: CliContext, docker: Docker, run: Run): Promise<number> {
  const {tty, settings, flags} = run;
  const {Id} = await docker.getContainer(settings.name).inspect();
  const container = docker.getContainer(Id);
  const leaving = new AbortController();
  const runHooks = () => runOneOffHooks(context, docker, {...run, id: Id, name: settings.name, signal: leaving.signal});
  if (flags.detach) {
    await startOrRemove(container, settings);
    context.stdout.write(`${Id}\n`);
    await runHooks();
    return exitCodes.success;
  }
  let failedHook: Promise<TscomposeError | undefined> = Promise.resolve(undefined);
  const begin = async () => {
    await startOrRemove(container, settings);
    failedHook = runHooks().then(
      () => undefined,
      (error) => toTscomposeError(error),
    );
  };
  const {exitCode, goesOn} = await joinContainer(context, {
    docker,
    container,
    name: settings.name,
    tty,
    input: settings.interactive,
    endsInput: !tty,
    proxies: true,
    isOwn: true,
    keys: defaultDetachKeys,
    detachKeys: parseDetachKeys(defaultDetachKeys),
    begin,
  }).finally(() => leaving.abort());
  if (settings.autoRemove && !goesOn) await untilGone(container);
  const failure = await failedHook;
  if (failure === undefined || hasKind(failure, 'canceled')) return exitCode;
  if (exitCode === exitCodes.success) throw failure;
  reportError(context, failure);
  return exitCode;
}

/** As with "docker run --rm": once the command is over, nothing is left of it. */
async function untilGone(container: Container): Promise<void> {
  try {
    await container.wait({condition: 'removed'});
  } catch (error) {
    if (!hasKind(error, 'notFound')) throw error;
  }
}

/** One that never ran does not remove itself. */
async function startOrRemove(container: Container, {autoRemove}: OneOffSettings): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    if (autoRemove) await container.remove({force: true, v: true}).catch(() => {});
    throw error;
  }
}
