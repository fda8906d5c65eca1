import {readSize} from '../build/options.ts';
import type {BuilderInput} from '../builder-flags.ts';
import {builderBlocks} from '../builder-table.ts';
import type {CliContext} from '../context.ts';
import {readFilters} from '../image-name.ts';
import {askOnTerminal} from '../question.ts';
import {withEngine} from '../session.ts';
import {humanSize} from '../size.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

export async function runBuilderPrune(context: CliContext, {args, flags}: BuilderInput<'prune'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine builder prune [OPTIONS]'});
  const size = (name: 'keep-storage' | 'reserved-space' | 'max-used-space' | 'min-free-space') =>
    flags[name] === undefined ? undefined : readSize(name, flags[name]);
  const limits = {
    'reserved-space': size('reserved-space') ?? size('keep-storage'),
    'max-used-space': size('max-used-space'),
    'min-free-space': size('min-free-space'),
  };
  if (!flags.force && !(await confirm(context, flags.all))) return 0;
  return await withEngine(context, async (docker) => {
    const before = flags.verbose ? ((await docker.df({type: ['build-cache']})).BuildCache ?? []) : [];
    const {CachesDeleted, SpaceReclaimed} = await docker.pruneBuilder({
      all: flags.all,
      filters: readFilters(flags.filter),
      ...limits,
    });
    const gone = CachesDeleted ?? [];
    const {stdout} = context;
    if (flags.verbose)
      stdout.write(
        builderBlocks(
          before.filter(({ID}) => gone.includes(ID)),
          context.now(),
        ),
      );
    else if (gone.length > 0) stdout.write(`Deleted build cache objects:\n${gone.join('\n')}\n\n`);
    stdout.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  });
}

async function confirm(context: CliContext, all: boolean): Promise<boolean> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true)
    throw wrongUse('nobody can be asked whether to remove what builds keep', 'add --force');
  const which = all ? 'all that builds keep, cache mounts too' : 'what builds keep and no image is made of';
  return await askOnTerminal(context, `This removes ${which}. Go on?`);
}
