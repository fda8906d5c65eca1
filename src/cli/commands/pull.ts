import {pullImages} from '../../reconcile/pull-images.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {honourLock} from '../lock/honour-lock.ts';
import {withProgress} from '../progress.ts';
import {loadStack, withEngine} from '../session.ts';

export async function runPull(context: CliContext, {args, flags}: Input<'pull'>): Promise<number> {
  const stated = await loadStack(context, {services: args, dependencies: args.length === 0 || flags['include-deps']});
  const {project, unpulled} = await honourLock(context, stated, flags);
  const quiet = flags.quiet ? {...context, global: {...context.global, progress: 'quiet'}} : context;
  await withEngine(context, (docker) =>
    withProgress(quiet, docker, {title: `pull ${project.name}`}, (converge) =>
      pullImages(
        {
          project,
          options: {
            ...(flags.policy !== undefined && {policy: flags.policy === 'missing' ? 'missing' : 'always'}),
            ...(unpulled && {unpulled}),
            // What is built is locked by what it is built upon.
            ignoreBuildable: flags['ignore-buildable'] || flags.locked,
          },
          ignoreFailures: flags['ignore-pull-failures'],
        },
        converge,
      ),
    ),
  );
  return 0;
}
