import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import type {BuildImage} from '../../reconcile/build-image.ts';
import {type UpRequest, up} from '../../reconcile/commands.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {ContainerInfo, Report} from '../../report/event.ts';
import {rebuilds, type ServiceRule, watchRules} from '../../watch/session/rules.ts';
import {runAttached} from '../attached.ts';
import type {BuildExtras} from '../build/build-image.ts';
import type {CliContext} from '../context.ts';
import {isSet} from '../environment.ts';
import type {Input} from '../flags.ts';
import {allowingMissingLimits} from '../open-engine.ts';
import {lowerFor} from '../plan-now.ts';
import {withProgress} from '../progress.ts';
import {withEngine} from '../session.ts';
import {requireTerminal} from '../ui/require-terminal.ts';
import {beginWatch, reloadedStack, unpulledBy} from '../watch.ts';

type Flags = Input<'up'>['flags'];

export async function runUp(given: CliContext, {flags, args}: Input<'up'>): Promise<number> {
  const context = allowingMissingLimits(given, flags);
  checkFlags(flags);
  if (flags.ui) requireTerminal(context, 'up --ui');
  const selection = {services: args, dependencies: !flags['no-deps'], scale: flags.scale, lock: flags};
  const stack = reloadedStack(context, selection);
  const project = await stack.load();
  // Told before anything is started.
  if (flags.watch) checkRules(watchRules(project, {services: args}), flags);
  const exitCodeFrom = flags['exit-code-from'];
  if (exitCodeFrom !== undefined && project.services[exitCodeFrom] === undefined) {
    throw new TscomposeError('notFound', `--exit-code-from: no such service: "${exitCodeFrom}"`);
  }
  if (flags.ui) {
    const {runUpInUi} = await import('./ui.ts');
    const options = upOptions(context, {flags, args});
    return runUpInUi(context, {project, services: args, stack, options, yes: flags.yes, watch: flags.watch});
  }
  return withEngine(context, async (docker) => {
    const options = {...upOptions(context, {flags, args}), ...unpulledBy(stack)};
    const timeoutMs = flags['wait-timeout'] === undefined ? undefined : flags['wait-timeout'] * 1000;
    const start = (work: Pick<BringUp, 'beforeStart' | 'hookOutput'>) =>
      bringUp(context, docker, {
        project,
        options,
        yes: flags.yes,
        withLogs: isAttached(flags),
        quietPull: flags['quiet-pull'],
        extras: stack.locked().extras,
        ...work,
        ...(flags.wait ? {wait: timeoutMs === undefined ? {} : {timeoutMs}} : {}),
      });
    if (!isAttached(flags)) {
      await start({});
      return exitCodes.success;
    }
    return runAttached(
      context,
      {docker, project},
      {
        attach: attachedServices(project, {flags, args}),
        named: args,
        abortOn: abortOn(flags),
        exitCodeFrom,
        timeoutSeconds: flags.timeout,
        printer: {
          out: context.stdout,
          color: context.color(context.stdout) && !flags['no-color'],
          prefix: !flags['no-log-prefix'],
          timestamps: flags.timestamps,
        },
        ...(flags.watch && {
          watch: (report: Report, signal: AbortSignal) =>
            beginWatch(context, {docker, project, services: args, stack, upOptions: options, report, signal}),
        }),
      },
      start,
    );
  });
}

function checkRules(rules: readonly ServiceRule[], flags: Flags): void {
  const rule = rules.find(rebuilds);
  if (rule === undefined || !flags['no-build']) return;
  throw new TscomposeError('invalid', `--no-build: service "${rule.service}" has a watch action "rebuild"`, {
    hint: 'leave --no-build or --watch out',
    exitCode: exitCodes.usage,
  });
}

function isAttached(flags: Flags): boolean {
  return !flags.detach && !flags.wait && !flags['no-start'];
}

/** Those whose logs are printed: the named ones, or all that the stack file does not keep quiet. */
function attachedServices(project: Project, {flags, args}: Pick<Input<'up'>, 'flags' | 'args'>): readonly string[] {
  for (const flag of ['attach', 'no-attach'] as const) {
    const unknown = flags[flag].find((name) => project.services[name] === undefined);
    if (unknown !== undefined) throw new TscomposeError('notFound', `--${flag}: no such service: "${unknown}"`);
  }
  const noisy = Object.keys(project.services).filter((name) => project.services[name]?.attach !== false);
  const named = args.length > 0 && !flags['attach-dependencies'] ? args : noisy;
  const chosen = flags.attach.length > 0 ? flags.attach : named;
  return chosen.filter((name) => !flags['no-attach'].includes(name));
}

function abortOn(flags: Flags): 'nothing' | 'failure' | 'exit' {
  if (flags['abort-on-container-exit'] || flags['exit-code-from'] !== undefined) return 'exit';
  return flags['abort-on-container-failure'] ? 'failure' : 'nothing';
}

/** Pairs that contradict each other, as Compose refuses them. */
function checkFlags(flags: Flags): void {
  const conflicts: readonly (readonly [boolean, string])[] = [
    [flags['force-recreate'] && flags['no-recreate'], '--force-recreate and --no-recreate'],
    [flags['no-recreate'] && flags['renew-anon-volumes'], '--no-recreate and --renew-anon-volumes'],
    [flags.detach && flags['abort-on-container-exit'], '--detach and --abort-on-container-exit'],
    [flags.wait && flags['abort-on-container-exit'], '--wait and --abort-on-container-exit'],
    [
      flags['abort-on-container-exit'] && flags['abort-on-container-failure'],
      '--abort-on-container-exit and --abort-on-container-failure',
    ],
    [flags.attach.length > 0 && flags['attach-dependencies'], '--attach and --attach-dependencies'],
    [flags['always-recreate-deps'] && flags['no-recreate'], '--always-recreate-deps and --no-recreate'],
    ...attachedOnly(flags),
    [flags.detach && flags['exit-code-from'] !== undefined, '--detach and --exit-code-from'],
    [flags.wait && flags['exit-code-from'] !== undefined, '--wait and --exit-code-from'],
    [flags.wait && flags['no-start'], '--wait and --no-start'],
    [flags.detach && flags.watch, '--detach and --watch'],
    [flags.wait && flags.watch, '--wait and --watch'],
    [flags['no-start'] && flags.watch, '--no-start and --watch'],
    [flags['abort-on-container-exit'] && flags.watch, '--abort-on-container-exit and --watch'],
    [flags['exit-code-from'] !== undefined && flags.watch, '--exit-code-from and --watch'],
    [flags.locked && flags.pull !== undefined && flags.pull !== 'never', `--locked and --pull ${flags.pull}`],
    [flags['lock-file'] !== undefined && !flags.locked, '--lock-file without --locked'],
    [flags.build && flags['no-build'], '--build and --no-build'],
    [flags['wait-timeout'] !== undefined && !flags.wait, '--wait-timeout without --wait'],
    [flags.ui && flags.detach, '--ui and --detach'],
    [flags.ui && flags.wait, '--ui and --wait'],
    [flags.ui && flags['no-attach'].length > 0, '--ui and --no-attach'],
    [flags.ui && flags['no-start'], '--ui and --no-start'],
    [flags.ui && flags['abort-on-container-exit'], '--ui and --abort-on-container-exit'],
    [flags.ui && flags['exit-code-from'] !== undefined, '--ui and --exit-code-from'],
  ];
  const found = conflicts.find(([given]) => given);
  if (found !== undefined) {
    throw new TscomposeError(
      'invalid',
      `${found[1]} cannot be given together`.replace(/^(.* without .*) cannot.*/, '$1 has no meaning'),
      {
        exitCode: exitCodes.usage,
      },
    );
  }
}

/** What has a meaning only while logs are printed. */
function attachedOnly(flags: Flags): readonly (readonly [boolean, string])[] {
  const given: readonly (readonly [boolean, string])[] = [
    [flags['abort-on-container-failure'], '--abort-on-container-failure'],
    [flags.attach.length > 0, '--attach'],
    [flags['attach-dependencies'], '--attach-dependencies'],
  ];
  return given.flatMap(([isGiven, flag]) => [
    [flags.detach && isGiven, `--detach and ${flag}`] as const,
    [flags.wait && isGiven, `--wait and ${flag}`] as const,
    [flags.ui && isGiven, `--ui and ${flag}`] as const,
  ]);
}

function upOptions(context: CliContext, {flags, args}: Pick<Input<'up'>, 'flags' | 'args'>): UpOptions {
  const recreate = flags['force-recreate'] ? 'force' : flags['no-recreate'] ? 'never' : 'diverged';
  return {
    recreate,
    // What was not named is only brought up, not recreated by force.
    ...(args.length > 0 && {services: args, recreateDependencies: dependencies(flags)}),
    renewAnonymousVolumes: flags['renew-anon-volumes'],
    removeOrphans: flags['remove-orphans'] || isSet(context.env, 'COMPOSE_REMOVE_ORPHANS'),
    ignoreOrphans: isSet(context.env, 'COMPOSE_IGNORE_ORPHANS'),
    noStart: flags['no-start'],
    build: flags.build,
    noBuild: flags['no-build'],
    ...(flags.pull !== undefined && {pull: pullWhen(flags.pull)}),
    ...(flags.timeout !== undefined && {timeoutSeconds: flags.timeout}),
  };
}

/** One of the flag's choices. */
function pullWhen(text: string): NonNullable<UpOptions['pull']> {
  return text === 'always' || text === 'never' ? text : 'missing';
}

function dependencies(flags: Flags): NonNullable<UpOptions['recreateDependencies']> {
  if (flags['always-recreate-deps']) return 'force';
  return flags['no-recreate'] ? 'never' : 'diverged';
}

export interface BringUp {
  readonly project: Project;
  readonly options: UpOptions;
  /** Answers yes to every question. */
  readonly yes?: boolean;
  /** Logs are printed meanwhile. */
  readonly withLogs?: boolean;
  /** How pulls come along is not shown. */
  readonly quietPull?: boolean;
  /** What is said of the builds besides the stack. */
  readonly extras?: BuildExtras;
  /** Awaited before a container is started. */
  readonly beforeStart?: ConvergeContext['beforeStart'];
  readonly hookOutput?: ConvergeContext['hookOutput'];
  /** Until everything runs and is healthy. */
  readonly wait?: UpRequest['wait'];
}

/** Makes the engine match the project, with progress on standard error. */
export async function bringUp(
  context: CliContext,
  docker: Docker,
  {project, options, wait, quietPull, extras, ...work}: BringUp,
): Promise<readonly ContainerInfo[]> {
  return withProgress(context, docker, {title: `up ${project.name}`, ...work}, async (converge) => {
    const lowered = await lowerFor(context, docker, project);
    const report: Report = (event) => {
      if (quietPull !== true || event.kind !== 'nodeProgress') converge.report(event);
    };
    const build: BuildImage = async (request) =>
      (await import('../build/build-image.ts')).imageBuilder(context, docker, extras)(request);
    return up({project, ...lowered, options, ...(wait === undefined ? {} : {wait})}, {...converge, report, build});
  });
}
