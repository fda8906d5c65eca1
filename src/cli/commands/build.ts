import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {bakeFile} from '../../model/bake.ts';
import {type BuildChoices, withBuildChoices} from '../../model/build-choices.ts';
import {refuseBuildLimits} from '../../model/limits.ts';
import {buildImages} from '../../reconcile/build-images.ts';
import {imageBuilder} from '../build/build-image.ts';
import {readAgent, readPairs} from '../build/options.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {honourLock} from '../lock/honour-lock.ts';
import {withProgress} from '../progress.ts';
import {loadStack, withEngine} from '../session.ts';

type Flags = Input<'build'>['flags'];

export async function runBuild(context: CliContext, {flags, args}: Input<'build'>): Promise<number> {
  refuseFlags(flags);
  const stated = await loadStack(context, {
    services: args,
    dependencies: flags['with-dependencies'] || args.length === 0,
  });
  const locked = await honourLock(context, stated, flags);
  const project = withBuildChoices(locked.project, choicesOf(context, flags));
  if (flags.print) {
    context.stdout.write(`${JSON.stringify(bakeFile(project, {push: flags.push}), undefined, 2)}\n`);
    return exitCodes.success;
  }
  refuseBuildLimits(project);
  return withEngine(context, async (docker) => {
    const build = imageBuilder(context, docker, {...locked.extras, ...(flags.explain && {explain: true})});
    const built = await withProgress(
      telling(context, flags.quiet),
      docker,
      {title: `build ${project.name}`},
      (converge) => buildImages(project, {...converge, build}),
    );
    if (built.length === 0 && !flags.quiet) context.stderr.write('no service to build\n');
    if (flags.push) {
      const {pushImages} = await import('../push-images.ts');
      await pushImages(context, docker, {project, quiet: flags.quiet, ignoreFailures: false});
    }
    return exitCodes.success;
  });
}

function choicesOf(context: CliContext, flags: Flags): BuildChoices {
  const agents = flags.ssh.map((word) => readAgent(word, context));
  return {
    noCache: flags['no-cache'],
    pull: flags.pull,
    arguments: readPairs('build-arg', flags['build-arg'], context.env),
    ssh: Object.fromEntries(agents.map(({id, socket}) => [id, socket])),
  };
}

/** Docker Compose reads them, too, and does nothing with them where BuildKit builds, or speaks of builders that we do not have. */
function refuseFlags(flags: Flags): void {
  const refused = [
    [flags.memory, '--memory', 'steps of builds have no limit of their own'],
    [flags.builder, '--builder', 'there is one builder, in this program'],
  ] as const;
  for (const [value, flag, reason] of refused) {
    if (value === undefined) continue;
    throw new TscomposeError('unsupported', `${flag} is not supported: ${reason}`, {hint: 'leave it out'});
  }
}

/** What steps write is worth reading: it is only hidden behind a line for each image where that is asked for. */
function telling(context: CliContext, quiet: boolean): CliContext {
  const {global, env} = context;
  const stated = global.progress ?? env['COMPOSE_PROGRESS'] ?? 'auto';
  return {...context, global: {...global, progress: quiet ? 'quiet' : stated === 'auto' ? 'plain' : stated}};
}
