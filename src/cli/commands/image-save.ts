import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {withEngine} from '../session.ts';
import {checkOutput, writeArchive} from '../write-archive.ts';
import {wrongUse} from '../wrong-use.ts';

export function runImageSave(context: CliContext, {args, flags}: ImageInput<'save'>): Promise<number> {
  if (args.length === 0) throw wrongUse('too few arguments', 'write: tscompose engine save [OPTIONS] IMAGE...');
  const {output, platform} = flags;
  checkOutput(context, output);
  return withEngine(context, async (docker) => {
    await writeArchive(context, output, await docker.getImages(args, {platform}));
    return 0;
  });
}
