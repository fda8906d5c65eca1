import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import {up} from '../../reconcile/commands.ts';
import {lowerProject} from '../../reconcile/lowering.ts';
import {runAttached} from '../attached.ts';
import type {CliContext} from '../context.ts';
import {isSet} from '../environment.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {loadStack, scaled, withEngine} from '../session.ts';

type Flags = Input<'up'>['flags'];

export async function runUp(context: CliContext, {flags, args}: Input<'up'>): Promise<number> {
  checkFlags(flags);
  const loaded = await loadStack(context, {services: args, dependencies: !flags['no-deps'], requireSources: true});
  const project = scaled(loaded, flags.scale);
  const exitCodeFrom = flags['exit-code-from'];
  if (exitCodeFrom !== undefined && project.services[exitCodeFrom] === undefined) {
    throw new TscomposeError('notFound', `--exit-code-from: no such service: "${exitCodeFrom}"`);
  }
  return withEngine(context, async (docker) => {
    const bringUp = () => applyUp(context, docker, project, {flags, args});
    if (!isAttached(flags)) {
      await bringUp();
      return exitCodes.success;
    }
    return runAttached(
      context,
      {docker, project},
      {
        abortOnExit: flags['abort-on-container-exit'] || exitCodeFrom !== undefined,
        exitCodeFrom,
        timeoutSeconds: flags.timeout,
        printer: {
          out: context.stdout,
          color: context.color(context.stdout) && !flags['no-color'],
          prefix: !flags['no-log-prefix'],
          timestamps: flags.timestamps,
        },
      },
      bringUp,
    );
  });
}

function isAttached(flags: Flags): boolean {
  return !flags.detach && !flags.wait && !flags['no-start'];
}

/** Pairs that contradict each other, as Compose refuses them. */
function checkFlags(flags: Flags): void {
  const conflicts: readonly (readonly [boolean, string])[] = [
    [flags['force-recreate'] && flags['no-recreate'], '--force-recreate and --no-recreate'],
    [flags['no-recreate'] && flags['renew-anon-volumes'], '--no-recreate and --renew-anon-volumes'],
    [flags.detach && flags['abort-on-container-exit'], '--detach and --abort-on-container-exit'],
    [flags.wait && flags['abort-on-container-exit'], '--wait and --abort-on-container-exit'],
    [flags.detach && flags['exit-code-from'] !== undefined, '--detach and --exit-code-from'],
    [flags.wait && flags['exit-code-from'] !== undefined, '--wait and --exit-code-from'],
    [flags.wait && flags['no-start'], '--wait and --no-start'],
    [flags['wait-timeout'] !== undefined && !flags.wait, '--wait-timeout without --wait'],
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

function applyUp(
  context: CliContext,
  docker: Docker,
  project: Project,
  {flags, args}: Pick<Input<'up'>, 'flags' | 'args'>,
) {
  const recreate = flags['force-recreate'] ? 'force' : flags['no-recreate'] ? 'never' : 'diverged';
  const options: UpOptions = {
    recreate,
    // What was not named is only brought up, not recreated by force.
    ...(args.length > 0 && {services: args, recreateDependencies: flags['no-recreate'] ? 'never' : 'diverged'}),
    renewAnonymousVolumes: flags['renew-anon-volumes'],
    removeOrphans: flags['remove-orphans'] || isSet(context.env, 'COMPOSE_REMOVE_ORPHANS'),
    ignoreOrphans: isSet(context.env, 'COMPOSE_IGNORE_ORPHANS'),
    noStart: flags['no-start'],
    ...(flags.timeout !== undefined && {timeoutSeconds: flags.timeout}),
  };
  return withProgress(
    context,
    docker,
    {title: `up ${project.name}`, yes: flags.yes, withLogs: isAttached(flags)},
    async (converge) => {
      const lowered = lowerProject(project, {features: await docker.features(), version: context.version});
      const timeoutMs = flags['wait-timeout'] === undefined ? undefined : flags['wait-timeout'] * 1000;
      const wait = flags.wait ? {wait: timeoutMs === undefined ? {} : {timeoutMs}} : {};
      return up({project, ...lowered, options, ...wait}, converge);
    },
  );
}
