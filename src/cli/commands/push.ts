import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {pushImages} from '../push-images.ts';
import {loadStack, withEngine} from '../session.ts';

export async function runPush(context: CliContext, {args, flags}: Input<'push'>): Promise<number> {
  const project = await loadStack(context, {services: args, dependencies: args.length === 0 || flags['include-deps']});
  return withEngine(context, async (docker) => {
    await pushImages(context, docker, {
      project,
      quiet: flags.quiet,
      ignoreFailures: flags['ignore-push-failures'],
    });
    return 0;
  });
}
