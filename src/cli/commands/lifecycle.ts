import {kill, pause, restart, start, stop} from '../../reconcile/commands.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {withProject} from '../session.ts';

export function runStop(context: CliContext, {flags, args}: Input<'stop'>): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `stop ${name}`}, (converge) =>
      stop({name, project}, {...named(args), ...timeout(flags.timeout)}, converge),
    );
    return 0;
  });
}

export function runStart(context: CliContext, {args}: Input<'start'>): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `start ${name}`}, (converge) =>
      start({name, project}, named(args), converge),
    );
    return 0;
  });
}

export function runRestart(context: CliContext, {flags, args}: Input<'restart'>): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `restart ${name}`}, (converge) =>
      restart({name, project}, {...named(args), ...timeout(flags.timeout), noDependents: flags['no-deps']}, converge),
    );
    return 0;
  });
}

export function runKill(context: CliContext, {flags, args}: Input<'kill'>): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `kill ${name}`}, (converge) =>
      kill(
        {name, project},
        {
          ...named(args),
          ...(flags.signal !== undefined && {signal: flags.signal}),
          removeOrphans: flags['remove-orphans'],
        },
        converge,
      ),
    );
    return 0;
  });
}

export function runPause(context: CliContext, {args}: Input<'pause'>): Promise<number> {
  return change(context, 'pause', args);
}

export function runUnpause(context: CliContext, {args}: Input<'unpause'>): Promise<number> {
  return change(context, 'unpause', args);
}

function change(context: CliContext, kind: 'pause' | 'unpause', args: readonly string[]): Promise<number> {
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `${kind} ${name}`}, (converge) =>
      pause({name, project}, {...named(args), change: kind}, converge),
    );
    return 0;
  });
}

function named(services: readonly string[]): {readonly services?: readonly string[]} {
  return services.length === 0 ? {} : {services};
}

function timeout(seconds: number | undefined): {readonly timeoutSeconds?: number} {
  return seconds === undefined ? {} : {timeoutSeconds: seconds};
}
