import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {followTransfer} from '../follow-transfer.ts';
import {onlyArgument} from '../only-argument.ts';
import {warnOnce, withEngine} from '../session.ts';

export function runEnginePush(context: CliContext, {args, flags}: Input<'engine push'>): Promise<number> {
  const given = onlyArgument('engine push', args);
  const {name, tag} = splitTag(given);
  if (flags['all-tags'] && tag !== undefined) {
    throw new TscomposeError('invalid', `"${given}" has a tag: with --all-tags it must have none`, {
      exitCode: exitCodes.usage,
    });
  }
  return withEngine(context, async (docker) => {
    const authconfig = await authFor(context, name, warnOnce(context));
    const wanted = flags['all-tags'] ? undefined : (tag ?? 'latest');
    if (wanted !== tag && !flags.quiet) context.stdout.write('Using default tag: latest\n');
    await followTransfer(context, {
      ...{title: `push ${given}`, image: given, quiet: flags.quiet},
      begin: (abortSignal) =>
        docker.getImage(name).push({tag: wanted, authconfig, platform: flags.platform, abortSignal}),
    });
    if (flags.quiet) context.stdout.write(`${given}\n`);
    return 0;
  });
}

function splitTag(text: string): {readonly name: string; readonly tag?: string} {
  const colon = text.lastIndexOf(':');
  if (text.includes('@')) throw new TscomposeError('invalid', 'cannot push a digest reference');
  return colon > text.lastIndexOf('/') ? {name: text.slice(0, colon), tag: text.slice(colon + 1)} : {name: text};
}
