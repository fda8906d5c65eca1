import {parseReference} from '../../engine/image/reference.ts';
import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {followTransfer} from '../follow-transfer.ts';
import {onlyArgument} from '../only-argument.ts';
import {warnOnce, withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

export function runEnginePull(context: CliContext, {args, flags}: Input<'engine pull'>): Promise<number> {
  const given = onlyArgument('engine pull', args);
  const name = nameToPull(given, flags['all-tags']);
  return withEngine(context, async (docker) => {
    const authconfig = await authFor(context, name, warnOnce(context));
    if (name !== given && !flags.quiet) context.stdout.write('Using default tag: latest\n');
    await followTransfer(context, {
      ...{title: `pull ${name}`, image: name, quiet: flags.quiet},
      begin: (abortSignal) =>
        docker.pull(name, {
          ...{authconfig, abortSignal},
          ...{platform: flags.platform, allPlatforms: flags['all-platforms']},
        }),
    });
    context.stdout.write(`${fullName(given, flags['all-tags'])}\n`);
    return 0;
  });
}

/** A name without a tag means "latest", unless all are asked for. */
function nameToPull(name: string, allTags: boolean): string {
  const hasTag = /[:@]/.test(name.slice(name.lastIndexOf('/') + 1));
  if (hasTag && allTags) {
    throw wrongUse(`"${name}" has a tag or digest: with --all-tags it must have none`);
  }
  return hasTag || allTags ? name : `${name}:latest`;
}

/** With its registry, as Docker prints what it has pulled. */
function fullName(name: string, allTags: boolean): string {
  const {registry, repository, tag, digest} = parseReference(name);
  if (allTags) return `${registry}/${repository}`;
  return `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
