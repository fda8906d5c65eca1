import {buildServices} from '../build/build-services.ts';
import {readPairs} from '../build/options.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadStack, withEngine} from '../session.ts';

export async function runBuild(context: CliContext, {flags, args}: Input<'build'>): Promise<number> {
  const project = await loadStack(context, {
    services: args,
    dependencies: flags['with-dependencies'] || args.length === 0,
  });
  return withEngine(context, async (docker) => {
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    const built = await buildServices(context, docker, {
      ...{project, which: 'all', quiet: flags.quiet, explain: flags.explain, noCache: flags['no-cache']},
      arguments: readPairs('build-arg', flags['build-arg'], context.env),
      signal: abort.signal,
    });
    if (built.length === 0 && !flags.quiet) context.stderr.write('no service to build\n');
    return 0;
  });
}
