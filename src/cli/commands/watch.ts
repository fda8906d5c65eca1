import {exitCodes} from '../../base/errors.ts';
import type {Project, Service} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import {watchRules} from '../../watch/session/rules.ts';
import type {CliContext} from '../context.ts';
import {isSet} from '../environment.ts';
import type {Input} from '../flags.ts';
import {allowingMissingLimits} from '../open-engine.ts';
import {createReporter} from '../progress.ts';
import {withEngine} from '../session.ts';
import {beginWatch, reloadedStack} from '../watch.ts';
import {bringUp} from './up.ts';

/** Brings the stack up, watches its files until Ctrl-C, and leaves the stack running. */
export async function runWatch(given: CliContext, {flags, args}: Input<'watch'>): Promise<number> {
  const context = allowingMissingLimits(given, flags);
  const stack = reloadedStack(context, {services: args});
  const project = await stack.load();
  // Told before anything is started.
  watchRules(project, {services: args});
  const upOptions: UpOptions = {
    ...(args.length > 0 && {services: args}),
    ignoreOrphans: isSet(context.env, 'COMPOSE_IGNORE_ORPHANS'),
  };
  return withEngine(context, async (docker) => {
    const reporter = await createReporter(context, {title: `watch ${project.name}`, withLogs: true});
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    try {
      const session = await beginWatch(context, {
        docker,
        project,
        services: args,
        stack,
        upOptions,
        prune: flags.prune,
        report: (event) => {
          if (!flags.quiet || event.kind !== 'build') reporter.report(event);
        },
        signal: abort.signal,
      });
      try {
        if (!flags['no-up'])
          await bringUp(quietly(context, flags.quiet), docker, {
            project: withFreshImages(project),
            options: upOptions,
            // What watching tells meanwhile would tear lines that are drawn anew.
            withLogs: true,
            beforeStart: session.beforeStart,
          });
        await Promise.race([session.ready, session.ended]);
        return (await session.ended) === 'interrupted' ? exitCodes.interrupted : exitCodes.success;
      } finally {
        abort.abort();
        await session.ended.catch(() => {});
      }
    } finally {
      reporter.finish();
    }
  });
}

/** Images of what is watched are made from the files as they are when watching begins, as with Compose. */
function withFreshImages(project: Project): Project {
  const services = Object.entries(project.services).map(([name, service]): [string, Service] => {
    const isWatched = service.build !== undefined && (service.develop?.watch ?? []).length > 0;
    return [name, isWatched ? {...service, pull_policy: 'build'} : service];
  });
  return {...project, services: Object.fromEntries(services)};
}

function quietly(context: CliContext, quiet: boolean): CliContext {
  return quiet ? {...context, global: {...context.global, progress: 'quiet'}} : context;
}
