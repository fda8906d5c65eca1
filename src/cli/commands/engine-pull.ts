import {parseReference} from '../../engine/image/reference.ts';
import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {onlyArgument} from '../only-argument.ts';
import {withEngine} from '../session.ts';
import {transferLines} from '../transfer-lines.ts';

export function runEnginePull(context: CliContext, {args, flags}: Input<'engine pull'>): Promise<number> {
  const given = onlyArgument('engine pull', args);
  return withEngine(context, async (docker) => {
    const name = withTag(given, flags['all-tags']);
    const authconfig = await authFor(context, name);
    const lines = await docker.pull(name, {authconfig, platform: flags.platform});
    const shown = transferLines(context);
    await docker.followProgress(lines, (line) => {
      if (!flags.quiet) shown.show(line);
    });
    context.stdout.write(`${fullName(given)}\n`);
    return 0;
  });
}

/** A name without a tag means "latest", unless all are asked for. */
function withTag(name: string, allTags: boolean): string {
  const hasTag = /[:@]/.test(name.slice(name.lastIndexOf('/') + 1));
  return hasTag || allTags ? name : `${name}:latest`;
}

/** With its registry, as Docker prints what it has pulled. */
function fullName(name: string): string {
  const {registry, repository, tag, digest} = parseReference(name);
  return `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
