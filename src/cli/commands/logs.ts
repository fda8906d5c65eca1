import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {followProject} from '../follow-logs.ts';
import {interrupted} from '../interrupted.ts';
import {createLogPrinter} from '../log-printer.ts';
import {listProjectContainers, onlyReplica} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {parseTime} from '../time.ts';

export function runLogs(context: CliContext, input: Input<'logs'>): Promise<number> {
  const {flags} = input;
  const tail = parseTail(flags.tail);
  const since = flags.since === undefined ? undefined : parseTime(flags.since, context.now());
  const until = flags.until === undefined ? undefined : parseTime(flags.until, context.now());
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const containers = onlyReplica(
      await listProjectContainers(docker, {project: name, services: input.args, all: true, known: knownServices}),
      flags.index,
    );
    const printer = createLogPrinter({
      out: context.stdout,
      color: context.color(context.stdout) && !flags['no-color'],
      prefix: !flags['no-log-prefix'],
      timestamps: flags.timestamps,
    });
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    await followProject(
      {
        docker,
        project: name,
        services: input.args,
        index: flags.index,
        printer,
        signal: abort.signal,
        warn: (text) => context.stderr.write(`warning: ${text}\n`),
      },
      // What starts meanwhile is printed from its start.
      {
        containers,
        follow: flags.follow,
        tail,
        since,
        until,
        ...(tail !== undefined && {begin: Math.max(since ?? 0, context.now() / 1000)}),
      },
    );
    return abort.signal.aborted ? interrupted(context) : 0;
  });
}

function parseTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (!/^\d+$/.test(text)) {
    throw new TscomposeError('invalid', `--tail "${text}": a number of lines or "all" is expected`, {exitCode: 64});
  }
  return Number(text);
}
