import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {readFilters} from '../image-name.ts';
import {askOnTerminal} from '../question.ts';
import {withEngine} from '../session.ts';
import {usedSize} from '../size.ts';
import {wrongUse} from '../wrong-use.ts';

export async function runImagePrune(context: CliContext, {flags}: ImageInput<'prune'>): Promise<number> {
  if (!flags.force && !(await confirm(context, flags.all))) return 0;
  return await withEngine(context, async (docker) => {
    const filters = {...readFilters(flags.filter), dangling: [flags.all ? 'false' : 'true']};
    const {ImagesDeleted, SpaceReclaimed} = await docker.pruneImages({filters});
    const lines = (ImagesDeleted ?? []).map(({Untagged, Deleted}) =>
      Deleted === undefined ? `untagged: ${Untagged}\n` : `deleted: ${Deleted}\n`,
    );
    if (lines.length > 0) context.stdout.write(`Deleted Images:\n${lines.join('')}\n`);
    context.stdout.write(`Total reclaimed space: ${usedSize(SpaceReclaimed)}\n`);
    return 0;
  });
}

async function confirm(context: CliContext, all: boolean): Promise<boolean> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) {
    throw wrongUse('nobody can be asked whether to remove images', 'add --force');
  }
  const which = all ? 'all images that no container uses' : 'all images that have no name and that no container uses';
  return await askOnTerminal(context, `This removes ${which}. Go on?`);
}
