import {buildImages} from '../../reconcile/build-images.ts';
import {imageBuilder} from '../build/build-image.ts';
import {readPairs} from '../build/options.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {loadStack, withEngine} from '../session.ts';

export async function runBuild(context: CliContext, {flags, args}: Input<'build'>): Promise<number> {
  const project = await loadStack(context, {
    services: args,
    dependencies: flags['with-dependencies'] || args.length === 0,
  });
  const choices = {
    ...{explain: flags.explain, noCache: flags['no-cache']},
    arguments: readPairs('build-arg', flags['build-arg'], context.env),
  };
  return withEngine(context, async (docker) => {
    const built = await withProgress(
      telling(context, flags.quiet),
      docker,
      {title: `build ${project.name}`},
      (converge) => buildImages(project, {...converge, build: imageBuilder(context, docker, choices)}),
    );
    if (built.length === 0 && !flags.quiet) context.stderr.write('no service to build\n');
    return 0;
  });
}

/** What steps write is worth reading: it is only hidden behind a line for each image where that is asked for. */
function telling(context: CliContext, quiet: boolean): CliContext {
  const {global, env} = context;
  const stated = global.progress ?? env['COMPOSE_PROGRESS'] ?? 'auto';
  return {...context, global: {...global, progress: quiet ? 'quiet' : stated === 'auto' ? 'plain' : stated}};
}
