import type {BuildAgent} from '../../api/types/build.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {bakeFile} from '../../model/bake.ts';
import {type BuildChoices, withBuildChoices} from '../../model/build-choices.ts';
import {refuseBuildLimits} from '../../model/limits.ts';
import {serviceBuilds} from '../../model/lower-build.ts';
import {buildImages} from '../../reconcile/build-images.ts';
import {imageBuilder} from '../build/build-image.ts';
import {readAgent, readPairs, wrongFlag} from '../build/options.ts';
import {refuseBuilder} from '../build/refuse-builder.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {honourLock} from '../lock/honour-lock.ts';
import {withProgress, withStatedProgress} from '../progress.ts';
import {loadStack, withEngine} from '../session.ts';

type Flags = Input<'build'>['flags'];

export async function runBuild(outer: CliContext, {flags, args}: Input<'build'>): Promise<number> {
  refuseFlags(flags);
  const context = withStatedProgress(outer, flags.progress);
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
  if (flags.check) {
    const {checkServices} = await import('../build/check-services.ts');
    const given = readPairs('build-arg', flags['build-arg'], context.env);
    return checkServices(context, {project, services: args.length > 0 ? args : undefined, arguments: given});
  }
  return withEngine(context, async (docker) => {
    if (serviceBuilds(project).length === 0) {
      if (!flags.quiet) context.stderr.write('no service to build\n');
    } else {
      await withProgress(context, docker, {title: `build ${project.name}`, quiet: flags.quiet}, (converge, {pause}) => {
        const extras = {...locked.extras, ...(flags.explain && {explain: true}), ...(flags.debug && {debug: pause})};
        return buildImages(project, {...converge, build: imageBuilder(context, docker, extras)});
      });
    }
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
    ssh: Object.fromEntries(agents.map(onePath)),
  };
}

/** As in a stack file. */
function onePath({id, socket, keys = []}: BuildAgent): readonly [string, string] {
  if (keys.length === 0) return [id, socket];
  throw wrongFlag('ssh', `${id}=…,…`, 'it has several keys', 'give each a name of its own');
}

/** Docker Compose reads it, too, and does nothing with it where BuildKit builds. */
function refuseFlags(flags: Flags): void {
  refuseBuilder(flags.builder);
  if (flags.memory !== undefined)
    throw new TscomposeError('unsupported', '--memory is not supported: steps of builds have no limit of their own', {
      hint: 'leave it out',
    });
}
